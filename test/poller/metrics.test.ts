// Figures for CloudWatch: notes in, lines out, and what the poller counts as what.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { LeaseAnswer } from "../../contract/lease.ts";
import { Ec2Error } from "../../poller/ec2.ts";
import { emfLines, METRICS, type MetricName, type Note } from "../../poller/emf.ts";
import { GitHubError } from "../../poller/github-error.ts";
import { kindOf, metered, type Outside } from "../../poller/metered.ts";
import { createMetrics } from "../../poller/metrics.ts";
import { dataOf, problemsOf, valuesOf } from "./emf.ts";
import { launchItem } from "./poller-world.ts";

const NOW = 1_795_000_000_000;
const names = Object.keys(METRICS) as MetricName[];
const note = fc.constantFrom(...names).chain((name) =>
	fc.record(
		{
			name: fc.constant(name),
			value: fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e9 }), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY)),
			as: fc.constantFrom("webhook", "discovery", "spot", "ec2-capacity"),
		},
		{ requiredKeys: METRICS[name].by === null ? ["name", "value"] : ["name", "value", "as"] },
	),
) as fc.Arbitrary<Note>;

describe("lines", () => {
	test("whatever is noted, every line is one that CloudWatch takes whole", () => {
		fc.assert(
			fc.property(fc.array(note, { maxLength: 400 }), (notes) => {
				for (const line of emfLines(notes, "test", NOW)) expect(problemsOf(line)).toEqual([]);
			}),
			{ numRuns: 200 },
		);
	});

	test("whatever is noted, no queue time and no launch is lost or told twice", () => {
		fc.assert(
			fc.property(fc.array(note, { maxLength: 400 }), (notes) => {
				const lines = emfLines(notes, "test", NOW);
				const valid = notes.filter(({ value }) => Number.isFinite(value));
				const of = (name: MetricName) => valid.filter((it) => it.name === name).map(({ value }) => value);
				const told = (name: MetricName) => valuesOf(lines, name, "Stack=test");
				expect(told("QueueTime").toSorted()).toEqual(of("QueueTime").toSorted());
				const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
				expect(sum(told("Launches"))).toBeCloseTo(sum(of("Launches")), 2);
				expect(told("JitCallsLeft")).toEqual(of("JitCallsLeft").length > 0 ? [Math.min(...of("JitCallsLeft"))] : []);
				expect(told("Machines")).toEqual(of("Machines").slice(-1));
			}),
			{ numRuns: 200 },
		);
	});

	test("a metric that is parted is told for the stack and for each part", () => {
		const lines = emfLines(
			[
				{ name: "Launches", value: 1, as: "spot" },
				{ name: "Launches", value: 1, as: "spot" },
				{ name: "Launches", value: 1, as: "on-demand" },
			],
			"test",
			NOW,
		);
		expect(dataOf(lines)).toEqual([
			{ name: "Launches", unit: "Count", dimensions: "Stack=test", value: 2 },
			{ name: "Launches", unit: "Count", dimensions: "Stack=test,Market=spot", value: 2 },
			{ name: "Launches", unit: "Count", dimensions: "Stack=test", value: 1 },
			{ name: "Launches", unit: "Count", dimensions: "Stack=test,Market=on-demand", value: 1 },
		]);
	});

	test("101 values are two documents", () => {
		const notes = Array.from({ length: 101 }, (_, value): Note => ({ name: "QueueTime", value, as: "webhook" }));
		const lines = emfLines(notes, "test", NOW);
		expect(lines.map((line) => [JSON.parse(line).QueueTime].flat().length)).toEqual([100, 1]);
	});

	test("nothing noted is no line", () => {
		expect(emfLines([], "test", NOW)).toEqual([]);
	});
});

function metricsAt() {
	const clock = { now: NOW };
	const lines: string[] = [];
	const metrics = createMetrics({ stack: "test", now: () => clock.now, write: (line) => void lines.push(line) });
	/** What one flush tells. */
	const flushed = (isServing = true) => {
		lines.length = 0;
		metrics.flush(isServing);
		return [...lines];
	};
	return { metrics, clock, flushed, value: (name: string, isServing = true) => valuesOf(flushed(isServing), name, "Stack=test") };
}

describe("what is counted", () => {
	test("a session that serves beats with every flush, one that does not only tells its failures", () => {
		const { metrics, flushed } = metricsAt();
		expect(valuesOf(flushed(), "Heartbeat", "Stack=test")).toEqual([1]);
		expect(flushed(false)).toEqual([]);
		metrics.failure("relay");
		expect(dataOf(flushed(false)).map(({ name }) => name)).toEqual(["Errors", "Errors"]);
	});

	test("what was told once is not told again", () => {
		const { metrics, value } = metricsAt();
		metrics.launched("spot");
		expect(value("Launches")).toEqual([1]);
		expect(value("Launches")).toEqual([]);
	});

	test("the oldest queued job counts until it is launched or ends, also while its launch is put off", () => {
		const { metrics, clock, value } = metricsAt();
		const old = launchItem(1, 1, 1, { queuedAt: NOW - 90_000 });
		const young = launchItem(2, 1, 1, { queuedAt: NOW - 5_000 });
		for (const item of [old, young]) metrics.handedOut(item);
		expect(value("OldestQueuedSeconds")).toEqual([90]);
		const keys = ({ workId, leaseId }: typeof old) => ({ workId, leaseId });
		metrics.settled({ ...keys(old), outcome: "later", notBefore: NOW + 3_600_000, class: "throttled", reason: "" });
		clock.now += 3_600_000;
		expect(value("OldestQueuedSeconds")).toEqual([3690]);
		metrics.settled({ ...keys(old), outcome: "refused", reason: "no" });
		expect(value("OldestQueuedSeconds")).toEqual([0]);
	});

	test("a job that is never handed out again is forgotten after ten minutes", () => {
		const { metrics, clock, value } = metricsAt();
		metrics.handedOut(launchItem(1, 1, 1, { queuedAt: NOW }));
		clock.now += 599_000;
		expect(value("OldestQueuedSeconds")).toEqual([599]);
		clock.now += 2_000;
		expect(value("OldestQueuedSeconds")).toEqual([0]);
	});
});

describe("classes of errors", () => {
	const github = (status: number | null, retryAt: number | null = null) => new GitHubError("GET /", status, "", retryAt);
	const rows: [kind: string | null, error: unknown][] = [
		["ec2-capacity", new Ec2Error("CreateFleet", "InsufficientInstanceCapacity", 400, "")],
		["ec2-throttled", new Ec2Error("CreateFleet", "RequestLimitExceeded", 503, "")],
		["ec2-quota", new Ec2Error("CreateFleet", "VcpuLimitExceeded", 400, "")],
		["ec2-refused", new Ec2Error("CreateFleet", "InvalidAMIID.NotFound", 400, "")],
		["ec2-unknown", new Ec2Error("CreateTags", "UnauthorizedOperation", 403, "")],
		["github-limited", github(403, NOW)],
		["github-failed", github(502)],
		["github-failed", github(null)],
		["github-refused", github(403)],
		[null, new Error("another")],
	];
	for (const [kind, error] of rows) test(`${error} is ${kind}`, () => expect(kindOf(error)).toBe(kind as never));

	/** Ports that answer nothing of use unless told otherwise. */
	const outside = (over: { [K in keyof Outside]?: Partial<Outside[K]> }): Outside => over as unknown as Outside;
	const budgets = { jitCalls: 7, ec2Calls: 9, onDemandOnly: false, paused: false, alarm: null };

	test("a fleet that gave less than asked for counts as what EC2 said, and is answered unchanged", async () => {
		const { metrics, flushed } = metricsAt();
		const said = { instanceIds: ["i-1"], errors: [{ code: "VcpuLimitExceeded", message: "" }] };
		const { ec2 } = metered(outside({ relay: {}, github: {}, mailbox: {}, ec2: { createFleet: async () => said } }), metrics);
		expect(await ec2.createFleet({ TargetCapacitySpecification: { TotalTargetCapacity: 2 } } as never)).toBe(said);
		expect(valuesOf(flushed(), "Errors", "Stack=test,Class=ec2-quota")).toEqual([1]);
		await ec2.createFleet({ TargetCapacitySpecification: { TotalTargetCapacity: 1 } } as never);
		expect(valuesOf(flushed(), "Errors", "Stack=test")).toEqual([]);
	});

	test("a failed call is counted and thrown on as it is", async () => {
		const { metrics, flushed } = metricsAt();
		const broken = new Error("no bucket");
		const put = async () => {
			throw broken;
		};
		const { mailbox } = metered(outside({ relay: {}, github: {}, ec2: {}, mailbox: { put } }), metrics);
		expect(mailbox.put("key", "body")).rejects.toBe(broken);
		await mailbox.put("key", "body").catch(() => undefined);
		expect(valuesOf(flushed(), "Errors", "Stack=test,Class=mailbox")).toEqual([2]);
	});

	test("what the relay took is counted by what became of the job, and what was stale is not", async () => {
		const { metrics, flushed } = metricsAt();
		const items = [1, 2, 3, 4].map((id) => launchItem(id, 1, 1, { queuedAt: NOW - id * 1000 }));
		const lease = async (): Promise<LeaseAnswer> => ({ work: items, budgets });
		const settle = async () => ({
			settled: {
				"launch-1": { state: "launched" as const },
				"launch-2": { state: "dead" as const },
				"launch-3": { state: "refused" as const },
			},
			stale: { "launch-4": { reason: "another lease" } },
		});
		const { relay } = metered(outside({ relay: { lease, settle }, github: {}, ec2: {}, mailbox: {} }), metrics);
		await relay.lease({} as never);
		expect(valuesOf(flushed(), "OldestQueuedSeconds", "Stack=test")).toEqual([4]);
		const keys = items.map(({ workId, leaseId }) => ({ workId, leaseId }));
		const machine = { instanceId: "i-00000000", runnerName: "r", privateIp: "10.0.0.1", type: "t", zone: "z", market: "spot" as const };
		await relay.settle([
			{ ...keys[0], outcome: "launched", ...machine },
			{ ...keys[1], outcome: "failed", reason: "no boot" },
			{ ...keys[2], outcome: "refused", reason: "no" },
			{ ...keys[3], outcome: "launched", ...machine },
		] as never);
		const lines = flushed();
		expect(valuesOf(lines, "Launches", "Stack=test,Market=spot")).toEqual([1]);
		for (const kind of ["boot", "dead", "refused"]) expect(valuesOf(lines, "Errors", `Stack=test,Class=${kind}`)).toEqual([1]);
		expect(valuesOf(lines, "OldestQueuedSeconds", "Stack=test")).toEqual([4]);
	});

	test("a job that never asked for a machine of ours is refused without being counted", async () => {
		const { metrics, flushed } = metricsAt();
		const settle = async () => ({ settled: { "launch-1": { state: "refused" as const } }, stale: {} });
		const { relay } = metered(outside({ relay: { settle }, github: {}, ec2: {}, mailbox: {} }), metrics);
		const { workId, leaseId } = launchItem(1, 1, 1);
		await relay.settle([{ workId, leaseId, outcome: "refused", reason: "nothing here serves ubuntu-latest", ours: false }]);
		expect(valuesOf(flushed(), "Errors", "Stack=test,Class=refused")).toEqual([]);
	});

	test("what the budgets and GitHub's limit were at their lowest is told, of a session that is not superseded", async () => {
		const { metrics, flushed } = metricsAt();
		const answers: LeaseAnswer[] = [
			{ work: [], budgets },
			{ work: [], budgets: { ...budgets, jitCalls: 3, alarm: "the runner is deprecated" } },
			{ work: [], budgets: { ...budgets, ec2Calls: 0 }, superseded: true },
		];
		const { relay } = metered(
			outside({ relay: { lease: async () => answers.shift() as LeaseAnswer }, github: {}, ec2: {}, mailbox: {} }),
			metrics,
		);
		for (let n = 0; n < 3; n++) await relay.lease({} as never);
		for (const left of [4000, 3999, 4800]) metrics.rateLeft(left);
		const lines = flushed();
		const told = ["JitCallsLeft", "Ec2CallsLeft", "GitHubRateLeft", "RunnerDeprecated"].map((name) => valuesOf(lines, name, "Stack=test"));
		expect(told).toEqual([[3], [9], [3999], [1]]);
	});
});
