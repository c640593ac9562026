// The poller is killed at every call that it makes while it launches, checks and ends machines: before the call had its effect, and after.
// Which calls there are is counted, not chosen.
import { expect, test } from "bun:test";
import { createDice } from "../dice.ts";
import { resolved } from "../poller/poller-world.ts";
import { START } from "../relay/ledger-rows.ts";
import { createClock } from "./clock.ts";
import { NO_FAULTS } from "./faults.ts";
import { startModels } from "./models.ts";
import { openRows } from "./rows.ts";
import { type Death, MINUTE } from "./sessions.ts";
import type { Setting } from "./world.ts";

const REPOSITORY = "octo-org/octo-repo";
const JOBS = 5;

/** Half an hour with five jobs of two kinds, one of them cancelled while its machine boots, in which the first session dies so. */
function halfAnHour(death: Death | null) {
	const clock = createClock(START);
	const problems: string[] = [];
	const setting: Setting = {
		...{ clock, dice: createDice(1), faults: { now: NO_FAULTS }, tell: () => undefined },
		broken: (what) => void problems.push(what),
	};
	let isDead = false;
	const deathOf = (session: number) => (session === 1 ? death : null);
	const { jobs, github, ec2, relay, invariants } = startModels(setting, {
		...{ config: resolved(), storage: openRows(), deathOf },
		onDeath: () => {
			isDead = true;
		},
	});
	clock.after(100, () => {
		jobs.push(REPOSITORY, 3, () => ["mayfly=1/runner=small"]);
		jobs.push(REPOSITORY, 2, () => ["mayfly=1/cpu=4"]);
	});
	clock.after(6000, () => jobs.cancel([...jobs.jobs.values()].at(-1) as never));
	clock.run(START + 30 * MINUTE, () => undefined);
	invariants.end(START);
	const completed = [...jobs.jobs.values()];
	return {
		isDead,
		problems,
		states: completed.map(({ id }) => relay.job(id)?.state),
		conclusions: completed.map(({ conclusion }) => conclusion ?? "open"),
		ranOn: completed.flatMap(({ runnerName }) => runnerName ?? []),
		launched: ec2.machines.size,
		alive: ec2.alive().length,
		runners: [...github.runners.values()].map(({ name }) => name),
	};
}

/** What nobody may lose, whoever died when. */
function expectWhole(end: ReturnType<typeof halfAnHour>, when: string): void {
	const { problems, states, conclusions, launched, alive, runners, ranOn } = end;
	expect({ when, problems, states, alive, runners }).toEqual({
		when,
		problems: [],
		states: Array(JOBS).fill("done"),
		alive: 0,
		runners: [],
	});
	expect({ when, open: conclusions.includes("open") }).toEqual({ when, open: false });
	// While nobody polls, jobs take each other's machines, and one of a launch that nobody waits for any more may end unused.
	expect({ when, isFew: launched <= JOBS + 2 }).toEqual({ when, isFew: true });
	expect({ when, ranOn: new Set(ranOn).size }).toEqual({ when, ranOn: ranOn.length });
}

test("without a death everything is done with one machine for each job", () => {
	const end = halfAnHour(null);
	expectWhole(end, "never");
	expect(end.launched).toBe(JOBS);
});

test("killed at any call, before or after its effect: no job is lost, none has two machines, no runner and no machine is left over", () => {
	let calls = 0;
	for (const after of [false, true]) {
		for (let call = 0; ; call++) {
			const end = halfAnHour({ call, after });
			if (!end.isDead) break;
			expectWhole(end, `at call ${call}, ${after ? "after" : "before"} its effect`);
			calls += 1;
		}
	}
	// The session leases, reads, launches, registers, writes, settles and sweeps until its time is up.
	expect(calls).toBeGreaterThan(200);
}, 300_000);
