// What is run again after EC2 took machines: as tables, and through the real bundle.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { RerunItem } from "../../contract/lease.ts";
import type { Completion } from "../../local/github/protocol.ts";
import type { Job } from "../../local/workflow/model.ts";
import type { Instance, RunJob } from "../../poller/ports.ts";
import { choose, takenOf, whyNotNow } from "../../poller/rerun.ts";
import { ec2Client, launch } from "../fakes/aws-account.ts";
import { connectRunner, installationToken, registerRunner } from "../local/github-client.ts";
import { job, NOW, run } from "./facts.ts";
import { resolved, startWorld, type World } from "./poller-world.ts";

setDefaultTimeout(30_000);

const CONFIG = `
owners: [{ name: octo-org }]
images: { x64: { arch: x64 } }
presets: { small: { tier: build, cpu: 2, image: x64, labels: [[self-hosted, linux]] }, ship: { tier: deploy, cpu: 2, image: x64 } }
tiers: { build: { freeForm: true, allow: { forks: true } }, deploy: { kind: deploy, runnerGroupId: 2, allow: {} } }
`;
const config = resolved(CONFIG);
const id = (n: number) => `i-${n.toString(16).padStart(17, "0")}`;

describe("a run", () => {
	test.each([
		["still runs", { status: "in_progress" }, { outcome: "later", notBefore: NOW + 5_000 }],
		["has not moved for an hour", { status: "in_progress", updatedAt: NOW - 3_600_000 }, { outcome: "later", notBefore: NOW + 60_000 }],
		["was cancelled", { status: "completed", conclusion: "cancelled" }, { outcome: "refused" }],
		["succeeded", { status: "completed", conclusion: "success" }, { outcome: "refused" }],
		["runs again already", { status: "queued", attempt: 2 }, { outcome: "reran" }],
	])("that %s", (_, more, expected) => {
		expect(whyNotNow({ ...run, ...more }, 1, NOW)).toMatchObject(expected);
	});
	test("that failed may be rerun", () => {
		expect(whyNotNow({ ...run, status: "completed", conclusion: "failure" }, 1, NOW)).toBeNull();
	});
});

describe("a machine", () => {
	const TAKEN = "Server.SpotInstanceTermination";
	const listed = (state: Instance["state"], stateReason: string | null): Instance => ({
		...{ instanceId: id(1), state, stateReason, privateIp: "10.0.0.4", launchedAt: NOW, type: "m7a.large", zone: "eu-west-1a" },
		...{ market: "spot", tags: {} },
	});
	test.each<[string, Instance | null, boolean, string[] | null]>([
		["taken by EC2", listed("terminated", TAKEN), false, [id(1)]],
		["being taken by EC2", listed("shutting-down", TAKEN), false, [id(1)]],
		["shut down by EC2", listed("terminated", "Server.SpotInstanceShutdown"), false, [id(1)]],
		["ended by its job", listed("terminated", "Client.InstanceInitiatedShutdown"), false, []],
		["ended by its job, whatever the relay says", listed("terminated", "Client.InstanceInitiatedShutdown"), true, []],
		["that EC2 lists no longer and said to have taken", null, true, [id(1)]],
		["that EC2 lists no longer and said nothing of", null, false, []],
		["that runs on", listed("running", null), false, null],
		["that is ending, and nobody knows why yet", listed("shutting-down", null), false, null],
	])("%s", (_, instance, takenBack, expected) => {
		const taken = takenOf([{ instanceId: id(1), jobId: 7, takenBack }], instance ? [instance] : []);
		expect(taken && [...taken]).toEqual(expected);
	});
});

describe("of a run's jobs", () => {
	const [build, ship, other] = [["mayfly=1/runner=small"], ["mayfly=1/runner=ship"], ["ubuntu-latest"]];
	const ended = (n: number, more: Partial<RunJob> = {}): RunJob => ({
		...{ ...job, id: n, createdAt: NOW - 600_000, completedAt: NOW - 60_000, status: "completed", conclusion: "failure" },
		...{ runnerName: `mayfly-${id(n)}-1`, labels: build },
		...more,
	});
	const chosen = (taken: number[], ...jobs: RunJob[]) => {
		const choice = choose(jobs, new Set(taken.map(id)), config);
		return choice.again === "job" ? choice.jobId : choice.again === "none" ? choice.reason : choice.again;
	};
	const UNPROVEN = "EC2 does not say that it took the machine of a job that failed in this run";
	const UNWANTED = "the jobs whose machines EC2 took are not run again, by their tier or label";
	const BY_HAND = "the run would be run again with deploy jobs that failed, which only a person may do: 2 (build)";
	const early = { createdAt: NOW - 70_000 };

	test.each<[string, number[], RunJob[], string | number]>([
		["the interrupted one fails alone", [1], [ended(1), ended(2, { conclusion: "success" })], "failed"],
		[
			"machines swapped jobs",
			[2],
			[ended(1, { runnerName: `mayfly-${id(2)}-1` }), ended(2, { runnerName: `mayfly-${id(1)}-1` })],
			"failed",
		],
		["a machine of another attempt ran it", [2], [ended(1, { runnerName: `mayfly-${id(2)}-3` })], "failed"],
		["others fail by themselves", [1], [ended(1), ended(2), ended(3, { labels: other, runnerName: null })], "failed"],
		["another run's machine was taken", [3], [ended(1), ended(2)], UNPROVEN],
		["the one on the machine succeeded", [1], [ended(1, { conclusion: "success" }), ended(2)], UNPROVEN],
		["it ran on somebody's runner", [1], [ended(1, { runnerName: `their-${id(1)}-1` })], UNPROVEN],
		["it is a deploy job", [1], [ended(1, { labels: ship })], UNWANTED],
		["its tier is not known", [1], [ended(1, { labels: ["mayfly=1/runner=gone"] })], UNWANTED],
		["its label says so", [1], [ended(1, { labels: ["mayfly=1/runner=small/retry=false"] })], UNWANTED],
		["a deploy job waits for it", [1], [ended(1), ended(2, { labels: ship, conclusion: "skipped", runnerName: null })], "failed"],
		["a deploy job succeeded", [1], [ended(1), ended(2, { labels: ship, conclusion: "success" })], "failed"],
		["a deploy job failed beside it", [1], [ended(1), ended(2, { ...early, labels: ship })], 1],
		["another stack's failed beside it", [1], [ended(1), ended(2, { ...early, labels: ["mayfly=1/runner=x/env=staging"] })], 1],
		["a deploy job failed that may depend on it", [1], [ended(1), ended(2, { createdAt: NOW - 60_000, labels: ship })], BY_HAND],
		["its end is not known", [1], [ended(1, { completedAt: null }), ended(2, { ...early, labels: ship })], BY_HAND],
		["two are interrupted beside a deploy job", [1, 3], [ended(1), ended(2, { ...early, labels: ship }), ended(3)], BY_HAND],
	])("when %s", (_, taken, jobs, expected) => {
		expect(chosen(taken, ...jobs)).toBe(expected);
	});
});

describe("the poller", () => {
	let world: World;
	afterEach(async () => {
		expect(world.problems).toEqual([]);
		expect(world.relay.problems).toEqual([]);
		await world.stop();
	});

	/** Runs the next job with these labels on the runner that a machine would have. */
	async function runsOn(instanceId: string, labels: string[], result: Completion["result"]): Promise<number> {
		const token = await installationToken(world.github);
		const { body } = await registerRunner(world.github, token, `mayfly-${instanceId}-1`, labels);
		const runner = await connectRunner(body.encoded_jit_config);
		const { jobId } = await runner.take();
		await runner.complete(jobId, { result });
		return jobId;
	}

	async function rerunOf(runId: number, ...machines: RerunItem["machines"]) {
		world.relay.push({
			...{ kind: "rerun", workId: `rerun-${runId}`, leaseId: "l", runId, attempt: 1, repository: "octo-org/octo-repo" },
			...{ owner: "octo-org", installationId: world.github.world.accounts[0]?.installationId ?? null, machines },
		});
		return (await world.relay.ends(`rerun-${runId}`))[0];
	}
	const runOf = (...specs: Partial<Job>[]) => world.queue(...specs)[0]?.job.runId ?? 0;
	const attemptOf = (runId: number) => world.github.runs().find((it) => it.id === runId)?.attempt;
	const [BUILD, SHIP] = [["self-hosted", "linux"], ["mayfly=1/runner=ship"]];

	test("runs a job again whose machine was made for another job of its run", async () => {
		world = await startWorld({ config: CONFIG });
		const runId = runOf({});
		const tags = { "mayfly:stack": "test", "mayfly:tier": "build", "mayfly:job": "1" };
		const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
		const TargetCapacitySpecification = { TotalTargetCapacity: 1, DefaultTargetCapacityType: "spot" } as const;
		const over = { TargetCapacitySpecification, TagSpecifications: [{ ResourceType: "instance" as const, Tags }] };
		const [instanceId = ""] = await launch(ec2Client(world.ec2.url), over);
		const jobId = await runsOn(instanceId, BUILD, "Failed");
		world.ec2.interrupt(instanceId, { noticeMs: 0 });
		await Bun.sleep(1200);
		expect((await rerunOf(runId, { instanceId, jobId, takenBack: false }))?.outcome).toBe("reran");
		expect(attemptOf(runId)).toBe(2);
	});

	test("runs a job again by what EC2 said once EC2 has forgotten the machine, and not without that", async () => {
		world = await startWorld({ config: CONFIG });
		const [said, unsaid] = [runOf({}), runOf({})];
		const machines: RerunItem["machines"] = [];
		for (const instanceId of [id(1), id(2)])
			machines.push({ instanceId, jobId: await runsOn(instanceId, BUILD, "Failed"), takenBack: instanceId === id(1) });
		expect((await rerunOf(said, ...machines))?.outcome).toBe("reran");
		const end = await rerunOf(unsaid, ...machines);
		expect(end).toMatchObject({ outcome: "refused", reason: expect.stringContaining("EC2 does not say") });
		expect([attemptOf(said), attemptOf(unsaid)]).toEqual([2, 1]);
	});

	test("does not believe one answer that the run is gone: the relay hands it out again", async () => {
		world = await startWorld({ config: CONFIG });
		const runId = runOf({});
		const jobId = await runsOn(id(1), BUILD, "Failed");
		world.github.faults.request({ method: "GET", path: new RegExp(`/actions/runs/${runId}$`), status: 404 });
		const end = await rerunOf(runId, { instanceId: id(1), jobId, takenBack: true });
		expect(end).toMatchObject({ outcome: "failed", reason: "GitHub does not find the run" });
	});

	test("leaves a deploy job that failed as it is", async () => {
		world = await startWorld({ config: CONFIG });
		const runId = runOf({ runsOn: SHIP }, {});
		const deployed = await runsOn(id(1), SHIP, "Failed");
		// GitHub tells times by the second.
		await Bun.sleep(1100);
		const jobId = await runsOn(id(2), BUILD, "Failed");
		expect((await rerunOf(runId, { instanceId: id(2), jobId, takenBack: true }))?.outcome).toBe("reran");
		expect(world.asked).toContain("POST /repos/octo-org/octo-repo/actions/jobs/#/rerun");
		const again = world.github.jobs().filter(({ runId: of, status }) => of === runId && status === "queued");
		expect(again.map(({ labels }) => labels)).toEqual([BUILD]);
		expect(world.github.job(deployed)?.conclusion).toBe("failure");
	});
});
