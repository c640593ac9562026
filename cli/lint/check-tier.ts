// Whether the tier of a job's machine would admit the job, as far as the workflow says (DESIGN 7). Pure.
import type { ResolvedFile, Tier } from "../../contract/config.ts";
import { type Rule as AdmissionRule, admits, matches, type RuleFacts } from "../../contract/rule.ts";
import type { Finding } from "./check-labels.ts";
import { isOnlyCalled } from "./check-permissions.ts";
import { isUncertain, valueOfTemplate } from "./known.ts";
import type { LintJob, LintWorkflow, Permissions } from "./model.ts";
import type { Rule, Severity } from "./problem.ts";

/** Events that people other than maintainers can cause, or that run in a place of trust with what such people wrote. */
const UNTRUSTED = /^(pull_request.*|workflow_run|issue_comment)$/;

const NO_FACTS: RuleFacts = { event: null, ref: null, environment: null, workflow: null, repository: null, actor: null, fork: null };

/** Whether one list of a tier's rule admits one fact; the other lists are left out. */
function refusal(rule: Partial<AdmissionRule>, facts: Partial<RuleFacts>): string | null {
	const admission = admits({ ...rule, forks: true }, { ...NO_FACTS, ...facts });
	return admission.admitted ? null : admission.reason;
}

type Say = (severity: Severity, rule: Rule, message: string, at?: number) => Finding;

/** Checks a job against the tier that serves it. `at`: where its `runs-on` stands. */
export function checkTier(workflow: LintWorkflow, job: LintJob, at: number, name: string, config: ResolvedFile): Finding[] {
	const tier = config.tiers[name];
	if (!tier) return [];
	const say: Say = (severity, rule, message, place = at) => ({
		...{ at: place, severity, rule },
		message: `job ${job.key}: ${message} (tier ${name})`,
	});
	const own = [...checkEvents(workflow, job, tier, say), ...checkPath(workflow, tier, say)];
	if (tier.kind === "build") return [...own, ...checkProtected(job, config, say)];
	return [...own, ...checkToken(workflow, job, say), ...checkEnvironment(job, tier, say)];
}

/** Build machines hold nothing back from their jobs. */
function checkProtected({ environment }: LintJob, { protectedEnvironments }: ResolvedFile, say: Say): Finding[] {
	const name = environment === null ? null : knownText(environment);
	if (name === null || !matches(protectedEnvironments, name)) return [];
	return [say("error", "tier-protected", `the environment ${name} is protected: only a deploy tier serves it`)];
}

function checkEvents({ events }: LintWorkflow, job: LintJob, tier: Tier, say: Say): Finding[] {
	// A called workflow has its caller's event.
	const caused = events.filter((event) => event !== "workflow_call");
	const untrusted = tier.kind === "deploy" ? caused.filter((event) => UNTRUSTED.test(event)) : [];
	const refused = caused.filter((event) => !untrusted.includes(event) && refusal({ events: tier.allow.events }, { event }) !== null);
	const isNever = caused.length > 0 && caused.length === untrusted.length + refused.length;
	// Its `if:` may keep the job out of those runs.
	const softened = job.isConditional && !isNever;
	return [
		...(untrusted.length > 0
			? [
					say(
						softened ? "warning" : "error",
						"deploy-event",
						`a deploy tier refuses every run of ${untrusted.join(", ")}: move the job to a workflow without`,
					),
				]
			: []),
		...(refused.length > 0
			? [
					say(
						isNever ? "error" : softened ? "note" : "warning",
						"tier-event",
						`runs of ${refused.join(", ")} are refused: the tier's events are ${tier.allow.events?.join(", ") || "none"}`,
					),
				]
			: []),
	];
}

function checkPath(workflow: LintWorkflow, tier: Tier, say: Say): Finding[] {
	// GitHub names a run by the workflow that was started, not by the one that is called.
	const reason = isOnlyCalled(workflow) ? null : refusal({ workflows: tier.allow.workflows }, { workflow: workflow.path });
	return reason === null ? [] : [say("error", "tier-workflow", reason)];
}

function givesToken(permissions: Permissions): boolean {
	return permissions.all === "write-all" || permissions.scopes["id-token"] === "write";
}

/** A job's permissions replace those of the workflow; none at all never give id-token. */
function checkToken(workflow: LintWorkflow, job: LintJob, say: Say): Finding[] {
	const permissions = job.permissions ?? workflow.permissions;
	if (permissions !== null && givesToken(permissions)) return [];
	if (permissions === null && isOnlyCalled(workflow))
		return [say("note", "deploy-id-token", "a deploy tier asks for permissions: { id-token: write }, which only the caller can give here")];
	const message = "a deploy tier checks the job's signed identity, and refuses one without permissions: { id-token: write }";
	return [say("error", "deploy-id-token", message, permissions?.at)];
}

function checkEnvironment({ environment }: LintJob, tier: Tier, say: Say): Finding[] {
	const admitted = tier.allow.environments;
	if (environment === null)
		return [
			say(
				admitted ? "error" : "warning",
				"deploy-environment",
				`the job has no environment:${admitted ? `, and the tier admits ${admitted.join(", ") || "none"}` : ", which GitHub can guard with reviewers"}`,
			),
		];
	const name = knownText(environment);
	const reason = name === null ? null : refusal({ environments: admitted }, { environment: name });
	return reason === null ? [] : [say("error", "tier-environment", reason)];
}

/** Null for what is known only at the run, or is no expression at all. */
function knownText(template: string): string | null {
	try {
		const value = valueOfTemplate(template, { values: {}, isWhole: false });
		return typeof value === "string" && !isUncertain(value) ? value : null;
	} catch {
		return null;
	}
}
