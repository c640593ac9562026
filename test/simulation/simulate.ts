// One simulated day from one seed: the real relay and the real poller between models of everything else.
import type { ResolvedConfig } from "../../contract/config.ts";
import { createDice } from "../dice.ts";
import { resolved } from "../poller/poller-world.ts";
import { START } from "../relay/ledger-rows.ts";
import { createClock } from "./clock.ts";
import { createEc2Model, type Ec2Model } from "./ec2.ts";
import { drawFaults, NO_FAULTS } from "./faults.ts";
import { createGitHubModel } from "./github.ts";
import { createInvariants } from "./invariants.ts";
import { createJobsModel } from "./jobs.ts";
import { bootMachine } from "./machine.ts";
import { type Plant, planted } from "./plants.ts";
import { createRelayModel } from "./relay.ts";
import { openRows } from "./rows.ts";
import { createMailboxModel, MINUTE, startSessions } from "./sessions.ts";
import type { Storage } from "./storage.ts";
import type { Setting } from "./world.ts";

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The last hours are without faults and without new work. */
const QUIET_FROM = 20 * HOUR;
const LABELS = [["mayfly=1/runner=small"], ["mayfly=1/cpu=4"], ["self-hosted", "linux"], ["mayfly=1/cpu=2/arch=arm64/spot=false"]];
/** The tier does not admit these, or nothing serves them. */
const REFUSED = [["mayfly=1/runner=own"], ["mayfly=1/pool=x"], ["somebody-else"]];

export interface Outcome {
	seed: number;
	problems: string[];
	trace: string[];
	jobs: number;
	launched: number;
	mostOpen: number;
	mostPoints: number;
}
export interface Options {
	/** Whether every line of the trace is kept. */
	trace?: boolean;
	config?: ResolvedConfig;
	plant?: Plant;
	/** Where the relay keeps its rows. */
	storage?: Storage;
}

export async function simulate(
	seed: number,
	{ trace = false, config = resolved(), plant, storage = openRows() }: Options = {},
): Promise<Outcome> {
	const dice = createDice(seed);
	const clock = createClock(START);
	const problems: string[] = [];
	const lines: string[] = [];
	let mostOpen = 0;
	const tell: Setting["tell"] = (who, what) => {
		if (!trace) return;
		const text = typeof what === "string" ? what : what();
		lines.push(`${((clock.now() - START) / 1000).toFixed(1).padStart(9)} ${who.padEnd(7)} ${text}`);
	};
	const broken = (what: string) => {
		if (problems.length < 20) problems.push(`after ${((clock.now() - START) / 1000).toFixed(1)} s: ${what}`);
		tell("BROKEN", what);
	};
	const setting: Setting = { clock, dice, faults: { now: drawFaults(dice) }, tell, broken };
	tell("day", JSON.stringify(setting.faults.now));
	const mailbox = createMailboxModel((instanceId, ip) => {
		if (ec2.machines.get(instanceId)?.privateIp !== ip) broken(`the boot document of ${instanceId} lies at ${ip}, where it does not look`);
	});
	const relay = createRelayModel(setting, storage, (instanceId) => {
		if (!ec2.machines.has(instanceId)) broken(`${instanceId} was settled as launched and does not exist`);
	});
	const jobs = createJobsModel(setting, relay.deliver);
	const github = createGitHubModel(setting, jobs);
	const machines = { github, mailbox, ec2: (): Ec2Model => ec2, report: relay.report };
	const ec2 = createEc2Model(setting, (machine) => bootMachine(setting, machines, machine));
	const invariants = createInvariants(setting, { jobs, github, ec2, relay });
	const outside = { relay: relay.port, github: github.port, ec2: ec2.port, mailbox: mailbox.port, config };
	startSessions(setting, planted(plant, outside, relay), config.infrastructure.stack);

	function work(): void {
		if (clock.now() - START > QUIET_FROM) return;
		const isRush = dice.chance(0.01);
		const count = isRush ? 100 + dice.below(300) : 1 + dice.below(8);
		const refused = dice.chance(0.05);
		const kinds = refused ? REFUSED : LABELS;
		const alike = dice.pick(kinds) ?? [];
		const labels = () => (dice.chance(0.7) ? alike : (dice.pick(kinds) ?? alike));
		jobs.push("octo-org/octo-repo", count, labels, { refused });
		github.matchSoon();
		clock.after(dice.below(40 * MINUTE), work);
	}
	function cancel(): void {
		clock.after(dice.below(HOUR), cancel);
		const waiting = jobs.open().filter(({ status }) => status === "queued");
		if (dice.chance(setting.faults.now.cancelled)) for (const job of waiting.slice(0, 3)) jobs.cancel(job);
	}
	function look(): void {
		invariants.look();
		mostOpen = Math.max(mostOpen, jobs.open().length);
		clock.after(MINUTE, look);
	}
	work();
	cancel();
	look();
	clock.after(QUIET_FROM, () => {
		tell("day", "the faults stop");
		setting.faults.now = NO_FAULTS;
	});
	clock.run(START + DAY, () => undefined);
	invariants.end(START + QUIET_FROM);
	const launched = ec2.machines.size;
	return { seed, problems, trace: lines, jobs: jobs.jobs.size, launched, mostOpen, mostPoints: github.mostPoints() };
}
