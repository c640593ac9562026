// Whether this machine lets a job in: the third line of defence, after GitHub's runner groups and the poller (DESIGN 7). Pure.
import { admits, type Grant, type RuleFacts } from "../contract/rule.ts";

export type Verdict = { admitted: true } | { admitted: false; rule: string; reason: string; remedy: string };

/** What the author of a refused job can do about it. */
const REMEDIES: Record<string, string> = {
	repository: "run the job again: it gets a machine of its own repository",
	time: "run the job again: this machine's permission has run out",
	oidc: "deploy jobs need a machine that verifies OIDC tokens; ask the operator of mayfly.yml",
	mailbox: "run the job again; if it happens again, ask the operator: the machine cannot delete its boot document",
	forks: "a maintainer can run it from a branch of the repository itself, or the operator can set forks: true in the tier's allow rule",
};

export function refuse(rule: string, reason: string): Verdict {
	const remedy = REMEDIES[rule] ?? `run it where the rule allows it, or ask the operator to change allow.${rule} of the tier in mayfly.yml`;
	return { admitted: false, rule, reason, remedy };
}

/**
 * Decides by the grant and by what the runner knows of the job. A deploy tier asks for more than the runner's own word; as long as no
 * signed token is verified here it is refused.
 */
export function decideAdmission(grant: Grant, known: RuleFacts[], now: number): Verdict {
	if (now > grant.notAfter) return refuse("time", "the machine's permission to run jobs has ended");
	const repository = known[0]?.repository ?? null;
	if (repository?.toLowerCase() !== grant.repository.toLowerCase()) {
		const theirs = repository ?? "an unknown repository";
		return refuse("repository", `the machine was launched for ${grant.repository} and the job is of ${theirs}`);
	}
	if (grant.tier === "deploy" || grant.oidc !== null)
		return refuse("oidc", "the tier asks for a signed token of the job and this agent cannot verify one");
	for (const facts of known) {
		const admission = admits(grant.rule, facts);
		if (!admission.admitted) return refuse(admission.rule, admission.reason);
	}
	return { admitted: true };
}

/** A workflow command's text is one line (GitHub's page "Workflow commands"); what comes from the job must not become a command of its own. */
const oneLine = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

/** What the hook prints into the job's log. */
export function sayVerdict(verdict: Verdict): string {
	if (verdict.admitted) return "This machine admits the job.\n";
	const text = `Refused before the first step, by the rule "${verdict.rule}": ${verdict.reason}. What to do: ${verdict.remedy}.`;
	return `::error title=Mayfly refused this job::${oneLine(text)}\n`;
}
