// The agent's life as a table: every stage and every event, where it leads and what is done. And its alarms, one by one.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CLOCKS } from "../../agent/clocks.ts";
import { live, nextAlarm } from "../../agent/life.ts";
import { begin, type Effect, type Event, type Life, STAGES, type Stage } from "../../agent/life-state.ts";

const T = 1_000_000_000;
const LIMITS = { idle: 300_000, maxJob: 3_600_000, deadline: T + 7_200_000, hold: 0, linger: 5000 };

const EVENTS = {
	identified: { type: "identified" },
	claimed: { type: "claimed", limits: LIMITS },
	refused: { type: "refused", reason: "no" },
	listening: { type: "said", line: { kind: "listening" } },
	started: { type: "said", line: { kind: "started", name: "build" } },
	completed: { type: "said", line: { kind: "completed", name: "build", result: "Succeeded" } },
	disconnected: { type: "said", line: { kind: "disconnected" } },
	succeeded: { type: "exited", code: 100, signal: null },
	failed: { type: "exited", code: 102, signal: null },
	left: { type: "exited", code: 0, signal: null },
	retryable: { type: "exited", code: 2, signal: null },
	updating: { type: "exited", code: 4, signal: null },
	killed: { type: "exited", code: null, signal: "SIGKILL" },
	updated: { type: "updated" },
	working: { type: "working" },
	denied: { type: "denied", reason: "refs: no" },
	noticed: { type: "noticed", terminateAt: T + 120_000 },
	recommended: { type: "recommended" },
	signalled: { type: "signalled", signal: "SIGTERM" },
	tick: { type: "tick" },
} as const satisfies Record<string, Event>;
type EventName = keyof typeof EVENTS;

/** How each stage is reached. */
const PATHS: Record<Stage, EventName[]> = {
	booting: [],
	claiming: ["identified"],
	preparing: ["identified", "claimed"],
	listening: ["identified", "claimed", "listening"],
	running: ["identified", "claimed", "listening", "started"],
	finishing: ["identified", "claimed", "listening", "started", "succeeded"],
	off: ["refused"],
};

const step = (life: Life, event: Event, now = T) => live(life, event, now, CLOCKS);
const walk = (names: EventName[]) => names.reduce((life, name) => step(life, EVENTS[name]).life, begin(T, CLOCKS));
const word = (effect: Effect) => (effect.type === "report" ? effect.phase : effect.type === "signal" ? effect.signal : effect.type);
const shown = ({ life, effects }: { life: Life; effects: Effect[] }) => [life.stage, ...effects.map(word)].join(" ");

/** Stage, then effects. An event that is not listed leaves everything as it is. `off off` is the report and the power. */
const TABLE: Record<Stage, Partial<Record<EventName, string>>> = {
	booting: { identified: "claiming claim", refused: "off off off", signalled: "off off off" },
	claiming: { claimed: "preparing launch remove claimed", refused: "off off off", signalled: "off off off" },
	preparing: {
		...{ refused: "off off off", listening: "listening show listening", started: "running running awaitWorker" },
		...{
			succeeded: "finishing finished record",
			failed: "finishing finished record",
			left: "off off off",
			updating: "preparing awaitUpdate",
			killed: "off off off",
		},
		...{ denied: "preparing denied", noticed: "finishing interrupted SIGINT", signalled: "finishing SIGINT" },
	},
	listening: {
		recommended: "listening listening",
		...{ refused: "off off off", started: "running running awaitWorker" },
		...{ succeeded: "finishing finished record", failed: "finishing finished record" },
		...{ left: "off off off", retryable: "preparing", updating: "preparing awaitUpdate", killed: "off off off" },
		...{ denied: "listening denied", noticed: "finishing interrupted SIGINT", signalled: "finishing SIGINT" },
	},
	running: {
		recommended: "running running",
		...{ refused: "off off off", succeeded: "finishing finished record", failed: "finishing finished record" },
		...{ left: "finishing record", retryable: "finishing record" },
		...{
			updating: "finishing record",
			killed: "finishing record",
			denied: "running denied",
			noticed: "running interrupted",
			signalled: "finishing SIGINT",
		},
	},
	finishing: { refused: "off off off", noticed: "finishing interrupted", signalled: "off off off" },
	off: {},
};

describe.each([...STAGES])("%s", (stage) => {
	test.each(Object.keys(EVENTS) as EventName[])("and %s", (name) => {
		expect(shown(step(walk(PATHS[stage]), EVENTS[name]))).toBe(TABLE[stage][name] ?? stage);
	});
});

/** Lets a life run by its alarms alone; `off` must come. */
function runOut(from: Life): { effects: string[]; at: number; reason: string } {
	const effects: string[] = [];
	let life = from;
	let at = T;
	for (let next = nextAlarm(life); next !== null; next = nextAlarm(life)) {
		at = next.at;
		const turn = step(life, EVENTS.tick, at);
		effects.push(...turn.effects.map(word));
		life = turn.life;
	}
	expect(life.stage).toBe("off");
	return { effects, at, reason: life.why };
}

describe("left alone", () => {
	const working = (stage: Stage) => step(walk(PATHS[stage]), EVENTS.working).life;
	test.each<[Stage, number, string[]]>([
		["booting", CLOCKS.claim, ["off", "off"]],
		["claiming", CLOCKS.claim, ["off", "off"]],
		["preparing", LIMITS.idle + CLOCKS.stopGrace + 2000, ["idle", "SIGINT", "SIGKILL", "off", "off"]],
		["listening", LIMITS.idle + CLOCKS.stopGrace + 2000, ["idle", "SIGINT", "SIGKILL", "off", "off"]],
		["running", LIMITS.maxJob + CLOCKS.stopGrace + 2000, ["SIGINT", "SIGKILL", "off", "off"]],
		["finishing", LIMITS.linger, ["off", "off"]],
	])("%s is off after %d ms", (stage, after, effects) => {
		expect(runOut(working(stage))).toMatchObject({ at: T + after, effects });
	});

	test("a job whose worker never comes is ended, and one that is over needs none", () => {
		expect(runOut(walk(PATHS.running))).toMatchObject({ at: T + CLOCKS.worker + CLOCKS.stopGrace + 2000 });
		expect(walk([...PATHS.running, "completed"]).alarms.worker).toBeUndefined();
	});

	test("a job that could run on is ended before the deadline, and the machine is off by then", () => {
		const limits = { ...LIMITS, deadline: T + 100_000, linger: 1_000_000 };
		const running = [...PATHS.listening.slice(2), "started" as const].reduce(
			(life, name) => step(life, EVENTS[name]).life,
			step(walk(["identified"]), { type: "claimed", limits }).life,
		);
		expect(nextAlarm(running)).toEqual({ alarm: "stop", at: limits.deadline - CLOCKS.stopGrace });
		const stopped = step(running, EVENTS.tick, limits.deadline - CLOCKS.stopGrace).life;
		const lingering = step(stopped, EVENTS.left, limits.deadline - CLOCKS.stopGrace + 10).life;
		expect(runOut(lingering)).toMatchObject({ at: limits.deadline, effects: ["off", "off"] });
	});

	test("a runner that says its job is over and stays is ended", () => {
		expect(runOut(walk([...PATHS.running, "completed"]))).toMatchObject({ effects: ["SIGINT", "SIGKILL", "off", "off"] });
	});

	test("a denied job's runner is told to end a moment later", () => {
		expect(nextAlarm(walk([...PATHS.running, "denied"]))).toEqual({ alarm: "stop", at: T + CLOCKS.deniedPause });
	});
});

describe("a spot notice", () => {
	test("ends the job 25 s before the end and keeps the machine 15 s after it", () => {
		const noticed = walk([...PATHS.running, "noticed"]);
		expect(nextAlarm(noticed)).toEqual({ alarm: "stop", at: T + 95_000 });
		const stopped = step(noticed, EVENTS.tick, T + 95_000).life;
		expect(runOut(step(stopped, EVENTS.left, T + 96_000).life)).toMatchObject({ at: T + 135_000 });
	});

	test("that comes late ends the job at once", () => {
		expect(shown(step(walk(PATHS.running), { type: "noticed", terminateAt: T + 10_000 }))).toBe("finishing interrupted SIGINT");
	});

	test("before the claim keeps the runner from being started", () => {
		expect(shown(step(walk(["identified", "noticed"]), EVENTS.claimed))).toBe("finishing remove claimed interrupted record");
	});

	test("does not hold up a machine whose job had ended by itself", () => {
		expect(runOut(walk([...PATHS.running, "noticed", "succeeded"])).at).toBe(T + LIMITS.linger);
	});
});

describe("conclusions", () => {
	const conclusion = (names: EventName[], event: Event) => {
		const found = step(walk(names), event).effects.find((effect) => effect.type === "report" && effect.phase === "finished");
		return found?.type === "report" ? found.reason : null;
	};

	test("a job cut short is a failure, though the runner calls it cancelled", () => {
		expect(conclusion([...PATHS.running, "signalled"], { type: "exited", code: 103, signal: null })).toBe("failure");
		expect(conclusion([...PATHS.running, "signalled"], EVENTS.left)).toBe("failure");
	});

	test("a job that was cancelled at GitHub is cancelled", () => {
		expect(conclusion(PATHS.running, { type: "exited", code: 103, signal: null })).toBe("cancelled");
	});

	test("the last line speaks when the exit code does not", () => {
		expect(conclusion([...PATHS.running, "completed"], EVENTS.left)).toBe("success");
	});

	test("of a runner that died with its job nothing is said", () => {
		expect(conclusion(PATHS.running, EVENTS.killed)).toBeNull();
	});
});

test("a runner is started again four times, with pauses that grow", () => {
	let life = walk(PATHS.preparing);
	const pauses: number[] = [];
	for (let now = T; life.stage !== "off"; ) {
		life = step(life, EVENTS.retryable, now).life;
		const next = nextAlarm(life);
		if (next === null) break;
		pauses.push(next.at - now);
		now = next.at;
		life = step(life, EVENTS.tick, now).life;
	}
	expect(pauses).toEqual([500, 1500, 4500, 13_500]);
	expect(life.why).toContain("could not be started");
});

test("whatever happens in whatever order, off comes by the deadline, once, and nothing comes after it", () => {
	const events = fc.array(fc.record({ name: fc.constantFrom(...(Object.keys(EVENTS) as EventName[])), after: fc.nat(400_000) }), {
		maxLength: 40,
	});
	fc.assert(
		fc.property(events, (happened) => {
			let now = T;
			let life = begin(now, CLOCKS);
			const effects: string[] = [];
			for (const { name, after } of happened) {
				for (let next = nextAlarm(life); next !== null && next.at <= now + after; next = nextAlarm(life)) {
					const turn = step(life, EVENTS.tick, next.at);
					effects.push(...turn.effects.map(word));
					life = turn.life;
				}
				now += after;
				const turn = step(life, EVENTS[name], now);
				effects.push(...turn.effects.map(word));
				life = turn.life;
			}
			const rest = runOut(life);
			effects.push(...rest.effects);
			expect(effects.filter((effect) => effect === "off")).toHaveLength(2);
			expect(effects.at(-1)).toBe("off");
			expect(rest.at).toBeLessThanOrEqual(Math.max(LIMITS.deadline, T + CLOCKS.claim));
		}),
		{ numRuns: 2000 },
	);
});
