// The bundle that Lambda gets.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPoller } from "../../build/poller.ts";

let folder = "";
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-bundle-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("two builds of the same sources are the same bytes, in one file", async () => {
	const files = [join(folder, "one.mjs"), join(folder, "two.mjs")];
	for (const file of files) await buildPoller(file);
	const [one, two] = await Promise.all(files.map((file) => readFile(file)));
	expect(one?.equals(two as Buffer)).toBe(true);
	expect(one?.includes(import.meta.dir.slice(0, import.meta.dir.indexOf("/test/")))).toBe(false);
});

test("it starts under Node 24 and names every setting that is missing", async () => {
	const file = join(folder, "poller.mjs");
	await buildPoller(file);
	const script = `const { handler } = await import(process.argv[1]); await handler({}, { getRemainingTimeInMillis: () => 60000 }).catch((error) => console.log(process.version, error.message));`;
	const node = join(import.meta.dir, "..", "..", "node_modules", ".bin", "node");
	const child = Bun.spawn([node, "--input-type=module", "-e", script, file], { env: {}, stdout: "pipe", stderr: "pipe" });
	const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
	expect(err).toBe("");
	expect(out).toMatch(/^v24\..* not configured: AWS_REGION is missing; RELAY_URL is missing/);
});
