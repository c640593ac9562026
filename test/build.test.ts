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
	"poller.mjs",
	"relay.js",
];
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
		expect((await readdir(folders[0] ?? "")).toSorted()).toEqual(["SHA256SUMS", ...PARTS]);
		const listed = await readFile(join(folders[0] ?? "", "SHA256SUMS"), "utf8");
		for (const name of PARTS) {
			const digest = new Bun.CryptoHasher("sha256").update(await readFile(join(folders[0] ?? "", name))).digest("hex");
			expect(listed).toContain(`${digest}  ${name}\n`);
		}
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
