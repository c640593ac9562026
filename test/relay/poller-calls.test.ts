// POST /lease, /settle and /observe through the front door: one job's way from webhook to the end of its machine.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { instanceId, machineOf } from "./ledger-rows.ts";
import { payloadOf, type RelayUnderTest, relayUnderTest, SECRETS } from "./relay-under-test.ts";

let relay: RelayUnderTest;
beforeAll(async () => {
	relay = await relayUnderTest({ POLLER_TOKEN_PREVIOUS: "poller-token-of-before-0123456789abcd" });
});
afterAll(() => relay.stop());

/** Brings one job to a lease and returns its item's ids. */
async function leased(id: number) {
	await relay.webhook(payloadOf(id, "queued"));
	const { work } = await relay.lease();
	const item = work.find(({ workId }) => workId.endsWith(`-${id}`));
	if (!item) throw new Error(`job ${id} was not handed out`);
	return { workId: item.workId, leaseId: item.leaseId };
}
const intentOf = (id: number) => ({ token: `token-${id}`, members: [id], request: { LaunchTemplateConfigs: [{ a: id }] } });

describe("lease and settle", () => {
	test("a job goes from queued to launched to done, every change with its reason", async () => {
		const lease = await leased(100);
		expect(await relay.settle({ ...lease, outcome: "launching", ...intentOf(100) })).toEqual({
			settled: { "launch-100": { state: "launching" } },
			stale: {},
		});
		expect(await relay.settle({ ...lease, outcome: "extend" })).toMatchObject({ settled: { "launch-100": { state: "launching" } } });
		expect(await relay.settle({ ...lease, outcome: "launched", ...machineOf(100) })).toMatchObject({
			settled: { "launch-100": { state: "launched" } },
		});
		await relay.webhook(payloadOf(100, "in_progress", { runner_name: machineOf(100).runnerName }));
		await relay.webhook(payloadOf(100, "completed", { runner_name: machineOf(100).runnerName, conclusion: "success" }));
		const job = await relay.job(100);
		expect(job).toMatchObject({ state: "done", conclusion: "success", machine: machineOf(100), nextCheckAt: null });
		expect(job.history.map(({ from, to }) => [from, to])).toEqual([
			[null, "queued"],
			["queued", "launching"],
			["launching", "launched"],
			["launched", "running"],
			["running", "done"],
		]);
		expect(job.history.every(({ reason }) => reason.length > 0)).toBeTrue();
	});

	test("a leased item is not handed out again while its lease holds", async () => {
		await leased(101);
		expect((await relay.lease()).work.map(({ workId }) => workId)).not.toContain("launch-101");
	});

	test("the same request id is given the same answer again", async () => {
		await relay.webhook(payloadOf(102, "queued"));
		const first = await relay.lease({ requestId: "twice" });
		expect(first.work.map(({ workId }) => workId)).toContain("launch-102");
		expect(await relay.lease({ requestId: "twice" })).toEqual(first);
	});

	test("a waiting lease wakes when a job arrives, and a burst comes as one batch", async () => {
		const waiting = relay.lease({ waitSeconds: 25 });
		await Bun.sleep(50);
		await Promise.all([110, 111, 112, 113].map((id) => relay.webhook(payloadOf(id, "queued"))));
		expect((await waiting).work.map(({ workId }) => workId).toSorted()).toEqual(["launch-110", "launch-111", "launch-112", "launch-113"]);
	});

	test("a lease of at most n items hands out n, and the rest at the next one", async () => {
		for (const id of [120, 121, 122]) await relay.webhook(payloadOf(id, "queued"));
		expect((await relay.lease({ max: 2 })).work).toHaveLength(2);
		expect((await relay.lease({ max: 2 })).work).toHaveLength(1);
	});

	test("a settle under another lease is stale and changes nothing", async () => {
		const { workId } = await leased(130);
		const before = await relay.job(130);
		const answer = await relay.settle({ workId, leaseId: "of-someone-else", outcome: "refused", reason: "no" });
		expect(answer).toEqual({ settled: {}, stale: { "launch-130": { reason: "another lease" } } });
		expect(await relay.job(130)).toEqual(before);
	});

	test("a stale settle that names a machine gives it to the job if that has none", async () => {
		const { workId } = await leased(131);
		const answer = await relay.settle({ workId, leaseId: "of-someone-else", outcome: "launched", ...machineOf(131) });
		expect(answer.stale).toHaveProperty(workId);
		expect(await relay.job(131)).toMatchObject({ state: "launched", machine: { instanceId: instanceId(131) } });
	});

	test("a second machine for one job is handed out to be terminated", async () => {
		const lease = await leased(132);
		await relay.settle({ ...lease, outcome: "launched", ...machineOf(132) });
		await relay.settle({ ...lease, leaseId: "late", outcome: "launched", ...machineOf(1320) });
		const { work } = await relay.lease();
		const end = work.find(({ workId }) => workId === `terminate-${instanceId(1320)}`);
		expect(end).toMatchObject({ kind: "terminate", runnerName: machineOf(1320).runnerName, force: false });
		expect(await relay.settle({ workId: end?.workId ?? "", leaseId: end?.leaseId ?? "", outcome: "terminated" })).toMatchObject({
			settled: { [`terminate-${instanceId(1320)}`]: { state: null } },
		});
	});

	test("a job cancelled while it was launched has its machine terminated", async () => {
		const lease = await leased(133);
		await relay.settle({ ...lease, outcome: "launching", ...intentOf(133) });
		await relay.webhook(payloadOf(133, "completed", { conclusion: "cancelled" }));
		await relay.settle({ ...lease, outcome: "launched", ...machineOf(133) });
		expect((await relay.job(133)).state).toBe("done");
		expect((await relay.lease()).work.map(({ workId }) => workId)).toContain(`terminate-${instanceId(133)}`);
	});

	test("two jobs whose runners took each other's work swap machines", async () => {
		const [a, b] = [await leased(134), await leased(135)];
		await relay.settle({ ...a, outcome: "launched", ...machineOf(134) }, { ...b, outcome: "launched", ...machineOf(135) });
		await relay.webhook(payloadOf(135, "in_progress", { runner_name: machineOf(134).runnerName }));
		expect(await relay.job(135)).toMatchObject({ state: "running", machine: { instanceId: instanceId(134) } });
		expect(await relay.job(134)).toMatchObject({ state: "launched", machine: { instanceId: instanceId(135) } });
	});

	test("a job whose machine was stolen by one without a machine is leasable at once", async () => {
		const lease = await leased(136);
		await relay.settle({ ...lease, outcome: "launched", ...machineOf(136) });
		await relay.webhook(payloadOf(137, "in_progress", { runner_name: machineOf(136).runnerName }));
		const { work } = await relay.lease();
		expect(work.find(({ workId }) => workId === "launch-136")).toMatchObject({ kind: "launch", intent: null });
	});

	test("work of no known kind or job is stale", async () => {
		const answer = await relay.settle(
			...["launch-999999", "terminate-x", "__proto__", "dance-1"].map((workId) => ({ workId, leaseId: "x", outcome: "gone" })),
		);
		expect(Object.keys(answer.stale).toSorted()).toEqual(["dance-1", "launch-999999", "terminate-x"]);
	});

	test("with a token missing, wrong or of another role every poller call is answered 401", async () => {
		for (const path of ["/lease", "/settle", "/observe"]) {
			for (const token of ["", "wrong", SECRETS.OPERATOR_TOKEN, `${SECRETS.POLLER_TOKEN}x`])
				expect((await relay.call(path, relay.bearer(token, {}))).status).toBe(401);
			expect((await relay.call(path, { method: "POST", body: "{}" })).status).toBe(401);
		}
	});

	test("the previous poller token still holds", async () => {
		const token = "poller-token-of-before-0123456789abcd";
		const request = { session: "s", requestId: "with-previous", max: 1, waitSeconds: 0 };
		expect((await relay.call("/lease", relay.bearer(token, request))).status).toBe(200);
	});

	test("a poller call that is not JSON or not its schema is answered 400 with the field", async () => {
		for (const path of ["/lease", "/settle", "/observe"]) {
			expect((await relay.call(path, relay.bearer(SECRETS.POLLER_TOKEN, "not json"))).status).toBe(400);
			const said = await relay.call(path, relay.bearer(SECRETS.POLLER_TOKEN, { max: 0 }));
			expect(said.status).toBe(400);
			expect(((await said.json()) as { reason: string }).reason).toContain(": ");
		}
	});
});

describe("sessions", () => {
	test("a second session that names its end is superseded while the first one serves", async () => {
		const endsAt = Date.now() + 600_000;
		expect((await relay.lease({ session: "first", endsAt })).superseded).toBeUndefined();
		expect(await relay.lease({ session: "second", endsAt })).toMatchObject({ work: [], superseded: true });
		expect((await relay.lease({ session: "first", endsAt })).superseded).toBeUndefined();
		expect((await relay.lease({ session: "without an end" })).superseded).toBeUndefined();
	});
});

describe("observe", () => {
	const now = Date.now();
	const fact = (n: number, more: Record<string, unknown> = {}) => ({
		...{ instanceId: instanceId(n), state: "running", launchedAt: now, stateReason: null, privateIp: null, token: null },
		...more,
	});

	test("a machine that no job owns stays while it is young and is terminated later", async () => {
		const { machines } = await relay.observe({ machines: [fact(9001), fact(9002, { launchedAt: now - 3_600_000 })] });
		expect(machines.map(({ verdict }) => verdict)).toEqual(["keep", "terminate"]);
	});

	test("a queued job that GitHub shows and the relay never heard of is taken in", async () => {
		const { workflow_job, repository } = payloadOf(150, "queued");
		const job = {
			id: 150,
			runId: workflow_job.run_id,
			attempt: 1,
			repository: repository.full_name,
			owner: "octo-org",
			installationId: 7,
			labels: ["mayfly"],
			name: "x",
		};
		await relay.observe({ jobs: [{ job, status: "queued", conclusion: null, runnerName: null, createdAt: now }] });
		const reason = "a look at GitHub found it queued: no webhook told of it";
		expect(await relay.job(150)).toMatchObject({ state: "queued", reason, history: [{ to: "queued", reason }] });
		const handedOut = (await relay.lease()).work.find(({ workId }) => workId === "launch-150");
		expect(handedOut).toMatchObject({ source: "discovery" });
		// A webhook that comes late does not change how it was found.
		await relay.webhook(payloadOf(150, "queued"));
		await relay.settle({
			workId: handedOut?.workId,
			leaseId: handedOut?.leaseId,
			outcome: "later",
			notBefore: now,
			class: "capacity",
			reason: "none",
		});
		expect((await relay.lease()).work.find(({ workId }) => workId === "launch-150")).toMatchObject({ source: "discovery" });
	});

	test("a job that a webhook brought stays one of the webhook's when GitHub shows it as well", async () => {
		await relay.webhook(payloadOf(151, "queued"));
		const { workflow_job, repository } = payloadOf(151, "queued");
		const pointer = { id: 151, runId: workflow_job.run_id, attempt: 1, repository: repository.full_name, owner: "octo-org" };
		const job = { ...pointer, installationId: 7, labels: ["mayfly"], name: "x" };
		await relay.observe({ jobs: [{ job, status: "queued", conclusion: null, runnerName: null, createdAt: now }] });
		expect((await relay.lease()).work.find(({ workId }) => workId === "launch-151")).toMatchObject({ source: "webhook" });
	});

	test("the cost of a job is told once its machine is off, from the price that the poller settled", async () => {
		const lease = await leased(155);
		await relay.settle({ ...lease, outcome: "launched", ...machineOf(155), usdPerHour: 0.36 });
		const { runnerName } = machineOf(155);
		await relay.webhook(payloadOf(155, "in_progress", { runner_name: runnerName }));
		expect((await relay.job(155)).cost).toBeNull();
		await relay.webhook(payloadOf(155, "completed", { runner_name: runnerName, conclusion: "success" }));
		expect(await relay.job(155)).toMatchObject({ machine: { usdPerHour: 0.36 }, cost: { usd: 0.006, seconds: 60 } });
	});

	test("an interrupted machine whose job failed has its run rerun once, on demand", async () => {
		const lease = await leased(160);
		await relay.settle({ ...lease, outcome: "launched", ...machineOf(160) });
		await relay.webhook(payloadOf(160, "in_progress", { runner_name: machineOf(160).runnerName }));
		await relay.webhook(payloadOf(160, "completed", { runner_name: machineOf(160).runnerName, conclusion: "failure" }));
		await relay.observe({ machines: [fact(160, { state: "terminated", stateReason: "Server.SpotInstanceTermination" })] });
		const item = (await relay.lease()).work.find(({ kind }) => kind === "rerun");
		expect(item).toMatchObject({ workId: "rerun-4160", machines: [{ instanceId: instanceId(160), jobId: 160 }] });
		await relay.settle({ workId: item?.workId, leaseId: item?.leaseId, outcome: "reran" });
		await relay.webhook(payloadOf(161, "queued", { run_id: 4160, run_attempt: 2 }));
		const again = (await relay.lease()).work.find(({ workId }) => workId === "launch-161");
		expect(again).toMatchObject({ kind: "launch", onDemand: true });
	});
});
