// Runs the failed jobs of a run again, when EC2 itself says that it took a machine away (DESIGN 5, FACTS 2.5).
import type { RerunItem } from "../contract/lease.ts";
import { isInterruption } from "../contract/observe.ts";
import type { OutcomeBody } from "./outcome.ts";
import type { Instance, Ports, Run } from "./ports.ts";

export async function rerun(ports: Ports, item: RerunItem): Promise<OutcomeBody> {
	const at = { repository: item.repository, installationId: item.installationId };
	const run = await ports.github.run(at, item.runId);
	if (!run) return { outcome: "gone" };
	const standing = whyNotNow(run, item.attempt, ports.now());
	if (standing) return standing;
	const instances = await ports.ec2.instances(item.machines.map(({ instanceId }) => instanceId));
	const isDeploy = (tier: string) => ports.config.tiers[tier]?.kind !== "build";
	if (!item.machines.some((machine) => isProven(machine, instances, isDeploy))) return unproven(item, instances, ports.now());
	const answer = await ports.github.rerunFailedJobs(at, item.runId);
	return answer.done ? { outcome: "reran" } : { outcome: "failed", reason: answer.reason };
}

/** An interrupted job ends up to 25 s before EC2 ends its machine, and only then is there a reason to read (docs/decisions/0001). */
const MACHINE_ENDS_MS = 2_000;

/** Without EC2's word: waits while a machine has yet to end, then there is nothing to rerun. Pure. */
export function unproven(item: Pick<RerunItem, "machines">, instances: readonly Instance[], now: number): OutcomeBody {
	const named = new Set(item.machines.map(({ instanceId }) => instanceId));
	const isEnding = instances.some(({ instanceId, state }) => named.has(instanceId) && state !== "terminated");
	if (!isEnding) return { outcome: "failed", reason: "EC2 does not say that it interrupted a machine of this run" };
	return { outcome: "later", notBefore: now + MACHINE_ENDS_MS, class: "unknown", reason: "an interrupted machine has not ended yet" };
}

const SHORTEST_MS = 5_000;
const LONGEST_MS = 60_000;

/** What speaks against a rerun now, as an outcome; null if nothing does. Pure. */
export function whyNotNow(run: Run, attempt: number, now: number): OutcomeBody | null {
	// Ours, with its answer lost, or a person's: either way it runs again.
	if (run.attempt > attempt) return { outcome: "reran" };
	if (run.status !== "completed") {
		// Soon while the run moves, ever less often while it does not.
		const pause = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (now - run.updatedAt) / 4));
		return { outcome: "later", notBefore: now + Math.round(pause), class: "throttled", reason: `the run is ${run.status}` };
	}
	if (run.conclusion === "cancelled") return { outcome: "refused", reason: "the run was cancelled" };
	if (run.conclusion === "success") return { outcome: "refused", reason: "the run succeeded all the same" };
	return null;
}

/** A machine's report is a hint and a job can forge it; this is read from EC2. An unknown tier counts as one that is never rerun. Pure. */
export function isProven(
	{ instanceId, jobId }: RerunItem["machines"][number],
	instances: readonly Instance[],
	isDeploy: (tier: string) => boolean,
): boolean {
	const found = instances.find((instance) => instance.instanceId === instanceId);
	if (!found || !isInterruption(found.stateReason) || isDeploy(found.tags["mayfly:tier"] ?? "")) return false;
	// `retry=false` in the job's label.
	if (found.tags["mayfly:retry"] === "false") return false;
	const tagged = found.tags["mayfly:job"];
	return tagged === undefined || tagged === String(jobId);
}
