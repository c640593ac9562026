// Faults of the poller that are planted to see that a rule breaks: each is a mistake somebody made before, put in at the ports.
import type { Outcome } from "../../contract/settle.ts";
import { Ec2Error } from "../../poller/ec2.ts";
import type { Instance } from "../../poller/ports.ts";
import { START } from "../relay/ledger-rows.ts";
import type { RelayModel } from "./relay.ts";
import type { Outside } from "./sessions.ts";

export const PLANTS = [
	"sleeps",
	"decides",
	"deaf",
	"acknowledgesFirst",
	"writesNothing",
	"regroups",
	"counts",
	"endsUnasked",
	"ownBudget",
	"uncapped",
] as const;
export type Plant = (typeof PLANTS)[number];

/**
 * Takes a job off the queue as soon as its launch is decided, as one does who deletes a message once it is read: the launch goes on, and
 * where it fails, or the poller dies, nobody makes it again.
 */
function acknowledgingFirst({ relay }: Outside): Outside["relay"] {
	const over = { outcome: "notQueued", status: "completed", conclusion: null, runnerName: null } as const;
	const taken = new Set<string>();
	return {
		...relay,
		async settle(results) {
			const answer = await relay.settle(results.filter(({ outcome, workId }) => outcome !== "launched" || !taken.has(workId)));
			const early = results.filter(({ outcome, workId }) => outcome === "launching" && answer.settled[workId]);
			for (const { workId } of early) taken.add(workId);
			if (early.length > 0) await relay.settle(early.map(({ workId, leaseId }): Outcome => ({ workId, leaseId, ...over })));
			return answer;
		},
	};
}

/** Launches without having written down that it does. */
function unwriting({ relay }: Outside): Outside["relay"] {
	return {
		...relay,
		async settle(results) {
			const answer = await relay.settle(results.filter(({ outcome }) => outcome !== "launching"));
			const unwritten = results.filter(({ outcome }) => outcome === "launching");
			return { ...answer, settled: { ...answer.settled, ...Object.fromEntries(unwritten.map(({ workId }) => [workId, { state: null }])) } };
		},
	};
}

/** Takes what EC2 lists for what was asked for, one after the other. */
function counting({ ec2 }: Outside): Outside["ec2"] {
	return {
		...ec2,
		async instances(ids) {
			const listed = await ec2.instances(ids);
			return listed.map((instance, at): Instance => ({ ...instance, instanceId: ids[at] ?? instance.instanceId }));
		},
	};
}

const HOUR = 3_600_000;
/** Of the day: over before its end, so that all is well again when it is looked at last. */
const SLEEPS_FROM = 19.5 * HOUR;
const SLEEPS_UNTIL = 23 * HOUR;

type Now = () => number;
const isAsleep = (now: Now) => now() - START > SLEEPS_FROM && now() - START < SLEEPS_UNTIL;

/** Takes no launches for some hours, in which the faults stop. */
function sleeping({ relay }: Outside, now: Now): Outside["relay"] {
	return {
		...relay,
		async lease(request) {
			const answer = await relay.lease(request);
			return isAsleep(now) ? { ...answer, work: answer.work.filter(({ kind }) => kind !== "launch") } : answer;
		},
	};
}

/** Decides on launches for some hours, and makes none. */
function deciding({ ec2 }: Outside, now: Now): Outside["ec2"] {
	return {
		...ec2,
		async createFleet(request) {
			if (isAsleep(now)) throw new Ec2Error("CreateFleet", "TimeoutError", null, "planted");
			return ec2.createFleet(request);
		},
	};
}

/** What a session of the poller meets instead of the world, with a plant. */
export function planted(plant: Plant | undefined, outside: Outside, relayModel: Pick<RelayModel, "forgetBudgets">, now: Now): Outside {
	const { relay, github } = outside;
	switch (plant) {
		case "sleeps":
			return { ...outside, relay: sleeping(outside, now) };
		case "decides":
			return { ...outside, ec2: deciding(outside, now) };
		case "deaf":
			return { ...outside, github: { ...github, openRuns: async () => [], deliveriesSince: async () => [] } };
		case "acknowledgesFirst":
			return { ...outside, relay: acknowledgingFirst(outside) };
		case "writesNothing":
			return { ...outside, relay: unwriting(outside) };
		case "regroups":
			return {
				...outside,
				relay: {
					...relay,
					async lease(request) {
						const answer = await relay.lease(request);
						return { ...answer, work: answer.work.map((item) => (item.kind === "launch" ? { ...item, intent: null } : item)) };
					},
				},
			};
		case "counts":
			return { ...outside, ec2: counting(outside) };
		case "endsUnasked":
			return { ...outside, github: { ...github, deleteRunner: async () => "deleted" } };
		case "ownBudget": {
			const sessions = new Set<string>();
			const lease: Outside["relay"]["lease"] = (request) => {
				if (!sessions.has(request.session)) relayModel.forgetBudgets();
				sessions.add(request.session);
				return relay.lease(request);
			};
			return { ...outside, relay: { ...relay, lease } };
		}
		case "uncapped":
			return { ...outside, relay: { ...relay, lease: (request) => relay.lease({ ...request, caps: {} }) } };
		default:
			return outside;
	}
}
