// Which jobs a tier admits (DESIGN 7), and the grant that carries the rule to the machine.
import * as v from "valibot";
import { Id, parserOf, RepositoryName, Text, Time } from "./parse.ts";

/** Names, or patterns of them. */
export const Patterns = v.pipe(v.array(v.pipe(Text, v.minLength(1))), v.maxLength(200));

/** A list that is absent does not limit; `*` in an entry stands for any text without `/`, `**` for any text. */
export const Rule = v.object({
	events: v.optional(Patterns),
	refs: v.optional(Patterns),
	environments: v.optional(Patterns),
	workflows: v.optional(Patterns),
	repositories: v.optional(Patterns),
	actors: v.optional(Patterns),
	forks: v.optional(v.boolean(), false),
});
export type Rule = v.InferOutput<typeof Rule>;
export const parseRule = parserOf(Rule);

/** What is known of a job when it asks to be admitted; null is unknown, and unknown is refused by any rule that asks. */
export const RuleFacts = v.object({
	event: v.nullable(Text),
	ref: v.nullable(Text),
	environment: v.nullable(Text),
	workflow: v.nullable(Text),
	repository: v.nullable(Text),
	actor: v.nullable(Text),
	fork: v.nullable(v.boolean()),
});
export type RuleFacts = v.InferOutput<typeof RuleFacts>;

/** What a machine may run: the job it was made for, its tier and the tier's rule. */
export const Grant = v.object({
	tier: v.picklist(["build", "deploy"]),
	jobId: Id,
	runId: Id,
	repository: RepositoryName,
	/** GitHub's id of it: names can be given anew. */
	repositoryId: v.optional(v.nullable(Id), null),
	rule: Rule,
	/** Required by deploy tiers: whom the job's OIDC token must name and the keys that sign it (JWK set). */
	oidc: v.optional(v.nullable(v.object({ issuer: Text, audience: Text, keys: v.array(v.record(v.string(), v.unknown())) })), null),
	notAfter: Time,
});
export type Grant = v.InferOutput<typeof Grant>;
export const parseGrant = parserOf(Grant);

/** Events that others than those who may push can bring about, or that say nothing of who did (DESIGN 7): a deploy tier never serves them. */
const NEVER_DEPLOYS = /^(pull_request.*|workflow_run|issue_comment)$/i;

/** Whether an event, as a rule or a run names it, is one that a deploy tier never serves. */
export function neverDeploys(event: string): boolean {
	return NEVER_DEPLOYS.test(event);
}

export type Admission = { admitted: true } | { admitted: false; rule: string; reason: string };

/** Whether a text is among the names or patterns, in any case: so GitHub compares its names of events, environments, repositories and people. */
export function matches(patterns: readonly string[], value: string): boolean {
	return patterns.some((pattern) => formOf(pattern, "i").test(value));
}

/** The same, letter by letter: `main` and `Main` are two branches, and two paths are two files. */
function matchesExactly(patterns: readonly string[], value: string): boolean {
	return patterns.some((pattern) => formOf(pattern, "").test(value));
}

function formOf(pattern: string, flags: string): RegExp {
	const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*\*|\*/g, (stars) => (stars === "**" ? ".*" : "[^/]*"));
	return new RegExp(`^${source}$`, flags);
}

/** Names of files and of git, in which the case counts. */
const EXACT = ["refs", "workflows"];

/** Decides whether a rule admits a job, and by which part of it not. Pure; used by the poller before a launch and by the agent before the first step. */
export function admits(rule: Rule, facts: RuleFacts): Admission {
	if (!rule.forks && facts.fork !== false) {
		return {
			admitted: false,
			rule: "forks",
			reason: facts.fork === null ? "it is unknown whether the job comes from a fork" : "the job comes from a fork",
		};
	}
	const asked = [
		["events", rule.events, facts.event],
		["refs", rule.refs, facts.ref],
		["environments", rule.environments, facts.environment],
		["workflows", rule.workflows, facts.workflow],
		["repositories", rule.repositories, facts.repository],
		["actors", rule.actors, facts.actor],
	] as const;
	for (const [name, patterns, value] of asked) {
		if (patterns === undefined) continue;
		if (value === null) return { admitted: false, rule: name, reason: `the rule asks for ${name} and the job's is unknown` };
		const isListed = EXACT.includes(name) ? matchesExactly(patterns, value) : matches(patterns, value);
		if (!isListed)
			return {
				admitted: false,
				rule: name,
				reason: `${JSON.stringify(value)} is not among the tier's ${name}: ${patterns.join(", ") || "none"}`,
			};
	}
	return { admitted: true };
}
