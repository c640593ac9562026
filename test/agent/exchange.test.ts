// A runner that is too old for GitHub is exchanged at boot, for one whose checksum is that of the document.
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isOlder } from "../../agent/exchange.ts";
import { REPOSITORY } from "./documents.ts";
import { runMachine } from "./machine.ts";

const FAKES = join(import.meta.dir, "..", "fakes");
const NAME = "actions-runner-linux-x64-2.400.0.tar.gz";
const JOB = { GITHUB_REPOSITORY: REPOSITORY, GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main" };

/** As it is packed, with the job that the fake is to run. */
function archiveOf(runner: string): Uint8Array<ArrayBuffer> {
	const folder = mkdtempSync(join(tmpdir(), "mayfly-archive-"));
	cpSync(join(FAKES, `runner-${runner}`), folder, { recursive: true });
	writeFileSync(
		join(folder, "job.env"),
		Object.entries(JOB)
			.map(([name, value]) => `${name}='${value}'\n`)
			.join(""),
	);
	const tar = Bun.spawnSync(["tar", "-czf", "-", "-C", folder, "."]);
	rmSync(folder, { recursive: true });
	return new Uint8Array(tar.stdout);
}
const sha256Of = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const ARCHIVE = archiveOf("success");
const wanted = (sha256 = sha256Of(ARCHIVE)) => ({
	version: "2.400.0",
	sha256,
	url: `https://bucket.s3.eu-west-1.amazonaws.com/dist/${NAME}`,
});
/** The image's runner would find no job. */
const OLD = { runner: "deprecated", job: JOB, env: { MAYFLY_RUNNER_VERSION: "2.337.0" } };

describe("the runner", () => {
	test("of the image is exchanged where the document wants a newer one, and the job's author sees what that cost", async () => {
		let newRoot = "";
		const end = await runMachine(
			{ ...OLD, document: { runner: wanted() }, mailbox: { parts: { [NAME]: ARCHIVE } } },
			async ({ ended, read, root }) => {
				await ended();
				newRoot = read("runner-2.400.0/seen.setup_info") ?? "";
				expect(existsSync(`${root}-2.400.0.tar.gz`)).toBe(false);
			},
		);
		expect(end).toMatchObject({ code: 0, offs: 1, phases: ["claimed", "listening", "running", "finished", "off"] });
		expect(end.reports.at(-1)?.measurements.exchangeMs).toBeGreaterThan(0);
		expect(newRoot).toContain("runner exchanged");
	});

	test.each(["2.400.0", "2.400.1", "3.0.0"])("of the image stays if it is %s", async (baked) => {
		const scene = { runner: "success", job: JOB, document: { runner: wanted() }, env: { MAYFLY_RUNNER_VERSION: baked } };
		const end = await runMachine(scene);
		expect(end.phases).toContain("finished");
		expect(end.asked.filter((line) => line.includes("/dist/"))).toEqual([]);
	});

	test.each([
		["has another checksum", { [NAME]: archiveOf("failure") }, "checksum"],
		["is not there", {}, "status 403"],
	])("is not started when its archive %s: the machine says so and goes off", async (_, parts, words) => {
		const end = await runMachine({ ...OLD, document: { runner: wanted() }, mailbox: { parts } });
		expect(end).toMatchObject({ code: 0, offs: 1, phases: ["claimed", "off"], starts: null });
		expect(end.reports.at(-1)?.reason).toContain(words);
	});

	test("is not started when its archive is none, checksum or not", async () => {
		const bytes = new Uint8Array(Buffer.from("not an archive"));
		const end = await runMachine({ ...OLD, document: { runner: wanted(sha256Of(bytes)) }, mailbox: { parts: { [NAME]: bytes } } });
		expect(end.reports.at(-1)).toMatchObject({ phase: "off", reason: expect.stringContaining("cannot be unpacked") });
	});

	test("is older by its numbers, not by its text", () => {
		expect([isOlder("2.99.0", "2.337.0"), isOlder("2.337.0", "2.337.0"), isOlder("2.337.1", "2.337.0"), isOlder(null, "2.337.0")]).toEqual([
			...[true, false, false, true],
		]);
	});
});
