// Parts that machines and gateways fetch from the mailbox: which of them a deployment brings there, and which it misses.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveFile } from "../../contract/config.ts";
import { parseMayflyYaml } from "../../contract/config-yaml.ts";
import { behind, bringUp, missingRunners } from "../../deploy/mailbox.ts";
import { findParts, wantedRunners, wrongParts } from "../../deploy/parts.ts";
import type { Bucket, StoredObject } from "../../deploy/storage.ts";

const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
const RUNNER = "actions-runner-linux-x64-2.337.0.tar.gz";
let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-parts-"));
	for (const name of ["mayfly-agent-linux-x64", "mayfly-gateway-linux-arm64", RUNNER, "poller.mjs", "relay.js", "SHA256SUMS"])
		writeFileSync(join(folder, name), name);
});
afterAll(() => rm(folder, { recursive: true }));

function fileWith(runner: string) {
	const read = parseMayflyYaml(
		`owners: [{ name: octo-org }]\nimages: { x64: { arch: x64 } }\npresets: {}\ntiers: { build: { allow: {} } }\n${runner}`,
	);
	if (!read.ok) throw new Error(JSON.stringify(read.problems));
	return resolveFile(read.value);
}

/** A bucket in memory, of which nothing but these calls is asked. */
function bucketOf(objects: Record<string, string>) {
	const put: StoredObject[] = [];
	const storage = {
		hashOf: async (_: string, key: string) => objects[key] ?? null,
		put: async (_: string, object: StoredObject) => void put.push(object),
	} as unknown as Bucket;
	return { storage, put };
}

describe("parts", () => {
	test("are what machines and gateways fetch, and nothing else of dist/", async () => {
		expect((await findParts(folder)).map(({ key, sha256: hash }) => [key, hash])).toEqual(
			[RUNNER, "mayfly-agent-linux-x64", "mayfly-gateway-linux-arm64"].map((name) => [`dist/${name}`, sha256(name)]),
		);
		expect(await findParts(join(folder, "nothing"))).toEqual([]);
	});

	test("are uploaded when they are not there, or otherwise", async () => {
		const [agent, gateway] = ["mayfly-agent-linux-x64", "mayfly-gateway-linux-arm64"];
		const { storage, put } = bucketOf({ [`dist/${agent}`]: sha256(agent), [`dist/${gateway}`]: sha256("an older one") });
		const content = { objects: [], parts: await findParts(folder), wanted: [] };
		const told: string[] = [];
		await bringUp(storage, "b", await behind(storage, "b", content), (line) => void told.push(line));
		expect(put.map(({ key, body }) => [key, new TextDecoder().decode(body)])).toEqual([
			[`dist/${RUNNER}`, RUNNER],
			[`dist/${gateway}`, gateway],
		]);
		expect(told).toHaveLength(2);
	});
});

describe("the runner that mayfly.yml asks for", () => {
	const asked = (hash: string) => wantedRunners(fileWith(`runner: { version: 2.337.0, sha256: { x64: "${hash}" } }`));

	test("is none where it asks for none", () => {
		expect(wantedRunners(fileWith(""))).toEqual([]);
	});

	test("is refused when what lies in dist/ is another one", async () => {
		const parts = await findParts(folder);
		expect(wrongParts(parts, asked(sha256(RUNNER)))).toEqual([]);
		expect(wrongParts(parts, asked("0".repeat(64)))).toEqual([expect.stringContaining(`${RUNNER} has the sha256 ${sha256(RUNNER)}`)]);
	});

	test("is missed when it is neither here nor there", async () => {
		const wanted = asked(sha256(RUNNER));
		const missing = (objects: Record<string, string>, parts: Awaited<ReturnType<typeof findParts>>) =>
			missingRunners(bucketOf(objects).storage, "b", { objects: [], parts, wanted });
		expect(await missing({}, await findParts(folder))).toEqual([]);
		expect(await missing({ [`dist/${RUNNER}`]: "x" }, [])).toEqual([]);
		expect((await missing({}, [])).map(({ key }) => key)).toEqual([`dist/${RUNNER}`]);
	});
});
