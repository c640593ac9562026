// Simulated days in which everything fails: what must hold holds, and would be seen to break.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createClock } from "./clock.ts";
import { PLANTS, type Plant } from "./plants.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 500;
const WORDS: Record<Plant, string> = {
	sleeps: "launches nothing for some hours in which the faults stop",
	decides: "decides launches and makes none for some hours in which the faults stop",
	deaf: "looks for nothing itself",
	acknowledgesFirst: "acknowledges before it launches",
	writesNothing: "launches what the ledger was not told of",
	regroups: "groups anew what it is handed out again",
	counts: "takes answers by their place",
	endsUnasked: "ends machines without deleting their runners",
	uncapped: "does not say how many machines an owner may have",
	ownBudget: "has a budget of its own",
};

const MAIN = join(import.meta.dir, "main.ts");

async function childrenOf(pid: number): Promise<number[]> {
	const table = await new Response(Bun.spawn(["ps", "-A", "-o", "pid=,ppid="], { stdout: "pipe" }).stdout).text();
	const rows = table.split("\n").map((row) => row.trim().split(/ +/).map(Number));
	return rows.flatMap(([id, parent]) => (parent === pid && id !== undefined ? [id] : []));
}

function isThere(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}

async function run(...args: string[]) {
	const child = Bun.spawn([process.execPath, MAIN, ...args], { stdout: "pipe", stderr: "pipe" });
	const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
	return { status: await child.exited, stdout, stderr };
}

describe("a simulated day", () => {
	test(`breaks no rule, for ${SEEDS} seeds`, async () => {
		const { status, stdout } = await run("--seeds", String(SEEDS));
		expect(stdout).toMatch(/^bounds: a path to a machine/);
		expect(Number(/the most: ([0-9]+) jobs open/.exec(stdout)?.[1])).toBeGreaterThan(1000);
		expect(stdout).toEndWith(`\n${SEEDS} seeds, 0 failed\n`);
		expect(status).toBe(0);
	}, 1_800_000);

	test("is the same day for the same seed", async () => {
		const [one, other] = [await simulate(7, { trace: true }), await simulate(7, { trace: true })];
		expect(other).toEqual(one);
		expect(one.trace.length).toBeGreaterThan(1000);
	}, 60_000);

	for (const plant of PLANTS)
		test(`with a poller that ${WORDS[plant]} is seen to break a rule within 100 seeds`, async () => {
			for (let seed = 1; seed <= 100; seed++) if ((await simulate(seed, { plant })).problems.length > 0) return;
			throw new Error("no seed saw it");
		}, 600_000);
});

describe("simulate", () => {
	test("says what is wrong with its command line and exits with 2", async () => {
		const { status, stderr } = await run("--seeds", "many");
		expect([status, stderr]).toEqual([2, '--seeds takes a whole number, not "many"\ntry --help\n']);
	});

	test("finds the same in the same order on one process as on three", async () => {
		const [one, three] = await Promise.all(["1", "3"].map((jobs) => run("--seeds", "6", "--hash", "--jobs", jobs)));
		expect(three?.stdout).toBe(one?.stdout ?? "");
		expect(one?.stdout).toMatch(/\n(seed [1-6] [0-9a-f]{64}\n){6}the most: .*\n6 seeds, 0 failed\n$/);
	}, 120_000);

	test("tells the seed, the trace and the rule of a day that breaks one, how to have it again, and exits with 1", async () => {
		const { status, stdout } = await run("--seeds", "5", "--lines", "5", "--plant", "endsUnasked");
		expect(stdout).toMatch(/\nseed [1-5]: [0-9]+ jobs, [0-9]+ machines, at most [0-9]+ jobs at once\n/);
		expect(stdout).toMatch(/\n +[0-9.]+ BROKEN +(.+)\n\n {2}after [0-9.]+ s: \1\n/);
		expect(stdout).toMatch(/\nseed ([1-5]):[\s\S]*\nagain: bun run simulate --seeds 1 --from \1 --plant endsUnasked\n/);
		expect(stdout).toMatch(/\n5 seeds, [1-5] failed\n$/);
		expect(status).toBe(1);
	}, 60_000);

	test("leaves no process behind when it is stopped", async () => {
		const child = Bun.spawn([process.execPath, MAIN, "--seeds", "100000", "--jobs", "3"], { stdio: ["ignore", "ignore", "ignore"] });
		let started: number[] = [];
		while (started.length < 3) started = await childrenOf(child.pid);
		child.kill("SIGINT");
		expect(await child.exited).toBe(130);
		while (started.some(isThere)) await Bun.sleep(20);
	}, 60_000);

	test("--help shows how it is called", async () => {
		const { status, stdout } = await run("--help");
		expect(status).toBe(0);
		expect(stdout).toContain("usage: bun run simulate");
	});
});

test("the clock calls in the order of time, then of asking, and not what was taken back", () => {
	const clock = createClock(1000);
	const called: string[] = [];
	clock.after(20, () => void called.push(`late ${clock.now()}`));
	clock.after(10, () => {
		called.push(`first ${clock.now()}`);
		clock.after(0, () => void called.push(`nested ${clock.now()}`));
	});
	clock.after(10, () => void called.push(`second ${clock.now()}`));
	clock.after(15, () => void called.push("taken back"))();
	clock.after(200, () => void called.push("too late"));
	clock.run(1100, () => undefined);
	expect(called).toEqual(["first 1010", "second 1010", "nested 1010", "late 1020"]);
	expect(clock.now()).toBe(1100);
});
