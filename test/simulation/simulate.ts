// One simulated day from one seed: the real relay and the real poller between models of everything else.
import type { ResolvedConfig } from "../../contract/config.ts";
import { createDice } from "../dice.ts";
import { CONFIG, resolved } from "../poller/poller-world.ts";
import { START } from "../relay/ledger-rows.ts";
import { createClock } from "./clock.ts";
import { drawFaults, NO_FAULTS } from "./faults.ts";
import { startModels } from "./models.ts";
import type { Plant } from "./plants.ts";
import { openRows } from "./rows.ts";
import { MINUTE } from "./sessions.ts";
import type { Storage } from "./storage.ts";
import type { Setting } from "./world.ts";

const HOUR = 60 * MINUTE;
/** Every so many-th day relay and poller talk in JSON. It costs a tenth more, and changes nothing unless something is wrong. */
const JSON_EVERY = 10;
const DAY = 24 * HOUR;
/** The last hours are without faults and without new work. */
const QUIET_FROM = 20 * HOUR;
const LABELS = [["mayfly=1/runner=small"], ["mayfly=1/cpu=4"], ["self-hosted", "linux"], ["mayfly=1/cpu=2/arch=arm64/spot=false"]];
/** The tier does not admit these, or nothing serves them. */
const REFUSED = [["mayfly=1/runner=own"], ["mayfly=1/pool=x"], ["somebody-else"]];
const DEPLOY = ["mayfly=1/runner=ship"];
/** Runs that ask for a deploy machine: the first may have one, the others must not. */
const DEPLOYS = [
	{ approved: true, environment: "production" },
	{ approved: false, environment: "production" },
	{ approved: true, environment: "staging" },
	{ approved: true, environment: null },
	{ approved: true, environment: "production", headBranch: "feature" },
	{ approved: true, environment: "production", event: "pull_request" },
	{ approved: true, environment: "production", event: "pull_request_target", fork: true },
];
/** Below what the rushes ask for. All is one repository's: on every other day the owner's cap is the one that holds it back. */
const CAPS = ["maxMachines: 350, maxMachinesPerRepository: 300", "maxMachines: 300, maxMachinesPerRepository: 350"];
/** The tests' own, with a deploy tier and caps. */
const configText = (caps: string) =>
	CONFIG.replace("owners: [{ name: octo-org }]", `owners: [{ name: octo-org, ${caps} }]`)
		.replace("presets:", "protectedEnvironments: [production]\npresets:\n  ship: { tier: deploy, cpu: 2, image: x64 }")
		.concat(
			"  deploy: { kind: deploy, runnerGroupId: 2, requireApproval: true, allow: { refs: [refs/heads/main], environments: [production] } }\n",
		);
/** Read once: nobody changes it. */
const DAYS_CONFIGS = CAPS.map((caps) => resolved(configText(caps)));

export interface Outcome {
	seed: number;
	problems: string[];
	trace: string[];
	jobs: number;
	launched: number;
	peaks: Peaks;
}
/** The most that there was of what has a bound. */
export interface Peaks {
	/** Open jobs at once. */
	open: number;
	/** Machines alive beyond the open jobs. */
	spare: number;
	/** Machines beyond what their owner or repository may have. */
	over: number;
	/** GitHub's points in a minute. */
	points: number;
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
	{ trace = false, config = DAYS_CONFIGS[seed % CAPS.length] as ResolvedConfig, plant, storage = openRows() }: Options = {},
): Promise<Outcome> {
	const dice = createDice(seed);
	const clock = createClock(START);
	const problems: string[] = [];
	const lines: string[] = [];
	const peaks: Peaks = { open: 0, spare: 0, over: 0, points: 0 };
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
	const deathOf = () => (dice.chance(setting.faults.now.pollerDies) ? { call: dice.below(300), after: dice.chance(0.5) } : null);
	const { jobs, github, ec2, invariants } = startModels(setting, { config, storage, plant, deathOf, isJson: seed % JSON_EVERY === 0 });

	/** On some days a push brings more than a thousand jobs. */
	const isHuge = dice.chance(0.05);
	if (isHuge)
		clock.after(dice.below(12) * HOUR, () => jobs.push("octo-org/octo-repo", 1000 + dice.below(200), () => dice.pick(LABELS) ?? []));
	function work(): void {
		if (clock.now() - START > QUIET_FROM) return;
		const isRush = dice.chance(0.01);
		const count = isRush ? 100 + dice.below(isHuge ? 1200 : 300) : 1 + dice.below(8);
		const refused = dice.chance(0.05);
		const kinds = refused ? REFUSED : LABELS;
		const alike = dice.pick(kinds) ?? [];
		if (dice.chance(0.05)) {
			const kind = dice.pick(DEPLOYS) ?? {};
			jobs.push("octo-org/octo-repo", 1 + dice.below(3), () => DEPLOY, { ...kind, refused: kind !== DEPLOYS[0] });
		}
		if (dice.chance(0.02)) jobs.push("octo-org/octo-repo", 1, () => LABELS[0] ?? [], { environment: "production", refused: true });
		if (dice.chance(setting.faults.now.forged)) jobs.forge(dice.pick([...LABELS, DEPLOY]) ?? DEPLOY);
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
	let quietSince: number | null = null;
	function look(): void {
		peaks.over = Math.max(peaks.over, invariants.look(quietSince));
		const open = jobs.open().length;
		peaks.open = Math.max(peaks.open, open);
		peaks.spare = Math.max(peaks.spare, ec2.alive().length - open);
		clock.after(MINUTE, look);
	}
	work();
	cancel();
	look();
	clock.after(QUIET_FROM, () => {
		// So that there are runs of which nothing but their interruption speaks against a rerun.
		ec2.takeBack(setting.faults.now.interrupted);
		tell("day", "the faults stop");
		setting.faults.now = NO_FAULTS;
		quietSince = clock.now();
	});
	clock.run(START + DAY, () => undefined);
	invariants.end(START + QUIET_FROM);
	const launched = ec2.machines.size;
	return { seed, problems, trace: lines, jobs: jobs.jobs.size, launched, peaks: { ...peaks, points: github.mostPoints() } };
}
