// Runners at GitHub: where they are registered, and their end before any machine's (DESIGN 4).
import type { ResolvedConfig } from "../contract/config.ts";
import type { GitHub, Ports, RepositoryRef, RunnerScope, Still } from "./ports.ts";

export function runnerNameOf(instanceId: string, attempt: number): string {
	return `mayfly-${instanceId}-${attempt}`;
}

/** The instance that a runner of ours is named for; null: the runner is another's. */
export function instanceIdOf(name: string): string | null {
	return /^mayfly-(i-[0-9a-f]+)-[0-9]+$/.exec(name)?.[1] ?? null;
}

export function scopeOf(config: ResolvedConfig, { repository, installationId }: RepositoryRef): RunnerScope {
	const name = repository.split("/")[0]?.toLowerCase();
	const owner = config.owners.find((served) => served.name.toLowerCase() === name);
	return { repository, installationId: owner?.installationId ?? installationId, endpoint: owner?.endpoint ?? "org" };
}

/** A name that is registered anew as often as this while it is asked for is in use. */
const TRIES = 3;

/**
 * `busy`: it runs a job, so its machine stays. The deletion itself decides; what was read before it may be old: a registration that is gone by then
 * may have been replaced by a launch that goes on, under the same name, so the name is asked for again.
 */
export async function deleteRunner(github: GitHub, scope: RunnerScope, name: string): Promise<"gone" | "busy"> {
	for (let tried = 1; tried <= TRIES; tried += 1) {
		const runner = await github.findRunner(scope, name);
		if (!runner) return "gone";
		const answer = await github.deleteRunner(scope, runner.id);
		if (answer !== "absent") return answer === "busy" ? "busy" : "gone";
	}
	return "busy";
}

export interface Ending {
	instanceId: string;
	runnerName: string;
	scope: RunnerScope | null;
	/** Hard limit or denial: whatever it runs. */
	force: boolean;
	/** The job and machine, for the log. */
	about: object;
	/** Asked once it is its turn, which may come late; absent: it ends whatever has passed by then. */
	still?: Still;
}

/** Ends a machine once its runner is gone; one that runs something is kept. */
export async function endMachine(
	ports: Ports,
	{ instanceId, runnerName, scope, force, about, still }: Ending,
): Promise<{ kept: string } | { kept: null }> {
	if (!force && scope) {
		const runner = await deleteRunner(ports.github, scope, runnerName);
		if (runner === "busy") return { kept: `its runner ${runnerName} runs a job` };
	}
	if ((await ports.ec2.terminate([instanceId], still)) === "let go") return { kept: "it is another's to end by now" };
	ports.log.info({ ...about, instanceId, runnerName, force, terminatedAt: ports.now() }, "terminated");
	return { kept: null };
}
