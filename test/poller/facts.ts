// Facts as GitHub and EC2 give them, for tables of decisions: each test names only what it is about.
import { admitJob } from "../../poller/admit.ts";
import { type Candidate, type Group, planLaunches } from "../../poller/plan.ts";
import type { Run, RunJob } from "../../poller/ports.ts";
import { launchItem, resolved } from "./poller-world.ts";

export const NOW = 1_800_000_000_000;
export const config = resolved();
export const run: Run = {
	...{ id: 1, attempt: 1, status: "queued", conclusion: null, event: "push", path: ".github/workflows/ci.yml", headBranch: "main" },
	...{ headRepository: "octo-org/octo-repo", repository: "octo-org/octo-repo", actor: "mona", triggeringActor: "mona" },
	...{ repositoryId: 1296269, pullRequest: null, updatedAt: NOW },
};
export const job: RunJob = {
	...{ id: 7, name: "build", createdAt: NOW - 1000, completedAt: null, status: "queued", conclusion: null, runnerName: null },
	labels: ["mayfly=1/runner=small"],
};

/** A job that is admitted. */
export function candidate(
	id: number,
	more: { run?: Partial<Run>; labels?: string[]; attempt?: number; spot?: boolean; leaseId?: string } = {},
): Candidate {
	const itsRun = { ...run, ...more.run };
	const itsJob = { ...job, id, labels: more.labels ?? job.labels };
	const admitted = admitJob(itsRun, itsJob, null, config);
	if (!admitted.admitted) throw new Error(admitted.reason);
	const item = launchItem(id, 1, 5, { leaseId: more.leaseId ?? `lease-${id}` });
	return {
		item: { ...item, job: { ...item.job, attempt: more.attempt ?? 1 } },
		run: itsRun,
		job: itsJob,
		admitted,
		oidc: null,
		spot: more.spot ?? true,
	};
}
export const groupsOf = (...candidates: Candidate[]): Group[] => planLaunches(candidates).groups;
