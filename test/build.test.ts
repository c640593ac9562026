// What is deployed: built twice from one state of the sources, in two places, it is the same to the byte.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAll } from "../build/main.ts";

const LONG = 240_000;
const TARGETS = ["linux-arm64", "linux-x64"];
const PARTS = [
	...TARGETS.map((target) => `mayfly-agent-${target}`),
	...TARGETS.map((target) => `mayfly-gateway-${target}`),
	"mayfly-agent.cdx.json",
	"mayfly-gateway.cdx.json",
	"poller.mjs",
	"poller.cdx.json",
	"relay.js",
	"relay.cdx.json",
];
interface Bill {
	bomFormat: string;
	specVersion: string;
	serialNumber: string;
	components: { type: string; name: string; version: string; hashes?: { content: string }[] }[];
}
let folders: string[];
let sums: string[][];
beforeAll(async () => {
	folders = [await mkdtemp(join(tmpdir(), "mayfly-dist-")), await mkdtemp(join(tmpdir(), "mayfly-again-"))];
	sums = [];
	for (const folder of folders) sums.push(await buildAll(folder));
}, LONG);
afterAll(async () => {
	for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describe("the build", () => {
	test("makes the relay, the poller, both agents and both gateways' programs, with their checksums", async () => {
		expect((await readdir(folders[0] ?? "")).toSorted()).toEqual(["SHA256SUMS", ...PARTS].toSorted());
		const listed = await readFile(join(folders[0] ?? "", "SHA256SUMS"), "utf8");
		for (const name of PARTS) {
			const digest = new Bun.CryptoHasher("sha256").update(await readFile(join(folders[0] ?? "", name))).digest("hex");
			expect(listed).toContain(`${digest}  ${name}\n`);
		}
	});

	test("says of each part which libraries are in it, each with its checksum of the lock file, and of no other", async () => {
		const lock = await readFile(join(import.meta.dir, "..", "bun.lock"), "utf8");
		const namesIn = async (part: string) => {
			const bill = JSON.parse(await readFile(join(folders[0] ?? "", `${part}.cdx.json`), "utf8")) as Bill;
			expect([bill.bomFormat, bill.specVersion]).toEqual(["CycloneDX", "1.5"]);
			expect(bill.serialNumber).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
			const libraries = bill.components.filter(({ type }) => type === "library");
			for (const { name, version, hashes = [] } of libraries) {
				expect(lock).toContain(`"${name}@${version}", "", `);
				expect(lock).toContain(Buffer.from(hashes[0]?.content ?? "", "hex").toString("base64"));
			}
			return libraries.map(({ name }) => name);
		};
		expect(await namesIn("mayfly-agent")).toContain("ofetch");
		expect(await namesIn("poller")).toContain("@aws-sdk/client-ec2");
		expect(await namesIn("relay")).toEqual(["hono", "valibot"]);
		expect(await namesIn("mayfly-gateway")).not.toContain("hono");
	});

	test("gives the same bytes twice", () => expect(sums[1]).toEqual(sums[0] as string[]));

	test("names no path of the machine it was built on", async () => {
		const root = join(import.meta.dir, "..");
		for (const name of PARTS) {
			const bytes = await readFile(join(folders[0] ?? "", name));
			expect([name, bytes.includes(root), bytes.includes(`${tmpdir()}/mayfly`)]).toEqual([name, false, false]);
		}
	});
});
