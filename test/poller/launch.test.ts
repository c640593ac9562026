// Launches through the real bundle: one lease to machines with documents.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { LaunchItem } from "../../contract/lease.ts";
import { parseReportToken } from "../../contract/report.ts";
import { SUBNETS } from "../fakes/aws-account.ts";
import { CONFIG, infrastructure, launchItem, startWorld, type World } from "./poller-world.ts";

/** The first of them may build the bundle, on a slow machine. */
setDefaultTimeout(60_000);

let world: World;
afterEach(async () => {
	expect(world.problems).toEqual([]);
	expect(world.relay.problems).toEqual([]);
	await world.stop();
});

const calls = (action: string) => world.ec2.calls().filter((call) => call.action === action);

describe("launch", () => {
	test("jobs alike become one fleet, read once, each with its own machine and document", async () => {
		world = await startWorld();
		const items = world.queue({}, {}, {});
		world.relay.push(...items);
		const ends = await world.relay.ends(...items.map(({ workId }) => workId));
		expect(ends.map(({ outcome }) => outcome)).toEqual(["launched", "launched", "launched"]);
		expect(calls("CreateFleet")).toHaveLength(1);
		expect(world.asked.filter((it) => it.startsWith("GET /repos"))).toHaveLength(2);
		expect(world.asked.filter((it) => it.includes("access_tokens"))).toHaveLength(1);
		const machines = ends.flatMap((end) => (end.outcome === "launched" ? [end] : []));
		expect(new Set(machines.map(({ instanceId }) => instanceId)).size).toBe(3);
		for (const [at, machine] of machines.entries()) {
			const document = await world.document(machine.instanceId);
			expect(document.jobId).toBe(items[at]?.job.id as number);
			expect(document.runnerName).toBe(`mayfly-${machine.instanceId}-1`);
			expect(parseReportToken(document.report.token)?.instanceId).toBe(machine.instanceId);
			expect(document.recordUrl).toBe(`${world.mailbox.url}/records/${machine.privateIp}/${machine.instanceId}.json`);
			expect(document.limits.deadline).toBe(document.timestamps.launchedAt + 10 * 60_000 + 6 * 3_600_000);
			const runner = world.github.runners().find(({ name }) => name === machine.runnerName);
			expect(runner?.labels).toEqual(["self-hosted", "linux"]);
		}
	});

	test("the intent is settled for every member before the fleet is asked for", async () => {
		world = await startWorld();
		let settledBefore: string[] = [];
		world.ec2.faults.onCall = ({ action }, phase) => {
			if (action === "CreateFleet" && phase === "received") settledBefore = world.relay.settled.map(({ outcome }) => outcome);
		};
		const items = world.queue({}, {});
		world.relay.push(...items);
		await world.relay.ends(...items.map(({ workId }) => workId));
		expect(settledBefore).toEqual(["launching", "launching"]);
	});

	test("jobs that ask for different machines become different fleets", async () => {
		world = await startWorld();
		const items = world.queue({}, { runsOn: ["mayfly=1/runner=4cpu-linux-arm64/spot=false"] });
		world.relay.push(...items);
		await world.relay.ends(...items.map(({ workId }) => workId));
		const [small, large] = world.ec2.instances().toSorted((a, b) => a.market.localeCompare(b.market));
		expect([small?.market, large?.market]).toEqual(["on-demand", "spot"]);
		expect(small?.instanceType).toMatch(/g\.xlarge$/);
	});

	test("a launch that another lease took away launches nothing and gives up the rest at once", async () => {
		world = await startWorld();
		const items = world.queue({}, {});
		world.relay.isStale = ({ workId }) => workId === items[0]?.workId;
		world.relay.push(...items);
		const [end] = await world.relay.ends(items[1]?.workId ?? "");
		expect(end).toMatchObject({ outcome: "later", class: "budget" });
		expect(calls("CreateFleet")).toHaveLength(0);
	});

	test("a job whose label is refused is refused with the reason, and nothing is launched", async () => {
		world = await startWorld();
		const items = world.queue({ runsOn: ["mayfly=1/gpu=2"] }, { runsOn: ["mayfly=1/runner=own"] }, { runsOn: ["mayfly=1/cpu=3"] });
		world.relay.push(...items);
		const ends = await world.relay.ends(...items.map(({ workId }) => workId));
		expect(ends.map((end) => (end.outcome === "refused" ? end.reason : end.outcome))).toEqual([
			expect.stringContaining("The key gpu is unknown: known are runner, cpu, ram, family, arch, image, volume, spot,"),
			expect.stringContaining("does not admit the job"),
			"No instance type that is known here has 3 vCPUs, x64.",
		]);
		expect(calls("CreateFleet")).toHaveLength(0);
	});

	test("a reason of any length is told, and holds up nobody else's", async () => {
		world = await startWorld();
		const unknown = Array.from({ length: 100 }, (_, at) => `k${at % 10}`).join("/");
		const labels = Array.from({ length: 20 }, (_, at) => `label-${at}-`.padEnd(190, "x"));
		const items = world.queue({ runsOn: [`mayfly=1/${unknown}`.slice(0, 256)] }, { runsOn: labels }, { runsOn: ["mayfly=1/cpu=0"] });
		world.relay.push(...items);
		const ends = await world.relay.ends(...items.map(({ workId }) => workId));
		expect(ends).toMatchObject([
			{ outcome: "refused", reason: expect.stringContaining("The key k0 is unknown") },
			{ outcome: "refused", reason: expect.stringMatching(/^No preset lists the labels label-0-x+, .* …$/) },
			{ outcome: "refused", reason: expect.stringContaining("cpu=0") },
		]);
	});

	test("a job that GitHub does not know, or knows as over, is not launched", async () => {
		world = await startWorld();
		const [item] = world.queue({});
		if (!item) throw new Error("no job");
		world.github.cancelRun(item.job.runId);
		const old = { queuedAt: Date.now() - 120_000 };
		const stranger = launchItem(999_999, 888_888, item.job.installationId ?? 0, old);
		const absent = launchItem(777_777, item.job.runId, item.job.installationId ?? 0, old);
		world.relay.push(item, stranger, absent);
		const ends = await world.relay.ends(item.workId, stranger.workId, absent.workId);
		expect(ends[0]).toMatchObject({ outcome: "notQueued", status: "completed", conclusion: "cancelled" });
		expect(ends.slice(1).map(({ outcome }) => outcome)).toEqual(["gone", "gone"]);
		expect(calls("CreateFleet")).toHaveLength(0);
	});

	test("without spot capacity the rest comes from on-demand in the same tick", async () => {
		world = await startWorld();
		world.ec2.faults.shortages.push({ market: "spot", units: 1 });
		const items = world.queue({}, {}, {});
		world.relay.push(...items);
		const ends = await world.relay.ends(...items.map(({ workId }) => workId));
		expect(ends.map((end) => (end.outcome === "launched" ? end.market : end.outcome))).toEqual(["spot", "on-demand", "on-demand"]);
		expect(calls("CreateFleet")).toHaveLength(2);
	});

	test("members that no machine is left for wait, and say what for", async () => {
		world = await startWorld({ machines: 1 });
		const items = world.queue({}, {});
		world.relay.push(...items);
		const ends = await world.relay.ends(...items.map(({ workId }) => workId));
		expect(ends.map(({ outcome }) => outcome).toSorted()).toEqual(["later", "launched"]);
		expect(ends.find(({ outcome }) => outcome === "later")).toMatchObject({ class: "capacity", reason: expect.stringContaining("EC2") });
	});

	test("after an interruption, or on the operator's switch, no spot is asked for", async () => {
		world = await startWorld();
		const [first, second] = world.queue({}, {}) as [LaunchItem, LaunchItem];
		world.relay.push({ ...first, onDemand: true });
		const [one] = await world.relay.ends(first.workId);
		world.relay.onDemandOnly = true;
		world.relay.push(second);
		const [two] = await world.relay.ends(second.workId);
		expect([one, two].map((end) => (end?.outcome === "launched" ? end.market : end?.outcome))).toEqual(["on-demand", "on-demand"]);
	});

	test("machines start in their tier's own subnets, and a job of a tier that the stack has none for is refused", async () => {
		const config = CONFIG.replace("  own: { tier: closed,", "  other: { tier: open, cpu: 2, image: x64 }\n  own: { tier: closed,");
		const [a, b] = SUBNETS.map((subnet, at) => ({ ...subnet, tier: ["closed", "build"][at] ?? "" }));
		world = await startWorld({
			config: config.replace("\n  closed: {", "\n  open: { allow: {} }\n  closed: {"),
			env: { INFRASTRUCTURE: infrastructure([a, b].flatMap((subnet) => subnet ?? [])) },
		});
		const [first, second] = world.queue({ runsOn: ["mayfly=1/runner=small"] }, { runsOn: ["mayfly=1/runner=other"] }) as [
			LaunchItem,
			LaunchItem,
		];
		world.relay.push(first, second);
		expect(await world.relay.ends(first.workId, second.workId)).toMatchObject([
			{ outcome: "launched", zone: b?.zone },
			{ outcome: "refused", reason: "The stack has no subnet for machines of tier open." },
		]);
	});

	test("an owner served by repository gets its runners there", async () => {
		// Repositories have no group but the default one, whatever the tier's is at organisations: GitHub knows no other there.
		const config = CONFIG.replace("{ name: octo-org }", "{ name: octo-org, endpoint: repo }").replace("allow:", "runnerGroupId: 3, allow:");
		world = await startWorld({ config, permissions: { administration: "write", actions: "write", metadata: "read" } });
		const [item] = world.queue({}) as [LaunchItem];
		world.relay.push({ ...item, job: { ...item.job, installationId: null } });
		expect((await world.relay.ends(item.workId))[0]?.outcome).toBe("launched");
		expect(world.asked).toContain("POST /repos/octo-org/octo-repo/actions/runners/generate-jitconfig");
		expect(world.asked).toContain("GET /repos/octo-org/octo-repo/installation");
	});

	test("a launch that is leased again while GitHub is slow goes on under its new lease, once", async () => {
		world = await startWorld();
		world.github.faults.latencyMs = 400;
		const [item] = world.queue({}) as [LaunchItem];
		world.relay.push(item);
		await world.relay.until(() => world.relay.leases.length > 1);
		world.relay.push({ ...item, leaseId: "the-second-lease" });
		const [end] = await world.relay.ends(item.workId);
		expect(end).toMatchObject({ outcome: "launched", leaseId: "the-second-lease" });
		expect(world.ec2.instances()).toHaveLength(1);
	});

	test("a launch that had to wait is new work while others of its batch go on", async () => {
		world = await startWorld({ machines: 1 });
		world.github.faults.request({ path: /generate-jitconfig/, status: 403, headers: { "retry-after": "3" } });
		const items = world.queue({}, {}) as [LaunchItem, LaunchItem];
		world.relay.push(...items);
		await world.relay.until(() => world.relay.settled.some(({ outcome }) => outcome === "later"));
		const late = items.find(({ workId }) => world.relay.settled.some((it) => it.workId === workId && it.outcome === "later"));
		world.relay.settled.length = 0;
		world.relay.push({ ...(late as LaunchItem), leaseId: "the-second-lease" });
		const [end] = await world.relay.ends(late?.workId ?? "");
		expect(end).toMatchObject({ outcome: "later", leaseId: "the-second-lease" });
		expect(world.relay.settled.some(({ outcome }) => outcome === "launched")).toBe(false);
	});
});
