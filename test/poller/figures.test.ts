// The figures for CloudWatch as the real bundle writes them: among the lines on stdout, whatever the level of the log.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import type { LaunchItem } from "../../contract/lease.ts";
import { problemsOf, valuesOf } from "./emf.ts";
import { startWorld, type World } from "./poller-world.ts";

/** Sessions begin and end, and sweeps come round, on a slow machine. */
setDefaultTimeout(30_000);

let world: World;
afterEach(() => world.stop());

const emfLines = () => world.log.filter((line) => "_aws" in line).map((line) => JSON.stringify(line));
const told = (name: string, dimensions = "Stack=test") => valuesOf(emfLines(), name, dimensions);
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

async function until(holds: () => boolean): Promise<void> {
	while (!holds()) await Bun.sleep(20);
}

test("launches, queue times by source, budgets, the rate limit and the machines of a session are told, in lines that CloudWatch takes", async () => {
	world = await startWorld({ env: { SWEEP_MS: "200", LOG_LEVEL: "silent" } });
	const [quick, lost, plain] = [
		...world.queue({ runsOn: ["mayfly=1/runner=small"] }, { runsOn: ["mayfly=1/runner=small"] }),
		...world.queue({ runsOn: ["mayfly=2/runner=small/spot=false"] }),
	] as [LaunchItem, LaunchItem, LaunchItem];
	const items = [quick, { ...lost, source: "discovery" as const, queuedAt: Date.now() - 200_000 }, plain];
	world.relay.push(...items);
	await world.relay.ends(...items.map(({ workId }) => workId));
	await until(() => sum(told("Launches")) === 3 && told("Machines").at(-1) === 3);
	const lines = emfLines();
	expect(lines.flatMap(problemsOf)).toEqual([]);
	expect(sum(told("Launches", "Stack=test,Market=spot"))).toBe(2);
	expect(sum(told("Launches", "Stack=test,Market=on-demand"))).toBe(1);
	expect(told("QueueTime", "Stack=test,Source=webhook")).toHaveLength(2);
	const [found = 0] = told("QueueTime", "Stack=test,Source=discovery");
	expect(found).toBeGreaterThanOrEqual(200_000);
	expect(told("QueueTime")).toHaveLength(3);
	expect(told("JitCallsLeft")[0]).toBe(180);
	expect(told("Ec2CallsLeft")[0]).toBe(50);
	expect(Math.min(...told("GitHubRateLeft"))).toBeLessThan(5000);
	expect(told("Heartbeat").length).toBeGreaterThan(1);
	expect(told("OldestQueuedSeconds").at(-1)).toBe(0);
	// Nothing else is written at this level.
	expect(world.log.filter((line) => !("_aws" in line))).toEqual([]);
});

test("a spot shortage is a fallback and one error of its class", async () => {
	world = await startWorld({ env: { SWEEP_MS: "200" } });
	world.ec2.faults.shortages.push({ market: "spot", code: "InsufficientInstanceCapacity" });
	const [item] = world.queue({ runsOn: ["mayfly=1/runner=small"] });
	if (!item) throw new Error("nothing is queued");
	world.relay.push(item);
	expect(await world.relay.ends(item.workId)).toMatchObject([{ outcome: "launched", market: "on-demand" }]);
	await until(() => sum(told("CapacityFallbacks")) > 0 && sum(told("Launches", "Stack=test,Market=on-demand")) > 0);
	expect(sum(told("CapacityFallbacks"))).toBe(1);
	expect(sum(told("Errors", "Stack=test,Class=ec2-capacity"))).toBe(1);
	expect(sum(told("Errors"))).toBe(1);
});

test("a relay that is away for a while is an error of its class, and the session goes on", async () => {
	world = await startWorld({ env: { SWEEP_MS: "200" } });
	const [item] = world.queue({ runsOn: ["mayfly=1/runner=absent"] });
	if (!item) throw new Error("nothing is queued");
	world.relay.fail("/observe", 503, 4);
	world.relay.push(item);
	expect(await world.relay.ends(item.workId)).toMatchObject([{ outcome: "refused" }]);
	await until(() => sum(told("Errors", "Stack=test,Class=relay")) > 0);
	expect(emfLines().flatMap(problemsOf)).toEqual([]);
});

test("a session tells the last of its figures when it ends, and one that is superseded tells no heartbeat", async () => {
	world = await startWorld({ sessionMs: 46_000 });
	const [item] = world.queue({ runsOn: ["mayfly=1/runner=small"] });
	if (!item) throw new Error("nothing is queued");
	world.relay.push(item);
	await world.relay.ends(item.workId);
	world.relay.superseded = true;
	await until(() => sum(told("Launches")) === 1);
	const beats = told("Heartbeat").length;
	const begun = () => world.log.filter(({ end }) => end === "superseded").length;
	const before = begun();
	await until(() => begun() > before + 2);
	// At most the beat of the session that ended in between.
	expect(told("Heartbeat").length - beats).toBeLessThanOrEqual(1);
});
