// Ends a machine on the ledger's word, after EC2 has said that it is one of this stack.
import type { TerminateItem } from "../contract/lease.ts";
import { GitHubError } from "./github-error.ts";
import { idsOf, machineIds } from "./log-ids.ts";
import type { OutcomeBody } from "./outcome.ts";
import type { Instance, Ports, RepositoryRef } from "./ports.ts";
import { deleteRunner, endMachine, scopeOf } from "./runners.ts";

export async function terminate(ports: Ports, item: TerminateItem): Promise<OutcomeBody> {
	const { instanceId, runnerName, job, force } = item;
	const [instance = null] = await ports.ec2.instances([instanceId]);
	const at = job ?? (instance ? repositoryOf(instance) : null);
	const scope = at && scopeOf(ports.config, at);
	if (!instance || !isAlive(instance)) {
		// The runner is left over at most; one that is busy ends with GitHub's own clock.
		if (scope) await deleteRunner(ports.github, scope, runnerName).catch(refusalOf);
		return { outcome: "terminated" };
	}
	if (!isMachineOf(ports.stack, instance)) return { outcome: "refused", reason: `${instanceId} is not one of this stack` };
	const about = { ...machineIds(instance), ...idsOf(item) };
	const ended = await endMachine(ports, { instanceId, runnerName, scope, force, about }).catch(refusalOf);
	// After some tries the machine is left to the sweep, which ends it when it is older than its limits.
	if ("refused" in ended) return { outcome: "failed", reason: ended.refused };
	return ended.kept === null ? { outcome: "terminated" } : { outcome: "kept", reason: ended.kept };
}

/** GitHub will not say whether a runner works: its repository is gone, or no longer the App's. What may pass is thrown. */
function refusalOf(error: unknown): { refused: string } {
	if (error instanceof GitHubError && !error.retryable) return { refused: error.message };
	throw error;
}

/** A gateway is none, even where somebody tagged all of the stack alike. */
export function isMachineOf(stack: string, { tags }: Pick<Instance, "tags">): boolean {
	return tags["mayfly:stack"] === stack && tags["mayfly:gateway"] === undefined;
}

export function isAlive({ state }: Pick<Instance, "state">): boolean {
	return state !== "terminated" && state !== "shutting-down";
}

/** Whose a machine is, from the tags it was launched with. */
export function repositoryOf({ tags }: Instance): RepositoryRef | null {
	const repository = tags["mayfly:repository"];
	return repository ? { repository, installationId: Number(tags["mayfly:installation"]) || null } : null;
}
