// Whether jobs whose spot machines EC2 took back are run again, and none that must not be.
import { BOUNDS } from "./bounds.ts";
import type { Ec2Model, Machine } from "./ec2.ts";
import type { GitHubModel } from "./github.ts";
import type { JobsModel, SimJob, SimRun } from "./jobs.ts";
import { MINUTE } from "./sessions.ts";
import type { Setting } from "./world.ts";

/** EC2 lists a machine that has ended for an hour: of one taken back in this time before the faults stopped its reason can still be read. */
const READABLE = 30 * MINUTE;

export function createReruns({ clock, broken }: Pick<Setting, "clock" | "broken">, { jobs, ec2, github }: Models) {
	const told = new Set<number>();
	const machineOf = ({ runnerName }: SimJob): Machine | undefined => ec2.machines.get(/i-[0-9a-f]+/.exec(runnerName ?? "")?.[0] ?? "");
	const isDeploy = (machine: Machine | undefined) => machine?.tags["mayfly:tier"] !== "build";
	const failedOf = (run: SimRun) => run.jobs.filter(({ attempt, conclusion }) => attempt === run.attempt && conclusion === "failure");

	/** EC2 took the machine while it ran this job, and the job may be run again. */
	function isLost(job: SimJob, quietSince: number): boolean {
		const machine = machineOf(job);
		if (!machine || machine.served || isDeploy(machine) || machine.tags["mayfly:retry"] === "false") return false;
		return machine.stateReason === "Server.SpotInstanceTermination" && (machine.endedAt ?? 0) > quietSince - READABLE;
	}
	github.onRerun((run) => {
		const job = failedOf(run).find((it) => it.runnerName !== null && isDeploy(machineOf(it)));
		if (job) broken(`run ${run.id} was run again with job ${job.id}, which is not of a build tier`);
	});
	return {
		/** Each minute once the faults have stopped. What was run again once is not again. */
		look(quietSince: number): void {
			for (const run of jobs.runs.values()) {
				if (run.attempt > 1 || run.updatedAt < quietSince - READABLE || told.has(run.id)) continue;
				if (jobs.statusOf(run).status !== "completed" || clock.now() - Math.max(run.updatedAt, quietSince) <= BOUNDS.rerun) continue;
				const lost = failedOf(run).find((job) => isLost(job, quietSince));
				if (!lost) continue;
				told.add(run.id);
				broken(`run ${run.id} has ended and was not run again: EC2 took the machine of job ${lost.id}`);
			}
		},
	};
}

interface Models {
	jobs: JobsModel;
	ec2: Ec2Model;
	github: GitHubModel;
}
