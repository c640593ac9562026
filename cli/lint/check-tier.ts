// Whether the tier of a job's machine would admit the job, as far as the workflow says (DESIGN 7). Pure.
import type { ResolvedFile, Tier } from "../../contract/config.ts";
import { type Rule as AdmissionRule, admits, matches, type RuleFacts } from "../../contract/rule.ts";
import { ExpressionError } from "../../local/workflow/expression.ts";
import { toText } from "../../local/workflow/expression-values.ts";
import type { Finding } from "./check-labels.ts";
import { isOnlyCalled } from "./check-permissions.ts";
import { valueOfTemplate } from "./choices.ts";
import { isUncertain, type Leg } from "./known.ts";
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

/** A job, and those of its legs that a tier serves. `at`: where its `runs-on` stands. */
export interface Served {
	job: LintJob;
	legs: Leg[];
	/** A choice in its `runs-on` may give it to somebody else. */
	isChosen: boolean;
	at: number;
}

/** Checks a job against a tier that serves it. */
export function checkTier(workflow: LintWorkflow, served: Served, name: string, config: ResolvedFile): Finding[] {
	const tier = config.tiers[name];
	if (!tier) return [];
	const say: Say = (severity, rule, message, place = served.at) => ({
		...{ at: place, severity, rule },
		message: `job ${served.job.key}: ${message} (tier ${name})`,
	});
	const own = [...checkEvents(workflow, served, tier, say), ...checkPath(workflow, tier, say)];
	const environments = environmentsOf(served);
	if (tier.kind === "build") return [...own, ...checkProtected(environments, config, say)];
	return [...own, ...checkToken(workflow, served.job, say), ...environments.flatMap((it) => checkEnvironment(it, served.job, tier, say))];
}

/** The environments of the legs, as far as they are known; null for a leg that has none. */
function environmentsOf({ job: { environment }, legs }: Served): (string | null)[] {
	if (environment === null) return [null];
	const names = legs.map((leg) => knownText(environment, leg)).filter((name) => name !== null);
	return [...new Set(names.map((name) => name || null))];
}

/** Null for what is known only at the run, or is no expression at all. */
function knownText(template: string, leg: Leg): string | null {
	try {
		const value = valueOfTemplate(template, leg);
		const text = typeof value === "object" && value !== null ? null : toText(value);
		return text === null || isUncertain(text) ? null : text;
	} catch (error) {
		if (error instanceof ExpressionError) return null;
		throw error;
	}
}

/** Build machines hold nothing back from their jobs. */
function checkProtected(environments: (string | null)[], { protectedEnvironments }: ResolvedFile, say: Say): Finding[] {
	return environments
		.filter((name) => name !== null && matches(protectedEnvironments, name))
		.map((name) => say("error", "tier-protected", `the environment ${name} is protected: only a deploy tier serves it`));
}

function checkEvents({ events }: LintWorkflow, { job, isChosen }: Served, tier: Tier, say: Say): Finding[] {
	// A called workflow has its caller's event.
	const caused = events.filter((event) => event !== "workflow_call");
	const untrusted = tier.kind === "deploy" ? caused.filter((event) => UNTRUSTED.test(event)) : [];
	const refused = caused.filter((event) => !untrusted.includes(event) && refusal({ events: tier.allow.events }, { event }) !== null);
	const isNever = caused.length > 0 && caused.length === untrusted.length + refused.length;
	// The choice, or its `if:`, may keep the job out of those runs.
	const softened = isChosen || (job.isConditional && !isNever);
	const severity = isNever && !isChosen ? "error" : softened ? "note" : "warning";
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
						severity,
						"tier-event",
						`runs of ${refused.join(", ")} are refused: the tier's events are ${tier.allow.events?.join(", ") || "none"}`,
					),
				]
			: []),
	];
}

/**
 * GitHub names a run by the workflow that was started, so the poller and build machines never hear of a workflow that is called. A deploy
 * machine does, by its job's token, and asks for both (agent/admission.ts).
 */
function checkPath(workflow: LintWorkflow, tier: Tier, say: Say): Finding[] {
	const workflows = tier.allow.workflows;
	if (!isOnlyCalled(workflow)) {
		const reason = refusal({ workflows }, { workflow: workflow.path });
		return reason === null ? [] : [say("error", "tier-workflow", reason)];
	}
	if (tier.kind === "build") return [];
	// Called from another repository it is listed by its full name, and lint does not know its repository's.
	const reason = refusal({ workflows: workflows?.flatMap((name) => [name, withoutRepository(name)]) }, { workflow: workflow.path });
	if (reason === null) return [];
	const listed = `the tier's workflows (${workflows?.join(", ")}) do not list ${workflow.path}`;
	return [say("error", "tier-workflow", `${listed}: a deploy machine asks for the workflow that is called as well as for its caller`)];
}

const withoutRepository = (pattern: string) => pattern.replace(/^.*\/(?=\.github\/|\*\*)/, "");

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

function checkEnvironment(name: string | null, job: LintJob, tier: Tier, say: Say): Finding[] {
	const admitted = tier.allow.environments;
	if (name !== null) {
		const reason = refusal({ environments: admitted }, { environment: name });
		return reason === null ? [] : [say("error", "tier-environment", reason)];
	}
	const none = job.environment === null ? "the job has no environment:" : "a leg of the job has no environment";
	if (admitted) return [say("error", "deploy-environment", `${none}, and the tier admits ${admitted.join(", ") || "none"}`)];
	if (tier.requireApproval)
		return [say("error", "deploy-environment", `${none}, and the tier asks for an approval, which GitHub keeps for environments`)];
	return [say("warning", "deploy-environment", `${none}, which GitHub can guard with reviewers`)];
}
