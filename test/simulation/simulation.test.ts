// Simulated days in which everything fails: what must hold holds, and would be seen to break.
import { describe, expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createClock } from "./clock.ts";
import { PLANTS, type Plant } from "./plants.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 30;
const WORDS: Record<Plant, string> = {
	deaf: "looks for nothing itself",
	acknowledgesFirst: "acknowledges before it launches",
	regroups: "groups anew what it is handed out again",
	counts: "takes answers by their place",
	endsUnasked: "ends machines without deleting their runners",
	ownBudget: "has a budget of its own",
};

async function run(...args: string[]) {
	const child = Bun.spawn([process.execPath, join(import.meta.dir, "main.ts"), ...args], { stdout: "pipe", stderr: "pipe" });
	const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
	return { status: await child.exited, stdout, stderr };
}

describe("a simulated day", () => {
	test(`breaks no rule, for ${SEEDS} seeds`, async () => {
		const parts = Math.min(4, availableParallelism());
		const each = Math.ceil(SEEDS / parts);
		const runs = await Promise.all(
			Array.from({ length: parts }, (_, part) => run("--seeds", String(each), "--from", String(1 + part * each))),
		);
		for (const { status, stdout } of runs) {
			expect(stdout.trimEnd().split("\n").at(-1)).toBe(`${each} seeds, 0 failed`);
			expect(status).toBe(0);
		}
	}, 1_200_000);

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
