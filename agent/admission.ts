// Whether this machine lets a job in: the third line of defence, after GitHub's runner groups and the poller (DESIGN 7). Pure.
import { admits, type Grant, neverDeploys, type RuleFacts } from "../contract/rule.ts";
import { workflowPath } from "./hook-facts.ts";
import { type Claims, readToken } from "./oidc.ts";

export type Verdict = { admitted: true } | { admitted: false; rule: string; reason: string; remedy: string };

/** What the author of a refused job can do about it. */
const REMEDIES: Record<string, string> = {
	repository: "run the job again: it gets a machine of its own repository",
	time: "run the job again: this machine's permission has run out",
	oidc: "give the job `permissions: id-token: write`, which lets it prove what it is, and run it again",
	keys: "ask the operator: the poller could not read the keys of the tokens' issuer",
	mailbox: "run the job again; if it happens again, ask the operator: the machine cannot delete its boot document",
	forks: "a maintainer can run it from a branch of the repository itself, or the operator can set forks: true in the tier's allow rule",
};

export function refuse(rule: string, reason: string): Verdict {
	const remedy = REMEDIES[rule] ?? `run it where the rule allows it, or ask the operator to change allow.${rule} of the tier in mayfly.yml`;
	return { admitted: false, rule, reason, remedy };
}

/** What the hook brought: the runner's word, and the issuer's answer to the request for a token. */
export interface Asked {
	facts: RuleFacts[];
	token: string | null;
}

/** What holds whatever the tier. Null: nothing speaks against it. */
function standing(grant: Grant, known: RuleFacts[], now: number): Verdict | null {
	if (now > grant.notAfter) return refuse("time", "the machine's permission to run jobs has ended");
	const repository = known[0]?.repository ?? null;
	return repository === null ? refuseRepository(grant, "an unknown repository") : ofRepository(grant, repository);
}

function ofRepository(grant: Grant, repository: string): Verdict | null {
	return repository.toLowerCase() === grant.repository.toLowerCase() ? null : refuseRepository(grant, repository);
}

function refuseRepository(grant: Grant, theirs: string): Verdict {
	return refuse("repository", `the machine was launched for ${grant.repository} and the job is of ${theirs}`);
}

/** Each of the facts must be admitted. */
function byRule(grant: Grant, known: RuleFacts[]): Verdict {
	for (const facts of known) {
		const admission = admits(grant.rule, facts);
		if (!admission.admitted) return refuse(admission.rule, admission.reason);
	}
	return { admitted: true };
}

/**
 * The facts that a token signs. Of a job that a reusable workflow holds both are judged, the run's workflow and the job's own, one of
 * another repository by its full name. Who triggered a rerun is not signed: the runner's word, or its silence, can only refuse more.
 */
export function signedFacts(claims: Claims, said: RuleFacts[]): RuleFacts[] {
	const { ref, repository, environment = null, event_name: event } = claims;
	const actors = new Set([claims.actor, ...said.map(({ actor }) => actor)]);
	const workflows = new Set([claims.workflow_ref, claims.job_workflow_ref].map((at) => workflowPath(at, repository)));
	const facts = { event, ref, environment, repository, fork: neverDeploys(event) ? null : false };
	return [...actors].flatMap((actor) => [...workflows].map((workflow) => ({ ...facts, actor, workflow })));
}

function bySignature(grant: Grant, claims: Claims, said: RuleFacts[]): Verdict {
	const other = ofRepository(grant, claims.repository);
	if (other !== null) return other;
	if (grant.repositoryId !== null && claims.repository_id !== String(grant.repositoryId))
		return refuse("repository", `the job is of another repository that is named ${claims.repository} as well`);
	if (grant.tier === "deploy" && neverDeploys(claims.event_name))
		return refuse("events", `a deploy tier never serves the event ${claims.event_name}`);
	return byRule(grant, signedFacts(claims, said));
}

/**
 * Decides by the grant and by what is known of the job: on a build machine by the runner's word, on a deploy machine by what the job's
 * token signs. `since` is when the machine got its document; epoch ms.
 */
export async function decideAdmission(grant: Grant, { facts, token }: Asked, since: number, now: number): Promise<Verdict> {
	const refused = standing(grant, facts, now);
	if (refused !== null) return refused;
	if (grant.oidc === null && grant.tier === "build") return byRule(grant, facts);
	if (grant.oidc === null) return refuse("keys", "the machine was not given the keys that a deploy job's token is checked with");
	const read = await readToken(token, grant.oidc, since, now);
	return read.ok ? bySignature(grant, read.claims, facts) : refuse("oidc", read.reason);
}

/** A workflow command's text is one line (GitHub's page "Workflow commands"); what comes from the job must not become a command of its own. */
const oneLine = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

/** What the hook prints into the job's log. */
export function sayVerdict(verdict: Verdict): string {
	if (verdict.admitted) return "This machine admits the job.\n";
	const text = `Refused before the first step, by the rule "${verdict.rule}": ${verdict.reason}. What to do: ${verdict.remedy}.`;
	return `::error title=Mayfly refused this job::${oneLine(text)}\n`;
}
