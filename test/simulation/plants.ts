// Faults of the poller that are planted to see that a rule breaks: each is a mistake somebody made before, put in at the ports.
import type { Outcome } from "../../contract/settle.ts";
import type { Instance } from "../../poller/ports.ts";
import { machineOf } from "../relay/ledger-rows.ts";
import type { RelayModel } from "./relay.ts";
import type { Outside } from "./sessions.ts";

export const PLANTS = ["deaf", "acknowledgesFirst", "regroups", "counts", "endsUnasked", "ownBudget"] as const;
export type Plant = (typeof PLANTS)[number];

/** Settles a machine of its own making as soon as the launch is decided. */
function acknowledgingFirst({ relay }: Outside): Outside["relay"] {
	let made = 0xfffff;
	return {
		...relay,
		async settle(results) {
			const answer = await relay.settle(results);
			const early = results.filter(({ outcome, workId }) => outcome === "launching" && answer.settled[workId]);
			const launched = early.map(({ workId, leaseId }): Outcome => ({ workId, leaseId, outcome: "launched", ...machineOf(++made) }));
			if (launched.length > 0) await relay.settle(launched);
			return answer;
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

/** What a session of the poller meets instead of the world, with a plant. */
export function planted(plant: Plant | undefined, outside: Outside, relayModel: Pick<RelayModel, "forgetBudgets">): Outside {
	const { relay, github } = outside;
	switch (plant) {
		case "deaf":
			return { ...outside, github: { ...github, openRuns: async () => [], deliveriesSince: async () => [] } };
		case "acknowledgesFirst":
			return { ...outside, relay: acknowledgingFirst(outside) };
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
		default:
			return outside;
	}
}
