// Waits for the private addresses of new machines: EC2 lists an instance some moments after it said that it is launched.
import type { Instance, Ports } from "./ports.ts";

export type Address =
	| { kind: "found"; instance: Instance & { privateIp: string } }
	| { kind: "ended"; instance: Instance }
	/** `error` is what kept the last look from being one. */
	| { kind: "unseen"; error: unknown };

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
const GIVE_UP_MS = 30_000;

/** One promise for each machine, kept as soon as its address is known; all machines are asked for together. Never rejects. */
export function awaitAddresses(ports: Ports, instanceIds: readonly string[]): (instanceId: string) => Promise<Address> {
	const waiting = new Map(instanceIds.map((id) => [id, Promise.withResolvers<Address>()]));
	const promises = new Map([...waiting].map(([id, { promise }]) => [id, promise]));
	void poll(
		ports,
		(address, id) => {
			waiting.get(id)?.resolve(address);
			waiting.delete(id);
			return [...waiting.keys()];
		},
		[...waiting.keys()],
	);
	return async (id) => promises.get(id) ?? { kind: "unseen", error: null };
}

async function poll(ports: Ports, found: (address: Address, id: string) => string[], ids: string[]): Promise<void> {
	const until = ports.now() + GIVE_UP_MS;
	let left = ids;
	for (let pause = FIRST_PAUSE_MS; left.length > 0; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
		let failure: unknown = null;
		const seen = await ports.ec2.instances(left).catch((error: unknown) => {
			failure = error;
			ports.log.warn({ instanceIds: left, error: String(error) }, "addresses not read");
			return [];
		});
		for (const instance of seen) {
			const address = addressOf(instance);
			if (address) left = found(address, instance.instanceId);
		}
		if (left.length > 0 && ports.now() >= until) for (const id of left) left = found({ kind: "unseen", error: failure }, id);
		else if (left.length > 0) await ports.sleep(pause);
	}
}

function addressOf(instance: Instance): Address | null {
	if (instance.state !== "pending" && instance.state !== "running") return { kind: "ended", instance };
	return instance.privateIp === null ? null : { kind: "found", instance: { ...instance, privateIp: instance.privateIp } };
}
