// Looks at one machine because EC2 told of it: a job whose machine is gone is checked at once, not after the next sweep (DESIGN 5).
import { machineIds } from "./log-ids.ts";
import type { Ec2, Log, Ports } from "./ports.ts";
import { tellMachines } from "./tell-machines.ts";

export interface Eye {
	ec2: Pick<Ec2, "instances">;
	stack: string;
	log: Log;
	/** Makes the rest, secrets and all: most events of an account are of machines that are not ours. */
	connect(): Promise<Ports>;
}

/** One line of the log says what came of it. Never rejects: the sweep sees every machine within a minute anyway. */
export async function lookAt({ ec2, stack, log, connect }: Eye, instanceId: string): Promise<void> {
	try {
		const [instance] = await ec2.instances([instanceId]);
		if (!instance) return log.info({ instanceId }, "told of a machine that EC2 does not list");
		if (instance.tags["mayfly:stack"] !== stack) return log.info({ instanceId }, "told of a machine that is not of this stack");
		const { verdicts } = await tellMachines(await connect(), [instance], false);
		const { verdict, reason } = verdicts.find((it) => it.instanceId === instanceId) ?? {};
		log.info({ ...machineIds(instance), state: instance.state, stateReason: instance.stateReason, verdict, reason }, "looked at");
	} catch (error) {
		log.warn({ instanceId, error: String(error) }, "not looked at: the next sweep will");
	}
}
