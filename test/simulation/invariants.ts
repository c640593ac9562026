// What must hold after every step of a run, with the bounds.
import type { CreateFleetCommandInput } from "@aws-sdk/client-ec2";
import type { ResolvedConfig } from "../../contract/config.ts";
import type { Outcome } from "../../contract/settle.ts";
import { BOUNDS } from "./bounds.ts";
import type { Ec2Model, Machine } from "./ec2.ts";
import type { GitHubModel } from "./github.ts";
import type { JobsModel } from "./jobs.ts";
import { createPaths } from "./paths.ts";
import type { RelayModel } from "./relay.ts";
import { createReruns } from "./reruns.ts";
import { createRoomLook } from "./room.ts";
import { MINUTE } from "./sessions.ts";
import type { Setting } from "./world.ts";

export interface Models {
	jobs: JobsModel;
	github: GitHubModel;
	ec2: Ec2Model;
	relay: RelayModel;
	config: ResolvedConfig;
}

/** The tier that a fleet's machines are tagged with. */
function tierOf({ TagSpecifications = [] }: CreateFleetCommandInput): string {
	return TagSpecifications[0]?.Tags?.find(({ Key }) => Key === "mayfly:tier")?.Value ?? "";
}

/** What is looked at after every step must be cheap; the rest is asked for each minute. */
export function createInvariants(setting: Setting, { jobs, github, ec2, relay, config }: Models) {
	const { clock, broken } = setting;
	const reruns = createReruns(setting, { jobs, ec2, github });
	const lookAtRoom = createRoomLook(setting, { jobs, ec2, relay }, config);
	const paths = createPaths(setting, { jobs, ec2, relay });
	const jobOn = (machine: Machine) => [...github.runners.values()].find(({ name }) => name.includes(machine.instanceId))?.job ?? null;
	ec2.onTerminate((machine) => {
		const job = jobOn(machine);
		const age = clock.now() - machine.launchedAt;
		if (job && job.status === "in_progress" && age < BOUNDS.life) broken(`${machine.instanceId} was terminated while it ran job ${job.id}`);
	});
	function deciding(what: string, members: readonly number[], tier: string): void {
		for (const id of members) {
			const job = jobs.jobs.get(id);
			if (!job) broken(`${what} for job ${id}, which GitHub does not know`);
			else if (!jobs.mayHave(job, tier)) broken(`${what} of tier ${tier} for job ${id}, which it must not admit`);
		}
	}
	ec2.onFleet((request) => {
		const token = request.ClientToken ?? "";
		// The fallback's is told apart by its end (docs/decisions/0003).
		const intent = relay.intent(token.replace(/-od$/, ""));
		if (!intent) return broken(`a fleet was asked for under ${token}, and the ledger holds no such launch`);
		const machines = request.TargetCapacitySpecification?.TotalTargetCapacity ?? 0;
		if (machines > intent.members.length) broken(`a fleet of ${machines} was asked for by a launch for ${intent.members.length} jobs`);
		deciding("a fleet was asked for", intent.members, tierOf(request));
	});
	return {
		/** What a poller is about to say of a launch. */
		settling(result: Outcome): void {
			if (result.outcome === "launched" && !ec2.machines.has(result.instanceId))
				broken(`${result.instanceId} was settled as launched and does not exist`);
			if (result.outcome !== "launching") return;
			deciding("a launch was decided", result.members, tierOf((result.request.first ?? {}) as CreateFleetCommandInput));
		},
		/** Each minute. `quietSince`: when the faults stopped, once they have. */
		look(quietSince: number | null): number {
			const over = lookAtRoom();
			if (quietSince !== null) {
				paths.look(quietSince);
				reruns.look(quietSince);
			}
			const alive = ec2.alive();
			const open = jobs.open().length;
			const old = alive.find(({ launchedAt }) => clock.now() - launchedAt > BOUNDS.life);
			if (old) broken(`${old.instanceId} is older than its limits`);
			if (alive.length > open + BOUNDS.spare) broken(`${alive.length} machines are alive for ${open} open jobs`);
			return over;
		},
		/** At the end, when there have been no faults for a long time. */
		end(quietSince: number): void {
			for (const job of jobs.open()) {
				const record = relay.record(job.id);
				const since = Math.max(job.createdAt, quietSince);
				// Nobody promised this one a machine.
				if (job.refused && !record) continue;
				if (job.status !== "queued" || clock.now() - since < BOUNDS.path) continue;
				if (record?.state === "refused" || record?.state === "dead") continue;
				broken(
					`job ${job.id} waits since ${Math.round((clock.now() - job.createdAt) / MINUTE)} minutes: ${record?.state ?? "unknown to the relay"}, ${record?.reason}`,
				);
			}
			for (const machine of ec2.alive()) {
				if (clock.now() - machine.launchedAt > BOUNDS.path + 6 * 60 * MINUTE) broken(`${machine.instanceId} is left over`);
			}
			for (const runner of github.runners.values()) {
				const machine = ec2.machines.get(/i-[0-9a-f]+/.exec(runner.name)?.[0] ?? "");
				const isGone = !machine || (machine.endedAt !== null && clock.now() - machine.endedAt > BOUNDS.path);
				if (isGone && !runner.job) broken(`runner ${runner.name} is registered and has no machine`);
			}
		},
	};
}
