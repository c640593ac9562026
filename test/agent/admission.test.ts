// The job-started hook: what is let in, what is not, and what the job's author reads.
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Grant } from "../../contract/rule.ts";
import { REPOSITORY } from "./documents.ts";
import { runMachine } from "./machine.ts";

const GRANT: Grant = {
	...{ tier: "build", jobId: 42, runId: 7, repository: REPOSITORY, repositoryId: null, oidc: null, notAfter: Date.now() + 600_000 },
	rule: { refs: ["refs/heads/main"], forks: false },
};
const MAIN = {
	...{ GITHUB_REPOSITORY: REPOSITORY, GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main", GITHUB_ACTOR: "monalisa" },
	GITHUB_EVENT_PATH: `${import.meta.dir}/push.json`,
};

const run = (job: Record<string, string>, grant: Partial<Grant> = {}, runner = "success") =>
	runMachine({ runner, job, document: { grant: { ...GRANT, ...grant } } });

async function expectRefused(job: Record<string, string>, rule: string, grant: Partial<Grant> = {}): Promise<string> {
	const end = await run(job, grant);
	expect(end).toMatchObject({ code: 0, offs: 1, firstStep: false });
	expect(end.phases.filter((phase) => phase === "denied")).toHaveLength(1);
	expect(end.hookLog).toContain(`by the rule "${rule}"`);
	expect(end.hookLog).toContain("What to do:");
	return end.hookLog ?? "";
}

describe("the job-started hook", () => {
	test("admits a job within the rule", async () => {
		const end = await run(MAIN);
		expect(end).toMatchObject({ firstStep: true, offs: 1 });
		expect(end.phases).not.toContain("denied");
	});

	test("refuses another ref", async () => {
		await expectRefused({ ...MAIN, GITHUB_REF: "refs/heads/x" }, "refs");
	});

	test("refuses another repository's job, whatever the rule", async () => {
		await expectRefused({ ...MAIN, GITHUB_REPOSITORY: "octo-org/other" }, "repository", { rule: { forks: true } });
	});

	test("refuses a job that names no repository", async () => {
		await expectRefused({ ...MAIN, GITHUB_REPOSITORY: "" }, "repository");
	});

	test("refuses a fork's pull request", async () => {
		await expectRefused({ ...MAIN, GITHUB_EVENT_PATH: `${import.meta.dir}/fork.json` }, "forks");
	});

	test("refuses a job whose event cannot be read", async () => {
		await expectRefused({ ...MAIN, GITHUB_EVENT_PATH: "/nowhere" }, "forks");
	});

	test("refuses a deploy tier's job if the machine was given no keys to check its token with", async () => {
		await expectRefused(MAIN, "keys", { tier: "deploy" });
	});

	test("goes by the workflow's path, as the poller does", async () => {
		const grant = { rule: { workflows: [".github/workflows/build.yml"], forks: true } };
		const ref = (name: string) => `${REPOSITORY}/.github/workflows/${name}@refs/heads/main`;
		expect(await run({ ...MAIN, GITHUB_WORKFLOW_REF: ref("build.yml") }, grant)).toMatchObject({ firstStep: true });
		for (const name of ["other.yml", "build.yml@evil.yml", "build.yml@refs"])
			await expectRefused({ ...MAIN, GITHUB_WORKFLOW_REF: ref(name) }, "workflows", grant);
	});

	test("refuses a rerun by somebody whom the rule does not name", async () => {
		const grant = { rule: { actors: ["monalisa"], forks: true } };
		await expectRefused({ ...MAIN, GITHUB_TRIGGERING_ACTOR: "mallory" }, "actors", grant);
	});

	test("refuses an environment rule: the runner does not know the environment", async () => {
		await expectRefused(MAIN, "environments", { rule: { environments: ["*"], forks: true } });
	});

	test("refuses after the machine's time", async () => {
		await expectRefused(MAIN, "time", { notAfter: Date.now() - 1000 });
	});

	test("does not let a ref write commands into the log", async () => {
		const log = await expectRefused({ ...MAIN, GITHUB_REF: "refs/heads/x\n::add-path::/evil" }, "refs");
		expect(log.split("\n").filter((line) => line.startsWith("::"))).toHaveLength(1);
	});

	test("reads the event wherever it lies, and takes one that is too long for unknown", async () => {
		const folder = mkdtempSync(join(tmpdir(), "mf-"));
		const [odd, long] = [join(folder, "it's;type=a,b\"c.json"), join(folder, "long.json")];
		writeFileSync(odd, JSON.stringify({ pull_request: null }));
		writeFileSync(long, JSON.stringify({ pad: "x".repeat(33 * 1024 * 1024) }));
		expect(await run({ ...MAIN, GITHUB_EVENT_PATH: odd })).toMatchObject({ firstStep: true });
		await expectRefused({ ...MAIN, GITHUB_EVENT_PATH: long }, "forks");
		rmSync(folder, { recursive: true });
	});

	test("takes values as they are, also such that curl would read as files", async () => {
		const log = await expectRefused({ ...MAIN, GITHUB_REF: "@/etc/hostname" }, "refs");
		expect(log).toContain("@/etc/hostname");
	});

	test("waits until the boot document is deleted", async () => {
		const end = await runMachine({ runner: "success", job: MAIN, mailbox: { removeAfter: 2 } });
		expect(end.asked.filter((line) => line.startsWith("DELETE"))).toHaveLength(3);
		expect(end.firstStep).toBe(true);
	});

	test("refuses when the boot document cannot be deleted in time", async () => {
		const end = await runMachine({ runner: "success", job: MAIN, mailbox: { removeAfter: 1000 }, clocks: { hook: 300 } });
		expect(end).toMatchObject({ firstStep: false, offs: 1 });
		expect(end.phases).toContain("denied");
	});

	test("asked by somebody before the runner's own hook, has no answer left for that: the job does not run", async () => {
		const end = await run(MAIN, {}, "racing");
		expect(end).toMatchObject({ firstStep: false, offs: 1 });
		expect(end.hookLog).toContain("did not answer");
	}, 40_000);

	test("answers one request and is gone", async () => {
		const end = await run(MAIN, {}, "curious");
		expect(end.second?.trim()).toBe("7");
		expect(end.phases).toContain("finished");
	});
});
