// Runs jobs again whose machines EC2 took, on EC2's own word and on GitHub's for which job ran where (DESIGN 5, FACTS 2.5).
import type { ResolvedConfig } from "../contract/config.ts";
import { resolveLabels } from "../contract/label.ts";
import { hasKey } from "../contract/label-keys.ts";
import type { RerunItem } from "../contract/lease.ts";
import { isInterruption } from "../contract/observe.ts";
import type { OutcomeBody } from "./outcome.ts";
import type { Instance, Ports, Run, RunJob } from "./ports.ts";
import { instanceIdOf } from "./runners.ts";

export async function rerun(ports: Ports, item: RerunItem): Promise<OutcomeBody> {
	const at = { repository: item.repository, installationId: item.installationId };
	const run = await ports.github.run(at, item.runId);
	// GitHub may say so once of a run that is there: the relay asks for some tries.
	if (!run) return { outcome: "failed", reason: "GitHub does not find the run" };
	const standing = whyNotNow(run, item.attempt, ports.now());
	if (standing) return standing;
	const instances = await ports.ec2.instances(item.machines.map(({ instanceId }) => instanceId));
	const taken = takenOf(item.machines, instances);
	if (!taken) {
		const reason = "an interrupted machine has not ended yet";
		return { outcome: "later", notBefore: ports.now() + MACHINE_ENDS_MS, class: "unknown", reason };
	}
	const jobs = await ports.github.attemptJobs(at, item.runId, item.attempt);
	if (!jobs) return { outcome: "failed", reason: "GitHub does not find the jobs of the run" };
	const choice = choose(jobs, taken, ports.config);
	// What was read does not change any more: another try would come to the same.
	if (choice.again === "none") return { outcome: "refused", reason: choice.reason };
	const answer = await (choice.again === "failed" ? ports.github.rerunFailedJobs(at, item.runId) : ports.github.rerunJob(at, choice.jobId));
	return answer.done ? { outcome: "reran" } : { outcome: "failed", reason: answer.reason };
}

/** An interrupted job ends up to 25 s before EC2 ends its machine, and only then is there a reason to read (docs/decisions/0001). */
const MACHINE_ENDS_MS = 2_000;

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

/**
 * The machines that EC2 took; null while one of them has yet to end, since there is no reason to read before. A machine's report is a hint that
 * a job can forge: what counts is EC2's answer, or, where EC2 lists the machine no longer, what it answered to the sweep. Pure.
 */
export function takenOf(machines: RerunItem["machines"], instances: readonly Instance[]): Set<string> | null {
	const taken = new Set<string>();
	for (const { instanceId, takenBack } of machines) {
		const found = instances.find((instance) => instance.instanceId === instanceId);
		const isTaken = found ? isInterruption(found.stateReason) : takenBack;
		if (isTaken) taken.add(instanceId);
		else if (found && found.state !== "terminated") return null;
	}
	return taken;
}

export type Choice = { again: "failed" } | { again: "job"; jobId: number } | { again: "none"; reason: string };

/**
 * What is run again of an attempt that has ended, with these machines taken. Which job ran on which machine is GitHub's word: machines swap
 * jobs. All that failed, unless a deploy job is among it; then the interrupted job alone, if it is one and the deploy job cannot depend on it,
 * since those that do run again with it. Pure.
 */
export function choose(jobs: readonly RunJob[], taken: ReadonlySet<string>, config: ResolvedConfig): Choice {
	const none = (reason: string): Choice => ({ again: "none", reason });
	const failed = jobs.filter(({ conclusion }) => !UNFAILED.includes(conclusion));
	const interrupted = failed.filter(({ runnerName }) => taken.has(instanceIdOf(runnerName ?? "") ?? ""));
	if (interrupted.length === 0) return none("EC2 does not say that it took the machine of a job that failed in this run");
	const [first, ...more] = interrupted.filter(({ labels }) => mayRunAgain(labels, config));
	if (!first) return none("the jobs whose machines EC2 took are not run again, by their tier or label");
	const deploys = failed.filter(({ labels }) => isDeploy(labels, config));
	if (deploys.length === 0) return { again: "failed" };
	const mayDepend = ({ createdAt }: RunJob) => first.completedAt === null || createdAt >= first.completedAt;
	if (more.length === 0 && !deploys.some(mayDepend)) return { again: "job", jobId: first.id };
	const names = deploys.map(({ id, name }) => `${id} (${name})`).join(", ");
	return none(`the run would be run again with deploy jobs that failed, which only a person may do: ${names}`);
}

const UNFAILED: readonly (string | null)[] = ["success", "skipped", "neutral", null];

/** A tier that is not known counts as a deploy tier; so does another stack's, of which nothing is known here. */
function isDeploy(labels: readonly string[], config: ResolvedConfig): boolean {
	const reading = resolveLabels(labels, config);
	if (reading.ok) return config.tiers[reading.request.tier]?.kind !== "build";
	return reading.ours || labels.some((label) => hasKey(label, "mayfly"));
}

/** Whether an interrupted job is one to run again: of a build tier, and not labelled `retry=false`. */
function mayRunAgain(labels: readonly string[], config: ResolvedConfig): boolean {
	const reading = resolveLabels(labels, config);
	return reading.ok && reading.request.retry && !isDeploy(labels, config);
}
