// Tells the relay how machines stand at EC2, and ends those that it does not want: for the sweep and for EC2's own events.
import type { ActiveRepository, MachineFact, Verdict } from "../contract/observe.ts";
import { intentTokenOf } from "./launch-request.ts";
import { machineIds } from "./log-ids.ts";
import type { Instance, Ports } from "./ports.ts";
import { endMachine, runnerNameOf, scopeOf } from "./runners.ts";
import { isAlive, repositoryOf } from "./terminate.ts";

export interface Told {
	verdicts: Verdict[];
	active: ActiveRepository[];
	/** Machines that were ended for good. */
	ended: Set<string>;
}

/** `complete`: these are all that EC2 lists. */
export async function tellMachines(ports: Ports, listed: readonly Instance[], complete: boolean): Promise<Told> {
	const { machines: verdicts, active } = await ports.relay.observe({ jobs: [], runs: [], machines: listed.map(factOf), complete });
	const ended = new Set<string>();
	for (const { instanceId, verdict, reason, force } of verdicts) {
		if (verdict === "keep") continue;
		const instance = listed.find((it) => it.instanceId === instanceId);
		if (!instance || !isAlive(instance)) continue;
		ports.log.info({ ...machineIds(instance), reason, force }, "unwanted");
		const isEnded = await endUnwanted(ports, instance, force).catch((error: unknown) => {
			ports.log.error({ ...machineIds(instance), error: String(error) }, "not ended");
			return false;
		});
		if (isEnded) ended.add(instanceId);
	}
	return { verdicts, active, ended };
}

function factOf({ instanceId, state, launchedAt, stateReason, privateIp, tags }: Instance): MachineFact {
	return { instanceId, state, launchedAt, stateReason, privateIp, token: intentTokenOf(tags["mayfly:token"] ?? null) };
}

async function endUnwanted(ports: Ports, instance: Instance, force: boolean): Promise<boolean> {
	const at = repositoryOf(instance);
	const runnerName = runnerNameOf(instance.instanceId, Number(instance.tags["mayfly:attempt"]) || 1);
	const [about, scope] = [machineIds(instance), at && scopeOf(ports.config, at)];
	const { kept } = await endMachine(ports, { instanceId: instance.instanceId, runnerName, scope, force, about });
	if (kept !== null) ports.log.warn({ ...about, reason: kept }, "kept");
	return kept === null;
}
