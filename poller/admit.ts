// Whether a job that waits may have the machine it asks for: owner, labels, tier (DESIGN 7). Pure; unknown is refused.
import type { Owner, ResolvedConfig, Tier } from "../contract/config.ts";
import { type MachineRequest, resolveLabels } from "../contract/label.ts";
import { admits, type RuleFacts } from "../contract/rule.ts";
import type { Run, RunJob } from "./ports.ts";

export interface Admitted {
	admitted: true;
	owner: Owner;
	tier: Tier;
	request: MachineRequest;
	/** Whether the run comes from another repository; unknown counts as yes. */
	fork: boolean;
}
export type Admittance = Admitted | { admitted: false; reason: string };

const refuse = (reason: string): Admittance => ({ admitted: false, reason });

/** `repository` is GitHub's own name for it, read again; `environment` what any delivery of the job said. */
export function admitJob(run: Run, job: RunJob, environment: string | null, config: ResolvedConfig): Admittance {
	const name = run.repository.split("/")[0] ?? "";
	const owner = config.owners.find((served) => served.name.toLowerCase() === name.toLowerCase());
	if (!owner) return refuse(`The owner ${name} is not served here.`);
	const labels = resolveLabels(job.labels, config);
	if (!labels.ok) return refuse(labels.reason);
	const tier = config.tiers[labels.request.tier];
	if (!tier) return refuse(`There is no tier ${labels.request.tier}.`);
	if (tier.kind === "deploy") return refuse("Deploy tiers are not served yet: what guards them is not there.");
	for (const actor of new Set([run.actor, run.triggeringActor])) {
		const admission = admits(tier.allow, factsOf(run, actor, environment));
		if (!admission.admitted) return refuse(`The tier ${labels.request.tier} does not admit the job: ${admission.reason}.`);
	}
	return { admitted: true, owner, tier, request: labels.request, fork: factsOf(run, null, null).fork !== false };
}

/** What GitHub says of a run, as rules ask for it. A rerun has two actors; each of them must be admitted. */
export function factsOf(run: Run, actor: string | null, environment: string | null): RuleFacts {
	const fork = run.headRepository === null ? null : run.headRepository.toLowerCase() !== run.repository.toLowerCase();
	return { event: run.event, ref: refOf(run), environment, workflow: run.path, repository: run.repository, actor, fork };
}

/** The REST API names a branch or tag without saying which (FACTS 2.4): a pushed tag passes for a branch here, and its own job's token decides. */
function refOf({ event, headBranch, pullRequest }: Run): string | null {
	if (event === "pull_request") return pullRequest === null ? null : `refs/pull/${pullRequest}/merge`;
	if (headBranch === null || event.startsWith("pull_request")) return null;
	return event === "release" ? `refs/tags/${headBranch}` : `refs/heads/${headBranch}`;
}
