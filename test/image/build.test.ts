// Builds that must not succeed: whatever is wrong, the part is named, the status tells it, and nothing of an image is left.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CACHE } from "../../ami/build/image.ts";
import { VERSIONS_FILE } from "../../ami/versions.ts";

const MAIN = join(import.meta.dir, "..", "..", "ami", "main.ts");
const MINUTES = 180_000;
let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-image-build-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const start = (out: string, args: string[], env: Record<string, string | undefined> = process.env) =>
	Bun.spawn([process.execPath, MAIN, "build", "--out", out, ...args], { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
const workshops = () => (existsSync(CACHE) ? readdirSync(CACHE).filter((name) => name.startsWith("work-")) : []);

/** What a build that fails said; there is no image afterwards and no half of one. */
async function failing(args: string[], env?: Record<string, string | undefined>) {
	const out = join(folder, `${crypto.randomUUID()}.raw`);
	const before = workshops();
	const child = start(out, [...args, "--json"], env);
	const [stdout, stderr, status] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	expect(readdirSync(folder).filter((name) => name.startsWith(out.split("/").at(-1) as string) && !name.endsWith(".log"))).toEqual([]);
	expect(workshops().filter((name) => !before.includes(name))).toEqual([]);
	expect(status).toBe(1);
	return { stderr, ...(JSON.parse(stdout) as { ok: boolean; part: string; reason: string }) };
}

/** Pins that no kept base has, so that packages would have to be fetched. */
async function otherVersions(change: (versions: ReturnType<typeof JSON.parse>) => void = () => {}): Promise<string> {
	const versions = JSON.parse(await readFile(VERSIONS_FILE, "utf8"));
	versions.bases.debian.packages = { git: "1:2.*" };
	change(versions);
	const file = join(folder, `${crypto.randomUUID()}.json`);
	await writeFile(file, JSON.stringify(versions));
	return file;
}

describe("a build stops", () => {
	test("at a commit without a time before anything else is looked at", async () => {
		const nothing = join(folder, "no-programs");
		await mkdir(nothing);
		expect(await failing([], { PATH: nothing })).toMatchObject({ part: "epoch", reason: expect.stringContaining("git is not installed") });
	});

	test(
		"at an agent that is not the one of SHA256SUMS",
		async () => {
			const dist = join(folder, "dist");
			await mkdir(dist);
			await writeFile(join(dist, "mayfly-agent-linux-x64"), "not it");
			await writeFile(join(dist, "SHA256SUMS"), `${"0".repeat(64)}  mayfly-agent-linux-x64\n`);
			expect(await failing(["--dist", dist])).toMatchObject({
				ok: false,
				part: "agent",
				reason: expect.stringContaining("SHA256SUMS says 000"),
			});
			await writeFile(join(dist, "SHA256SUMS"), `${"0".repeat(64)}  something-else\n`);
			expect(await failing(["--dist", dist])).toMatchObject({
				part: "agent",
				reason: expect.stringContaining("no sha256 for mayfly-agent-linux-x64"),
			});
			expect(await failing(["--dist", folder])).toMatchObject({ part: "agent", reason: expect.stringContaining("bun run build") });
		},
		MINUTES,
	);

	test(
		"at a runner that is not the pinned one, and at one without a pin",
		async () => {
			const tarball = join(folder, "runner.tar.gz");
			await writeFile(tarball, "not it");
			expect(await failing(["--runner", tarball])).toMatchObject({
				part: "runner",
				reason: expect.stringMatching(/has sha256 \w{64}, pinned is 7092081/),
			});
			const versions = await otherVersions((it) => delete it.runner.sha256.x64);
			expect(await failing(["--runner", "release", "--versions", versions])).toMatchObject({
				part: "runner",
				reason: expect.stringContaining("no sha256"),
			});
		},
		MINUTES,
	);

	test(
		"at a mirror that cannot be reached",
		async () => {
			const args = ["--versions", await otherVersions(), "--mirror", "http://127.0.0.1:9/debian"];
			expect(await failing(args)).toMatchObject({ part: "debootstrap", reason: expect.stringContaining("127.0.0.1:9") });
		},
		MINUTES,
	);

	test(
		"at keys that are missing, and at keys that the archive was not signed with",
		async () => {
			const missing = await otherVersions((it) => (it.bases.debian.keyring = join(folder, "none.gpg")));
			expect(await failing(["--versions", missing])).toMatchObject({ part: "debootstrap", reason: expect.stringContaining("none.gpg") });
			const empty = join(folder, "empty.gpg");
			await writeFile(empty, "");
			const other = await otherVersions((it) => (it.bases.debian.keyring = empty));
			expect(await failing(["--versions", other])).toMatchObject({ part: "debootstrap" });
		},
		MINUTES,
	);

	test(
		"at Ctrl-C, in the middle of it, with nothing left",
		async () => {
			const out = join(folder, "interrupted.raw");
			const before = workshops();
			const child = start(out, []);
			const told = new Response(child.stderr).text();
			while (workshops().filter((name) => !before.includes(name)).length === 0) await Bun.sleep(20);
			await Bun.sleep(3000);
			child.kill("SIGINT");
			expect(await child.exited).toBe(130);
			expect(await told).toContain("interrupted");
			expect(readdirSync(folder).filter((name) => name.startsWith("interrupted.raw") && !name.endsWith(".log"))).toEqual([]);
			expect(workshops().filter((name) => !before.includes(name))).toEqual([]);
		},
		MINUTES,
	);
});
