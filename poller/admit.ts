// Whether a job that waits may have the machine it asks for: owner, labels, tier (DESIGN 7). Pure; unknown is refused.
import type { Owner, ResolvedConfig, Tier } from "../contract/config.ts";
import { type MachineRequest, resolveLabels } from "../contract/label.ts";
import { admits, matches, neverDeploys, type RuleFacts } from "../contract/rule.ts";
import type { Run, RunJob } from "./ports.ts";

export interface Admitted {
	admitted: true;
	owner: Owner;
	tier: Tier;
	request: MachineRequest;
	/** Whether the run comes from another repository; unknown counts as yes. */
	fork: boolean;
}
/** `ours`: the job is meant for this stack, so that its refusal is ours to tell. */
export type Admittance = Admitted | { admitted: false; ours: boolean; reason: string };

const refuse = (reason: string): Admittance => ({ admitted: false, ours: true, reason });

/** What is said of the environment by a delivery that was not heard. */
export const UNHEARD = Symbol("unheard");

/**
 * `repository` is GitHub's own name for it, read again; `environment` what the deliveries of the job said, or that none has told. A job
 * without an environment has none to be told.
 */
export function admitJob(run: Run, job: RunJob, heard: string | null | typeof UNHEARD, config: ResolvedConfig): Admittance {
	const environment = heard === UNHEARD ? null : heard;
	const name = run.repository.split("/")[0] ?? "";
	const owner = config.owners.find((served) => served.name.toLowerCase() === name.toLowerCase());
	if (!owner) return { admitted: false, ours: false, reason: `The owner ${name} is not served here.` };
	const labels = resolveLabels(job.labels, config);
	if (!labels.ok) return { admitted: false, ours: labels.ours, reason: labels.reason };
	const tier = config.tiers[labels.request.tier];
	if (!tier) return refuse(`There is no tier ${labels.request.tier}.`);
	const reason = tier.kind === "deploy" ? deployRefusal(run) : protectedRefusal(heard, config);
	if (reason !== null) return refuse(`The tier ${labels.request.tier} does not admit the job: ${reason}.`);
	for (const actor of new Set([run.actor, run.triggeringActor])) {
		const refusal = ruleRefusal(run, actor, environment, tier);
		if (refusal !== null) return refuse(`The tier ${labels.request.tier} does not admit the job: ${refusal}.`);
	}
	return { admitted: true, owner, tier, request: labels.request, fork: forkOf(run) !== false };
}

/** What speaks against a deploy machine whatever its tier's rule says. */
function deployRefusal(run: Run): string | null {
	if (neverDeploys(run.event)) return `a deploy tier never serves ${run.event}`;
	if (run.pullRequest !== null && run.event !== "push" && run.event !== "workflow_dispatch") return "the run belongs to a pull request";
	const known = { event: run.event, ref: refsOf(run)[0], workflow: run.path, actor: run.actor, "triggering actor": run.triggeringActor };
	const unknown = Object.entries(known).find(([, value]) => !value);
	if (unknown) return `the job's ${unknown[0]} is unknown`;
	if (forkOf(run) !== false) return "it is not known to come from the repository itself";
	return null;
}

/** Build machines hold nothing back from their jobs, so what is protected does not run there. */
function protectedRefusal(environment: string | null | typeof UNHEARD, { protectedEnvironments }: ResolvedConfig): string | null {
	if (environment === UNHEARD && protectedEnvironments.length > 0)
		return "its webhook was lost, so it is unknown whether its environment is a protected one: run it again";
	if (environment === UNHEARD) return null;
	if (environment === null || !matches(protectedEnvironments, environment)) return null;
	return `the environment ${environment} is protected: only a deploy tier serves it`;
}

/** Null when the rule admits the run as one of its refs, else why not. */
function ruleRefusal(run: Run, actor: string | null, environment: string | null, tier: Tier): string | null {
	const admissions = refsOf(run).map((ref) => admits(tier.allow, factsOf(run, ref, actor, environment)));
	const [first] = admissions;
	if (first === undefined || admissions.some(({ admitted }) => admitted)) return null;
	return first.admitted ? null : first.reason;
}

/** What GitHub says of a run, as rules ask for it. A rerun has two actors; each of them must be admitted. */
function factsOf(run: Run, ref: string | null, actor: string | null, environment: string | null): RuleFacts {
	return { event: run.event, ref, environment, workflow: run.path, repository: run.repository, actor, fork: forkOf(run) };
}

function forkOf({ headRepository, repository }: Run): boolean | null {
	return headRepository === null ? null : headRepository.toLowerCase() !== repository.toLowerCase();
}

/** Events that may be of a branch or of a tag. */
const OF_EITHER = ["push", "workflow_dispatch", "create", "deployment", "deployment_status"];

/**
 * The refs that a run may be of: the REST API names a branch or tag without saying which (FACTS 2.4). To tell them apart the App would
 * have to be let into the repository's contents; the machine knows by its job's own token, and decides (DESIGN 7).
 */
function refsOf({ event, headBranch, pullRequest }: Run): (string | null)[] {
	if (event === "pull_request") return [pullRequest === null ? null : `refs/pull/${pullRequest}/merge`];
	if (headBranch === null || event.startsWith("pull_request")) return [null];
	if (event === "release") return [`refs/tags/${headBranch}`];
	return OF_EITHER.includes(event) ? [`refs/heads/${headBranch}`, `refs/tags/${headBranch}`] : [`refs/heads/${headBranch}`];
}
