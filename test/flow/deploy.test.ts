// Deploy jobs through the whole system: what a deploy machine lets in, what it keeps out, and what a job cannot do about it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunJob } from "../../local/github/run.ts";
import { type System, startSystem } from "../../local/system.ts";
import { readWorkflow } from "../../local/workflow/read.ts";

const LONG = 120_000;
const CONFIG = `
owners: [{ name: octo-org }]
images: { ubuntu: { arch: x64 } }
presets: { ship: { tier: deploy, cpu: 2, image: ubuntu } }
tiers:
  build: { freeForm: true, allow: {} }
  deploy:
    kind: deploy
    runnerGroupId: 2
    allow: { refs: [refs/heads/main], environments: [production], workflows: [.github/workflows/deploy.yml] }
limits: { linger: 500ms }
`;
const FILES = "octo-org/octo-repo/.github/workflows";
/** GitHub's own line lets the other workflow through, so that the machine's is seen to hold. */
const GROUP = {
	...{ name: "deploy", visibility: "selected" as const, repositories: ["octo-repo"] },
	selectedWorkflows: [`${FILES}/deploy.yml@refs/heads/main`, `${FILES}/ci.yml@refs/heads/main`],
};

let folder: string;
let system: System;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mf-"));
	const configFile = join(folder, "mayfly.yml");
	await writeFile(configFile, CONFIG);
	const accounts = [{ login: "octo-org", repositories: [{ name: "octo-repo" }], runnerGroups: [GROUP] }];
	system = await startSystem({ folder: join(folder, "system"), machines: 8, configFile, github: { accounts } });
}, LONG);
afterAll(async () => {
	await system.stop();
	await rm(folder, { recursive: true, force: true });
});

interface Asked {
	file?: string;
	/** More lines of the job, each indented by four. */
	lines?: string[];
	event?: string;
	ref?: string;
}

function createRun({ file = "deploy.yml", lines = [], event = "push", ref = "refs/heads/main" }: Asked) {
	const text = workflowWith("mayfly=${{ github.run_id }}/runner=ship", lines);
	const read = readWorkflow(file, text);
	if (!read.ok) throw new Error(JSON.stringify(read.problems));
	return system.github.createRun({ workflow: read.workflow, repository: system.repository, event, ref });
}

async function ended(asked: Asked): Promise<RunJob> {
	const run = createRun(asked);
	await system.github.waitForRun(run.id);
	const job = system.github.jobs().find(({ runId }) => runId === run.id);
	if (!job) throw new Error("the run has no job");
	return job;
}

const TOKEN = "permissions: { id-token: write }";

describe("a deploy job", () => {
	test(
		"that proves what it is runs",
		async () => {
			const job = await ended({ lines: [TOKEN] });
			expect(job.conclusion).toBe("success");
			expect(job.log.join("\n")).toContain("the first step");
		},
		LONG,
	);

	test(
		"without the permission for a token fails before its first step, and its author reads what to do",
		async () => {
			const job = await ended({});
			const log = job.log.join("\n");
			expect(job.conclusion).toBe("failure");
			expect(log).toContain('by the rule "oidc"');
			expect(log).toContain("id-token: write");
			expect(log).not.toContain("the first step\n");
			expect(job.steps.filter(({ conclusion }) => conclusion === "success").map(({ name }) => name)).not.toContain(
				"Run echo the first step",
			);
		},
		LONG,
	);

	test(
		"cannot put the hook or the token's issuer aside with variables of its own",
		async () => {
			const env = `env: { ACTIONS_RUNNER_HOOK_JOB_STARTED: "", ACTIONS_ID_TOKEN_REQUEST_URL: "http://127.0.0.1:9/?", GITHUB_REF: refs/heads/main, PATH: /tmp, BASH_ENV: /etc/passwd }`;
			const job = await ended({ lines: [env] });
			expect(job.conclusion).toBe("failure");
			expect(job.log.join("\n")).toContain('by the rule "oidc"');
		},
		LONG,
	);

	test.each<[string, Asked]>([
		["of a workflow that is not listed", { file: "ci.yml", lines: [TOKEN] }],
		["dispatched on another ref", { event: "workflow_dispatch", ref: "refs/heads/feature", lines: [TOKEN] }],
		["of a pull request", { event: "pull_request", ref: "refs/pull/1/merge", lines: [TOKEN] }],
	])(
		"%s gets no machine, and the ledger says why",
		async (_, asked) => {
			const before = system.ec2.instances().length;
			const run = createRun(asked);
			const ofRun = async () => [...(await system.ledger()).values()].find(({ runId }) => runId === run.id);
			while ((await ofRun())?.state !== "refused") await Bun.sleep(100);
			expect((await ofRun())?.reason).toMatch(/workflow|ref|event|pull_request/);
			expect(system.ec2.instances()).toHaveLength(before);
			system.github.cancelRun(run.id);
		},
		LONG,
	);

	test(
		"that takes the machine of another one with the same labels is kept out by the machine itself, and the other one gets its own",
		async () => {
			// Labels with the run's id would keep them apart: these do not.
			const same = (file: string, lines: string[]) => {
				const read = readWorkflow(file, workflowWith("mayfly=same/runner=ship", lines));
				if (!read.ok) throw new Error(JSON.stringify(read.problems));
				return system.github.createRun({ workflow: read.workflow, repository: system.repository });
			};
			const thief = same("ci.yml", [TOKEN]);
			const honest = same("deploy.yml", [TOKEN]);
			await Promise.all([thief, honest].map(({ id }) => system.github.waitForRun(id)));
			const jobOf = (id: number) => system.github.jobs().find(({ runId }) => runId === id);
			expect(jobOf(honest.id)?.conclusion).toBe("success");
			expect(jobOf(thief.id)?.conclusion).toBe("failure");
			expect(jobOf(thief.id)?.log.join("\n")).toContain('by the rule "workflows"');
		},
		LONG,
	);
});

function workflowWith(label: string, lines: string[]): string {
	return `on: push\njobs:\n  ship:\n    runs-on: ${label}\n    environment: production\n${lines.map((line) => `    ${line}\n`).join("")}    steps: [{ run: "echo the first step" }]\n`;
}
