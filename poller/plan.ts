// Which jobs are launched together: those that want the same machine under the same conditions. Pure.
import type { LaunchItem } from "../contract/lease.ts";
import type { Grant } from "../contract/rule.ts";
import type { Admitted } from "./admit.ts";
import type { Run, RunJob } from "./ports.ts";

/** A job that may be launched now. */
export interface Candidate {
	item: LaunchItem;
	run: Run;
	job: RunJob;
	admitted: Admitted;
	/** By which the machine checks its job's token; null: it does not. */
	oidc: Grant["oidc"];
	/** Spot is asked for and nothing speaks against it. */
	spot: boolean;
}
/** Candidates for one fleet, in the order of their ids. Never empty. */
export interface Group {
	first: Candidate;
	members: Candidate[];
}
/** A launch that was decided before: every member that is here, of all that it names. */
export interface Replay {
	intent: NonNullable<LaunchItem["intent"]>;
	members: Candidate[];
}
export interface Plan {
	groups: Group[];
	replays: Replay[];
}

/** An intent names at most this many members (contract/lease.ts). */
const MOST_MEMBERS = 100;

/** All that must be equal for two jobs to share a CreateFleet: the request is then the same for both, tags included. */
function groupKey({ item, run, admitted, spot }: Candidate): string {
	const { installationId, attempt } = item.job;
	const { request, fork } = admitted;
	return JSON.stringify([run.repository.toLowerCase(), installationId, attempt, fork, spot, { ...request, spot: null, preset: null }]);
}

/** Earlier intents are kept whole; all else is grouped anew. */
export function planLaunches(candidates: readonly Candidate[]): Plan {
	const fresh = candidates.filter(({ item }) => item.intent === null);
	const replays = Map.groupBy(
		candidates.filter(({ item }) => item.intent !== null),
		({ item }) => item.intent?.token ?? "",
	);
	return {
		groups: [...Map.groupBy(fresh, groupKey).values()].flatMap(toGroups),
		replays: [...replays.values()].flatMap((members) => (members[0]?.item.intent ? [{ intent: members[0].item.intent, members }] : [])),
	};
}

function toGroups(alike: Candidate[]): Group[] {
	const sorted = alike.toSorted((one, other) => one.item.job.id - other.item.job.id);
	return Array.from({ length: Math.ceil(sorted.length / MOST_MEMBERS) }, (_, at) =>
		sorted.slice(at * MOST_MEMBERS, (at + 1) * MOST_MEMBERS),
	).flatMap((members) => (members[0] ? [{ first: members[0], members }] : []));
}
