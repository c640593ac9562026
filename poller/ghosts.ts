// Deletes registrations whose machines are gone: a poller that died between registering and settling leaves one, and so does a lost answer
// (DESIGN 5). GitHub would forget them after a day; until then they stand in people's lists and look like machines.
import type { ActiveRepository } from "../contract/observe.ts";
import { alone } from "./alone.ts";
import type { Instance, Ports, Runner, RunnerScope } from "./ports.ts";
import { instanceIdOf, scopeOf } from "./runners.ts";
import { isAlive } from "./terminate.ts";

type Named = Runner & { name: string };

/** Runners of ours that are not there and whose machines EC2 does not show alive. Pure. */
export function ghostsOf(runners: readonly Named[], instances: readonly Instance[]): Named[] {
	const alive = new Set(instances.filter(isAlive).map(({ instanceId }) => instanceId));
	return runners.filter(({ name, online, busy }) => {
		const instanceId = instanceIdOf(name);
		return instanceId !== null && !online && !busy && !alive.has(instanceId);
	});
}

/** Where runners are registered: once for each organisation, once for each repository of a personal account. */
export function scopesOf(ports: Pick<Ports, "config">, active: readonly ActiveRepository[]): RunnerScope[] {
	const scopes = active.map((at) => scopeOf(ports.config, at));
	const keyOf = ({ endpoint, repository }: RunnerScope) => (endpoint === "org" ? repository.split("/")[0] : repository)?.toLowerCase();
	return [...new Map(scopes.map((scope) => [keyOf(scope), scope])).values()];
}

/** Scopes for one look: a list each, mostly. */
const MOST_SCOPES = 10;
const MOST_DELETED = 10;

/** One look. `seen` holds the ghosts of the look before: one that was seen twice is deleted, since EC2 lists a new machine late. */
export async function sweepGhosts(ports: Ports, active: readonly ActiveRepository[], seen: ReadonlySet<string>): Promise<Set<string>> {
	const found = new Set<string>();
	for (const scope of scopesOf(ports, active).slice(0, MOST_SCOPES)) {
		const ghosts = await alone(ports, scope.repository, () => sweepScope(ports, scope, seen), []);
		for (const name of ghosts) found.add(name);
	}
	return found;
}

/** Gives the names of its ghosts, those that were deleted among them. */
async function sweepScope(ports: Ports, scope: RunnerScope, seen: ReadonlySet<string>): Promise<string[]> {
	const runners = await ports.github.runners(scope);
	const instances = await ports.ec2.withTag("mayfly:stack", [ports.stack]);
	const ghosts = ghostsOf(runners, instances);
	for (const { id, name } of ghosts.filter((ghost) => seen.has(ghost.name)).slice(0, MOST_DELETED)) {
		await ports.github.deleteRunner(scope, id);
		ports.log.info({ runnerName: name, instanceId: instanceIdOf(name) }, "deleted a registration without a machine");
	}
	return ghosts.map(({ name }) => name);
}
