// Deploy tiers, protected environments and what a refused job's author sees: as tables, and through the real bundle.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { LaunchItem } from "../../contract/lease.ts";
import type { RunOptions } from "../../local/github/runs.ts";
import type { RunnerGroupOptions } from "../../local/github/world.ts";
import { admitJob, UNHEARD } from "../../poller/admit.ts";
import { whyNotApproved, whyOpen } from "../../poller/guard.ts";
import type { Run, RunnerGroup } from "../../poller/ports.ts";
import { job, run } from "./facts.ts";
import { resolved, startWorld, type World } from "./poller-world.ts";

setDefaultTimeout(30_000);

const CONFIG = `
owners: [{ name: octo-org }]
onRefused: cancel-run
protectedEnvironments: [production, prod-*]
images: { i: { arch: x64 } }
presets: { small: { tier: build, cpu: 2, image: i }, ship: { tier: deploy, cpu: 2, image: i }, bare: { tier: groupless, cpu: 2, image: i } }
tiers:
  build: { freeForm: true, allow: { forks: true } }
  deploy:
    kind: deploy
    runnerGroupId: 2
    requireApproval: true
    allow: { refs: [refs/heads/main, refs/tags/v*], workflows: [.github/workflows/*.yml], actors: [octocat, mona], environments: [production] }
  groupless: { kind: deploy, allow: {} }
`;
const config = resolved(CONFIG);

describe("admission to a deploy tier", () => {
	const asks = (more: Partial<Run> = {}, environment: string | null = "production", label = "mayfly=1/runner=ship") => {
		const result = admitJob({ ...run, ...more }, { ...job, labels: [label] }, environment, config);
		return result.admitted ? "admitted" : result.reason;
	};
	test.each<[string, Partial<Run>, string]>([
		["a push to the branch", {}, "admitted"],
		["a tag that the rule lists", { headBranch: "v1.2.3" }, "admitted"],
		["a release of such a tag", { event: "release", headBranch: "v2" }, "admitted"],
		["a dispatch on the branch", { event: "workflow_dispatch" }, "admitted"],
		["a branch that is not listed", { headBranch: "feature/x" }, "is not among the tier's refs"],
		["a schedule, which the events that are taken by default leave out", { event: "schedule" }, "is not among the tier's events"],
		["a workflow that is not listed", { path: "other/deploy.yml" }, "is not among the tier's workflows"],
		["an actor that is not listed", { actor: "eve", triggeringActor: "eve" }, "is not among the tier's actors"],
		["a rerun by somebody who is not listed", { triggeringActor: "eve" }, "is not among the tier's actors"],
		["an unknown actor", { actor: null }, "actor is unknown"],
		["an unknown ref", { headBranch: null }, "ref is unknown"],
		["a fork", { headRepository: "eve/octo-repo" }, "not known to come from the repository itself"],
		["a head repository that is gone", { headRepository: null }, "not known to come from the repository itself"],
	])("%s: %p", (_, more, expected) => {
		expect(asks(more)).toContain(expected);
	});

	test.each(["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "workflow_run", "issue_comment"])(
		"%s never gets a deploy machine, whatever the rule says",
		(event) => {
			const open = structuredClone(config);
			Object.assign(open.tiers.deploy ?? {}, { allow: { forks: true, events: [event, "**"] } });
			for (const pullRequest of [null, 3]) {
				const result = admitJob({ ...run, event, pullRequest }, { ...job, labels: ["mayfly=1/runner=ship"] }, "production", open);
				expect(result).toMatchObject({ admitted: false, ours: true, reason: expect.stringContaining(`never serves ${event}`) });
			}
		},
	);

	test("a job of an environment that is not listed or not known is refused", () => {
		expect(asks({}, "staging")).toContain("is not among the tier's environments");
		expect(asks({}, null)).toContain("environments and the job's is unknown");
	});

	test("a build tier refuses jobs of protected environments and serves the others", () => {
		expect(asks({}, "Production", "mayfly=1/runner=small")).toContain("only a deploy tier serves it");
		expect(asks({}, "prod-eu", "mayfly=1/runner=small")).toContain("only a deploy tier serves it");
		for (const environment of [null, "staging"]) expect(asks({}, environment, "mayfly=1/runner=small")).toBe("admitted");
	});

	test("a job whose webhook was lost may be for a protected environment, so where there are such it is refused", () => {
		const found = (by: typeof config) => admitJob(run, { ...job, labels: ["mayfly=1/runner=small"] }, UNHEARD, by);
		expect(found(config)).toMatchObject({ admitted: false, reason: expect.stringContaining("its webhook was lost") });
		expect(found({ ...config, protectedEnvironments: [] })).toMatchObject({ admitted: true });
	});
});

describe("guards", () => {
	const closed: RunnerGroup = { name: "deploy", visibility: "selected", allowsPublicRepositories: false, restrictedToWorkflows: true };
	test("a runner group counts as closed only when it is in every way", () => {
		expect(whyOpen(2, closed)).toBeNull();
		expect(whyOpen(2, null)).toContain("knows no runner group 2");
		expect(whyOpen(2, { ...closed, visibility: "all" })).toContain("more than selected repositories");
		expect(whyOpen(2, { ...closed, visibility: "private" })).toContain("more than selected repositories");
		expect(whyOpen(2, { ...closed, allowsPublicRepositories: true })).toContain("public repositories");
		expect(whyOpen(2, { ...closed, restrictedToWorkflows: false })).toContain("not restricted to selected workflows");
	});
	test("an approval counts for the environment that it names", () => {
		const approved = { state: "approved", environments: ["production"] };
		expect(whyNotApproved([approved], "Production")).toBeNull();
		expect(whyNotApproved([], "production")).toBe("nobody has approved the run");
		expect(whyNotApproved([{ ...approved, state: "rejected" }], "production")).toBe("nobody has approved the run");
		expect(whyNotApproved([approved], "staging")).toBe("nobody has approved staging");
		expect(whyNotApproved([approved], null)).toContain("unknown");
	});
});

describe("through the bundle", () => {
	let world: World;
	afterEach(async () => {
		expect(world.problems).toEqual([]);
		expect(world.relay.problems).toEqual([]);
		await world.stop();
	});
	const WORKFLOW = "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main";
	const GROUP: RunnerGroupOptions = { name: "deploy", visibility: "selected", repositories: ["octo-repo"], selectedWorkflows: [WORKFLOW] };
	const start = (group: RunnerGroupOptions = GROUP) => startWorld({ config: CONFIG, runnerGroups: [group] });
	const SHIP = { runsOn: ["mayfly=1/runner=ship"], environment: "production" };

	async function ask(how: Partial<RunOptions>, environment: string | null, approve: boolean, label = SHIP.runsOn) {
		const before = world.github.jobs().length;
		const items = world.queueRun(how, { runsOn: label, environment });
		const [item] = items;
		if (!item) throw new Error("no job");
		if (approve) world.github.approve(item.job.runId);
		expect(world.github.jobs()).toHaveLength(before + 1);
		const leased = { ...item, environment };
		world.relay.push(leased);
		const [end] = await world.relay.ends(leased.workId);
		return { end, runId: item.job.runId };
	}

	test("an approved job gets its machine in the tier's group, with what its token must say and the keys that sign it", async () => {
		world = await start();
		const { end } = await ask({ actor: "octocat" }, "production", true);
		if (end?.outcome !== "launched") throw new Error(JSON.stringify(end));
		const { grant } = await world.document(end.instanceId);
		expect(grant).toMatchObject({ tier: "deploy", oidc: { issuer: world.github.url, audience: `mayfly:test:${end.instanceId}` } });
		expect(grant.repositoryId).toBe(world.github.world.accounts[0]?.repositories[0]?.id ?? 0);
		expect(grant.oidc?.keys[0]).toMatchObject({ kty: "RSA", n: expect.any(String) });
		expect(world.github.runners()[0]).toMatchObject({ group: { id: 2, name: "deploy" } });
	});

	test.each<[string, RunnerGroupOptions, string]>([
		["open to all repositories", { ...GROUP, visibility: "all" }, "more than selected repositories"],
		["open to public repositories", { ...GROUP, allowsPublicRepositories: true }, "public repositories"],
		["for any workflow", { name: "deploy", visibility: "selected", repositories: ["octo-repo"] }, "not restricted"],
	])("a group that is %s launches nothing", async (_, group, reason) => {
		world = await start(group);
		const { end } = await ask({ actor: "octocat" }, "production", true);
		expect(end).toMatchObject({ outcome: "refused", reason: expect.stringContaining(reason) });
		expect(world.ec2.instances()).toHaveLength(0);
	});

	test("a tier without a group, and a job that nobody approved, launch nothing", async () => {
		world = await start();
		expect((await ask({ actor: "octocat" }, "production", true, ["mayfly=1/runner=bare"])).end).toMatchObject({
			reason: expect.stringContaining("names no runnerGroupId"),
		});
		// As if the environment's protection at GitHub had been lifted since: the job is queued without an approval.
		const [item] = world.queueRun({ actor: "octocat" }, { runsOn: SHIP.runsOn });
		world.relay.push({ ...(item as LaunchItem), environment: "production" });
		const [end] = await world.relay.ends(item?.workId ?? "");
		expect(end).toMatchObject({ outcome: "refused", reason: expect.stringContaining("nobody has approved the run") });
		expect(world.ec2.instances()).toHaveLength(0);
	});

	test("a fork's pull request that asks for a deploy machine is refused, and its run is cancelled for its author to see", async () => {
		world = await start();
		const { end, runId } = await ask({ event: "pull_request", fork: true, actor: "eve" }, null, false);
		expect(end).toMatchObject({ outcome: "refused", reason: expect.stringContaining("Its run was cancelled.") });
		expect(world.github.runs().find(({ id }) => id === runId)?.conclusion).toBe("cancelled");
		expect(world.ec2.instances()).toHaveLength(0);
	});

	test("a job that is not meant for this stack is refused and left alone", async () => {
		world = await start();
		const { end, runId } = await ask({}, null, false, ["ubuntu-latest"]);
		expect(end).toMatchObject({ outcome: "refused", ours: false, reason: "No preset lists the labels ubuntu-latest." });
		expect(world.github.runs().find(({ id }) => id === runId)?.conclusion).toBeNull();
	});

	test("while the runner group cannot be read the job waits", async () => {
		world = await start();
		world.github.faults.request({ path: /runner-groups/, status: 503, times: 9 });
		expect((await ask({ actor: "octocat" }, "production", true)).end).toMatchObject({ outcome: "later", class: "throttled" });
		expect(world.ec2.instances()).toHaveLength(0);
	});

	test("a disk, a tag and the operator's keys reach EC2 and the machine", async () => {
		const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJhc2U2NHRleHRvZmFrZXlmb3J0ZXN0cw== mona@octo";
		world = await startWorld({ config: CONFIG.replace("freeForm: true,", `freeForm: true, sshKeys: ["${key}"],`) });
		const { end } = await ask({}, null, false, ["mayfly=1/volume=80gb:gp3:250mibps:4000iops/tag=team-a/retry=false/debug=true"]);
		if (end?.outcome !== "launched") throw new Error(JSON.stringify(end));
		const instance = world.ec2.instances().find(({ instanceId }) => instanceId === end.instanceId);
		expect(instance?.tags).toMatchObject({ "mayfly:tag": "team-a", "mayfly:retry": "false" });
		const request = world.ec2.calls().find(({ action }) => action === "CreateFleet");
		expect(JSON.stringify(request?.parameters)).toContain("VolumeSize");
		const document = await world.document(end.instanceId);
		expect(document).toMatchObject({ sshKeys: [key], limits: { hold: 900_000 } });
	});

	test("the oldest runner that may be used reaches the machine, with where its archive lies and its checksum", async () => {
		const sha256 = "ab".repeat(32);
		world = await startWorld({ config: `runner: { version: 2.400.0, sha256: { x64: ${sha256} } }\n${CONFIG}` });
		const { end } = await ask({}, null, false, ["mayfly=1/runner=small"]);
		if (end?.outcome !== "launched") throw new Error(JSON.stringify(end));
		const { runner, recordUrl } = await world.document(end.instanceId);
		expect(runner).toEqual({
			version: "2.400.0",
			sha256,
			url: `${new URL(recordUrl).origin}/dist/actions-runner-linux-x64-2.400.0.tar.gz`,
		});
	});
});
