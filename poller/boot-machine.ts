// Brings one launched machine to its job: registration, boot document, settle. Each step may be made twice.
import { bootKey } from "../contract/boot.ts";
import type { Machine } from "../contract/job.ts";
import type { Address } from "./addresses.ts";
import { bootDocument } from "./boot-document.ts";
import { idsOf } from "./log-ids.ts";
import { settle } from "./outcome.ts";
import type { Candidate } from "./plan.ts";
import type { Instance, Ports } from "./ports.ts";
import { type Registration, register } from "./register.ts";
import { endMachine, runnerNameOf, scopeOf } from "./runners.ts";

export interface Boot {
	candidate: Candidate;
	instanceId: string;
	address: Address;
	replayed: boolean;
	/** When CreateFleet answered, epoch ms. */
	launchedAt: number;
	/** Starts what nothing waits for. */
	beside(run: () => Promise<void>): void;
}
type Reachable = Instance & { privateIp: string };

/** Whatever is not settled here is leased again with its intent. */
export async function bootMachine(ports: Ports, { candidate, instanceId, address, replayed, launchedAt, beside }: Boot): Promise<void> {
	const { item } = candidate;
	if (address.kind === "unseen") return ports.log.warn({ ...idsOf(item), instanceId, launchedAt }, "the machine is not listed yet");
	const { instance } = address;
	const ids = { ...idsOf(item), instanceId, privateIp: instance.privateIp, launchedAt: instance.launchedAt };
	if (address.kind === "ended") {
		const reason = `${instanceId} ended before its runner was registered: ${instance.stateReason ?? instance.state}`;
		return fail(ports, candidate, reason, ids);
	}
	const registration = await registerFor(ports, candidate, address.instance, replayed);
	if (registration.kind === "unsure") return ports.log.warn({ ...ids, reason: registration.reason }, "not registered");
	if (registration.kind === "refused") {
		await endMachine(ports, { ...ending(ports, candidate, instance), about: ids, force: true });
		return fail(ports, candidate, registration.reason, ids);
	}
	if (registration.kind === "registered") {
		const at = replayed ? Math.max(address.instance.launchedAt, item.leasedAt) : launchedAt;
		await leaveDocument(ports, candidate, address.instance, registration.jitConfig, at);
	}
	const machine = machineOf(ports, candidate, address.instance);
	await settle(ports, [{ item, body: { outcome: "launched", ...machine } }]);
	ports.log.info({ ...ids, ...machine }, "launched");
	beside(() => tagMachine(ports, candidate, ids));
}

const nameFor = ({ item }: Candidate, { instanceId }: Instance) => runnerNameOf(instanceId, item.job.attempt);
const scopeFor = ({ config }: Ports, { item, run }: Candidate) =>
	scopeOf(config, { repository: run.repository, installationId: item.job.installationId });

function ending(ports: Ports, candidate: Candidate, instance: Instance) {
	const { instanceId } = instance;
	return { instanceId, runnerName: nameFor(candidate, instance), scope: scopeFor(ports, candidate) };
}

async function fail(ports: Ports, { item }: Candidate, reason: string, ids: object): Promise<void> {
	ports.log.warn({ ...ids, reason }, "boot failed");
	await settle(ports, [{ item, body: { outcome: "failed", reason } }]);
}

function registerFor(ports: Ports, candidate: Candidate, instance: Reachable, replayed: boolean): Promise<Registration> {
	const { item, job, admitted } = candidate;
	return register(ports, {
		scope: scopeFor(ports, candidate),
		request: {
			name: nameFor(candidate, instance),
			// A repository has the default group alone (FACTS 2.1).
			runner_group_id: admitted.owner.endpoint === "repo" ? 1 : (admitted.tier.runnerGroupId ?? admitted.owner.runnerGroupId),
			// Exactly the job's own: a runner with more would take other jobs (DESIGN 5).
			labels: job.labels,
			work_folder: "_work",
		},
		...{ instanceId: instance.instanceId, privateIp: instance.privateIp, replayed },
		extend: async () => void (await settle(ports, [{ item, body: { outcome: "extend" } }])),
	});
}

async function leaveDocument(
	ports: Ports,
	candidate: Candidate,
	instance: Reachable,
	jitConfig: string,
	launchedAt: number,
): Promise<void> {
	const runnerName = nameFor(candidate, instance);
	const document = bootDocument({
		candidate,
		instance,
		jitConfig,
		runnerName,
		launchedAt,
		machines: ports.machines,
		runner: ports.config.runner,
	});
	await ports.mailbox.put(bootKey(instance.privateIp, instance.instanceId), JSON.stringify(document));
	ports.metrics.queueTime(candidate.item.source, ports.now() - candidate.item.queuedAt);
}

function machineOf(ports: Ports, candidate: Candidate, instance: Reachable): Machine {
	const { instanceId, privateIp, type, zone, market } = instance;
	const usdPerHour = ports.prices.usdPerHour(instance);
	return { instanceId, runnerName: nameFor(candidate, instance), privateIp, type, zone, market, usdPerHour };
}

/** For people and for evidence. */
async function tagMachine(ports: Ports, { item }: Candidate, ids: { instanceId: string }): Promise<void> {
	const { id, runId, repository } = item.job;
	const tags = { "mayfly:job": String(id), "mayfly:run": String(runId), Name: `mayfly ${repository} ${id}` };
	await ports.ec2.tag(ids.instanceId, tags).catch((error: unknown) => ports.log.warn({ ...ids, error: String(error) }, "not tagged"));
}
