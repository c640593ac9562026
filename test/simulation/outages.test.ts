// Hours in which one call of EC2 or GitHub always fails and all else is well: what becomes of the jobs, what it costs, what people read.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Ec2Error } from "../../poller/ec2.ts";
import { GitHubError } from "../../poller/github-error.ts";
import type { Ec2, GitHub } from "../../poller/ports.ts";
import { createDice } from "../dice.ts";
import { resolved } from "../poller/poller-world.ts";
import { START } from "../relay/ledger-rows.ts";
import { createClock } from "./clock.ts";
import { NO_FAULTS } from "./faults.ts";
import { startModels } from "./models.ts";
import { openRows } from "./rows.ts";
import { MINUTE } from "./sessions.ts";
import type { Setting } from "./world.ts";

// Hours of a busy stack: seconds on a quiet machine, several times that beside another test.
setDefaultTimeout(60_000);

const HOUR = 60 * MINUTE;
const JOBS = 5;
/** The session that begins with the world has its calls already: the outage begins when it is over. */
const FIRST_SESSION = 16 * MINUTE;

interface Outage {
	ec2?: Partial<Record<keyof Ec2, Error>>;
	github?: Partial<Record<keyof GitHub, Error>>;
	minutes: number;
	jobs?: number;
	/** The call is done all the same. */
	isDone?: boolean;
}

/** A world with some jobs, queued when the outage begins. Its call fails for so many minutes. */
function worldWith({ ec2 = {}, github = {}, minutes, jobs = JOBS, isDone = false }: Outage) {
	const clock = createClock(START);
	const problems: string[] = [];
	const setting: Setting = {
		...{ clock, dice: createDice(1), faults: { now: NO_FAULTS }, tell: () => undefined },
		broken: (what) => void problems.push(what),
	};
	const world = startModels(setting, { config: resolved(), storage: openRows(), deathOf: () => null });
	const from = START + FIRST_SESSION;
	const until = from + minutes * MINUTE;
	const calls: unknown[] = [];
	type Call = (...values: unknown[]) => Promise<unknown>;
	const failing = (port: object, errors: object) => {
		const asked = port as Record<string, Call>;
		for (const [name, error] of Object.entries(errors)) {
			const call = asked[name] as Call;
			asked[name] = async (...values) => {
				if (clock.now() < from || clock.now() >= until) return call(...values);
				calls.push(values[0]);
				await (isDone ? call(...values) : clock.sleep(100));
				throw error;
			};
		}
	};
	failing(world.ec2.port, ec2);
	failing(world.github.port, github);
	clock.after(FIRST_SESSION, () => world.jobs.push("octo-org/octo-repo", jobs, () => ["mayfly=1/runner=small"]));
	const runTo = (moment: number) => clock.run(moment, () => undefined);
	const records = () => [...world.jobs.jobs.keys()].map((id) => world.relay.record(id));
	const machines = () => [...world.ec2.machines.values()];
	return { ...world, from, until, calls, problems, runTo, records, machines };
}

const lifeOf = ({ launchedAt, endedAt }: { launchedAt: number; endedAt: number | null }) =>
	(endedAt ?? Number.POSITIVE_INFINITY) - launchedAt;

describe("EC2", () => {
	test("that never answers a launch is asked under one token, ever less often, and gives the job up with its words", () => {
		const broken = new Ec2Error("CreateFleet", "InternalError", 500, "we broke");
		const world = worldWith({ ec2: { createFleet: broken }, minutes: 20 * 60, jobs: 1 });
		world.runTo(world.from + HOUR);
		expect(world.records()).toMatchObject([{ state: "launching", reason: "CreateFleet: InternalError we broke" }]);
		world.runTo(world.from + 7 * HOUR);
		const reason = "given up after waiting for throttled: CreateFleet: InternalError we broke";
		expect(world.records()).toMatchObject([{ state: "dead", reason }]);
		expect(world.calls.length).toBeLessThan(100);
		expect(new Set(world.calls.map((call) => (call as { ClientToken: string }).ClientToken)).size).toBe(1);
		expect(world.problems).toEqual([]);
	});

	test("that launches and loses its answers for some minutes gives the job the machine that it has", () => {
		const lost = new Ec2Error("CreateFleet", "TimeoutError", null, "");
		const world = worldWith({ ec2: { createFleet: lost }, minutes: 4, jobs: 1, isDone: true });
		world.runTo(world.from + HOUR);
		expect(world.records()).toMatchObject([{ state: "done", failedBoots: 0 }]);
		expect(world.calls.length).toBeGreaterThan(3);
		expect(world.machines()).toHaveLength(1);
		expect(world.problems).toEqual([]);
	});

	test("that refuses to list machines ends the job in minutes, and says what it refused", () => {
		const denied = new Ec2Error("DescribeInstances", "UnauthorizedOperation", 403, "not you");
		const world = worldWith({ ec2: { instances: denied }, minutes: 20 * 60 });
		world.runTo(world.from + HOUR);
		const reason = "failed 11 times: DescribeInstances: UnauthorizedOperation not you";
		expect(world.records()).toMatchObject(Array(JOBS).fill({ state: "dead", reason }));
		expect(world.machines()).toHaveLength(JOBS);
		expect(world.problems).toEqual([]);
	});

	test("that has forgotten a machine by the time its launch goes on brings another one", () => {
		const world = worldWith({ ec2: { instances: new Ec2Error("DescribeInstances", "Unavailable", 503, "") }, minutes: 90 });
		world.runTo(world.until + HOUR);
		expect(world.records()).toMatchObject(Array(JOBS).fill({ state: "done", failedBoots: 1 }));
		expect(world.machines()).toHaveLength(2 * JOBS);
		expect(world.problems).toEqual([]);
	});
});

describe("GitHub", () => {
	const down = new GitHubError("POST /generate-jitconfig", 502, "Bad Gateway", null);

	test("that registers no runners costs few machines of a minute each and no boots, and the jobs run within minutes after", () => {
		const world = worldWith({ github: { createRunner: down }, minutes: 46 });
		world.runTo(world.until);
		const inVain = world.machines();
		expect(inVain.length).toBeLessThanOrEqual(JOBS + 20);
		expect(Math.max(...inVain.filter(({ endedAt }) => endedAt !== null).map(lifeOf))).toBeLessThan(90_000);
		for (const job of world.records()) {
			expect(job).toMatchObject({ failedBoots: 0 });
			expect(job?.history.at(-1)?.reason ?? "").toMatch(/502 Bad Gateway|a launch was decided/);
		}
		world.runTo(world.until + 5 * MINUTE);
		expect(world.records().map((job) => job?.startedAt)).not.toContain(null);
		world.runTo(world.until + 2 * HOUR);
		expect(world.records()).toMatchObject(Array(JOBS).fill({ state: "done", failedBoots: 0 }));
		expect(world.machines().length).toBeLessThanOrEqual(inVain.length + JOBS);
		expect(world.problems).toEqual([]);
	});

	test("that registers runners and loses every answer leaves none without a machine, and no machine without a job", () => {
		const lost = new GitHubError("POST /generate-jitconfig", null, "timed out", null);
		const world = worldWith({ github: { createRunner: lost }, minutes: 46, isDone: true });
		world.runTo(world.until + 2 * HOUR);
		expect(world.records()).toMatchObject(Array(JOBS).fill({ state: "done", failedBoots: 0 }));
		world.invariants.end(world.until);
		expect(world.problems).toEqual([]);
		expect([...world.github.runners.values()]).toEqual([]);
		expect(world.ec2.alive()).toEqual([]);
	});

	test("that registers none for longer than a job waits gives it up with its words", () => {
		const world = worldWith({ github: { createRunner: down }, minutes: 20 * 60 });
		world.runTo(world.from + 7 * HOUR);
		const reason = expect.stringMatching(/^given up after waiting for throttled: POST \/generate-jitconfig: 502 Bad Gateway$/);
		expect(world.records()).toMatchObject(Array(JOBS).fill({ state: "dead", failedBoots: 0, reason }));
		expect(world.problems).toEqual([]);
	});
});
