// What a job is said to have cost: by rule, and through the front door of the rows.
import { describe, expect, test } from "bun:test";
import type { Machine, Timings } from "../../contract/job.ts";
import { costOf } from "../../relay/job-cost.ts";
import { machineOf, START } from "./ledger-rows.ts";

const machine = (usdPerHour?: number | null): Machine => ({ ...machineOf(1), usdPerHour });
const timings = (more: Partial<Timings>): Timings => ({
	...{ receivedAt: START, leasedAt: START, launchedAt: START, claimedAt: null, listeningAt: null, startedAt: null },
	...{ finishedAt: null, offAt: null, ...more },
});

describe("the cost of a job", () => {
	const rows: [claim: string, machine: Machine | null, at: Partial<Timings>, expected: object | null][] = [
		["an hour at a dollar is a dollar", machine(1), { offAt: START + 3_600_000 }, { usd: 1, seconds: 3600 }],
		["seconds are billed whole", machine(3600), { offAt: START + 61_001 }, { usd: 62, seconds: 62 }],
		["less than a minute is billed as one", machine(0.6), { offAt: START + 900 }, { usd: 0.01, seconds: 60 }],
		["without the machine's word it ends with its job", machine(1), { finishedAt: START + 1_800_000 }, { usd: 0.5, seconds: 1800 }],
		["the machine's word goes before the job's end", machine(1), { finishedAt: START, offAt: START + 360_000 }, { usd: 0.1, seconds: 360 }],
		["a fraction of a cent is told", machine(0.0713), { offAt: START + 85_000 }, { usd: 0.001683, seconds: 85 }],
		["a machine that is free costs nothing", machine(0), { offAt: START + 85_000 }, { usd: 0, seconds: 85 }],
		["what still runs has no cost yet", machine(1), { startedAt: START + 1 }, null],
		["without a price there is none", machine(null), { offAt: START + 1 }, null],
		["a poller that names no price is no price", machine(), { offAt: START + 1 }, null],
		["without a machine there is none", null, { offAt: START + 1 }, null],
		["a machine whose launch is not known has none", machine(1), { launchedAt: null, offAt: START + 1 }, null],
	];
	for (const [claim, its, at, expected] of rows) test(claim, () => expect(costOf(its, timings(at))).toEqual(expected as never));
});
