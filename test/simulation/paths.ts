// Whether a job that GitHub shows queued is on its way to a machine: asked of EC2's model, since what the ledger believes may be wrong.
import { BOUNDS } from "./bounds.ts";
import type { Ec2Model } from "./ec2.ts";
import type { JobsModel, SimJob } from "./jobs.ts";
import type { RelayModel } from "./relay.ts";
import { MINUTE } from "./sessions.ts";
import type { Setting } from "./world.ts";

/** What the ledger says of a job that waits for another's machine to end (relay/caps.ts). */
const FULL = / has as many machines as it may have at a time: [0-9]+$/;

export function createPaths({ clock, broken }: Pick<Setting, "clock" | "broken">, { jobs, ec2, relay }: Models) {
	/** When a look last found that a job had a machine or a reason. */
	const hadAt = new Map<number, number>();
	const told = new Set<number>();

	/** What its seat in the ledger names is there, and young enough to boot still. */
	function hasMachine(seat: string | undefined): boolean {
		const machine = ec2.machines.get(seat ?? "");
		return machine !== undefined && machine.endedAt === null && clock.now() - machine.launchedAt <= BOUNDS.boot;
	}
	function lookAt(job: SimJob, quietSince: number): void {
		const record = relay.record(job.id);
		// Nobody promised this one a machine.
		if (job.refused && !record) return;
		const { state = "unknown to the relay", seat = null } = record ?? {};
		const now = clock.now();
		const isTold = state === "refused" || state === "dead" || (state === "queued" && FULL.test(relay.job(job.id)?.reason ?? ""));
		if (isTold || hasMachine(seat?.key)) {
			hadAt.set(job.id, now);
			return;
		}
		const since = Math.max(job.createdAt, quietSince);
		const waits = now - Math.max(since, hadAt.get(job.id) ?? 0);
		// A decision alone is no machine: launches that bring none, one or many, are no path for long.
		if (now - since <= BOUNDS.path || (state === "launching" && waits <= BOUNDS.path + BOUNDS.launch)) return;
		if (told.has(job.id)) return;
		told.add(job.id);
		const [queued, lost] = [now - job.createdAt, waits].map((ms) => Math.round(ms / MINUTE));
		broken(
			`job ${job.id} is queued for ${queued} minutes and has had neither a machine nor a reason for ${lost}: ${state}, ${record?.reason}`,
		);
	}
	return {
		/** Each minute once the faults have stopped. */
		look(quietSince: number): void {
			for (const job of jobs.open()) if (job.status === "queued") lookAt(job, quietSince);
		},
	};
}

interface Models {
	jobs: JobsModel;
	ec2: Ec2Model;
	relay: RelayModel;
}
