// Ends machines that are older than their tier lets any be. Agents keep that limit themselves; a job with sudo can stop one that does (DESIGN 9).
import { LIMIT_TAG } from "./launch-request.ts";
import { machineIds } from "./log-ids.ts";
import type { Instance, Ports } from "./ports.ts";
import { endMachine, runnerNameOf } from "./runners.ts";
import { isAlive } from "./terminate.ts";

/** A boot document's deadline is counted from a moment after EC2's, and a launch that is carried out again comes to its document later. */
const SLACK_MS = 15 * 60_000;

/** Whether a machine should have been off for some time. One without the tag has only the relay's own limit. Pure. */
export function hasOutlived({ state, tags, launchedAt }: Pick<Instance, "state" | "tags" | "launchedAt">, now: number): boolean {
	const seconds = Number(tags[LIMIT_TAG]);
	return isAlive({ state }) && seconds > 0 && now - launchedAt > seconds * 1000 + SLACK_MS;
}

/** Whatever they run. One that cannot be ended keeps no other from its end; the next look tries again. */
export async function endOutlived(ports: Ports, listed: readonly Instance[]): Promise<void> {
	for (const instance of listed.filter((it) => hasOutlived(it, ports.now()))) {
		const about = machineIds(instance);
		const runnerName = runnerNameOf(instance.instanceId, Number(instance.tags["mayfly:attempt"]) || 1);
		ports.log.warn({ ...about, reason: "older than its tier's limits", force: true }, "unwanted");
		await endMachine(ports, { instanceId: instance.instanceId, runnerName, scope: null, force: true, about }).catch((error: unknown) =>
			ports.log.error({ ...about, error: String(error) }, "not ended"),
		);
	}
}
