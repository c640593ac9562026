// What guards a deploy machine beside its tier's rule: the runner group's own limits, an approval, and the keys by which the machine
// checks its job's token (DESIGN 7). Asks GitHub once for each group and run of a batch.
import type { Grant } from "../contract/rule.ts";
import type { Admitted } from "./admit.ts";
import { kept } from "./kept.ts";
import type { Approval, Ports, RepositoryRef, RunnerGroup } from "./ports.ts";

export type Guarded = { ok: true; oidc: Grant["oidc"] } | { ok: false; reason: string };
export type Guard = (admitted: Admitted, at: RepositoryRef, runId: number, environment: string | null) => Promise<Guarded>;

/** A guard for one batch. Throws what GitHub or its token issuer throws. */
export function createGuard({ github, oidc, stack }: Ports): Guard {
	const groupOf = kept((at: RepositoryRef, id: number) => `${at.repository.split("/")[0]} ${id}`, github.runnerGroup);
	const approvalsOf = kept((_: RepositoryRef, runId: number) => String(runId), github.approvals);
	return async ({ tier, owner, request }, at, runId, environment) => {
		if (tier.kind !== "deploy") return { ok: true, oidc: null };
		// Groups belong to organisations: a personal account has this line of defence less.
		if (owner.endpoint === "org") {
			const id = tier.runnerGroupId;
			const reason = id === null ? "it names no runnerGroupId, and organisations need one" : whyOpen(id, await groupOf(at, id));
			if (reason !== null) return { ok: false, reason: `The tier ${request.tier} launches nothing: ${reason}.` };
		}
		if (tier.requireApproval) {
			const reason = whyNotApproved(await approvalsOf(at, runId), environment);
			if (reason !== null) return { ok: false, reason: `The tier ${request.tier} asks for an approval: ${reason}.` };
		}
		return { ok: true, oidc: { issuer: oidc.issuer, audience: `mayfly:${stack}`, keys: await oidc.keys() } };
	};
}

/** Why a runner group does not keep others' jobs off a machine; null if it does. Pure. */
export function whyOpen(id: number, group: RunnerGroup | null): string | null {
	if (!group) return `GitHub knows no runner group ${id}`;
	if (group.visibility !== "selected") return `the runner group ${group.name} is open to more than selected repositories`;
	if (group.allowsPublicRepositories) return `the runner group ${group.name} is open to public repositories`;
	if (!group.restrictedToWorkflows) return `the runner group ${group.name} is not restricted to selected workflows`;
	return null;
}

/** Why a run does not count as approved; null if it does. An environment that is known must be among those that were let through. Pure. */
export function whyNotApproved(approvals: readonly Approval[], environment: string | null): string | null {
	const approved = approvals.filter(({ state }) => state === "approved");
	if (approved.length === 0) return "nobody has approved the run";
	if (environment === null) return "the environment that the job is for is unknown";
	const isFor = (name: string) => name.toLowerCase() === environment.toLowerCase();
	return approved.some(({ environments }) => environments.some(isFor)) ? null : `nobody has approved ${environment}`;
}
