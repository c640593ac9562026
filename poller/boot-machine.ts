// Brings one launched machine to its job: registration, boot document, settle. Each step may be made twice.
import { bootKey } from "../contract/boot.ts";
import type { Machine } from "../contract/job.ts";
import type { Address } from "./addresses.ts";
import { bootDocument } from "./boot-document.ts";
import type { LaunchLease } from "./launch-lease.ts";
import { idsOf } from "./log-ids.ts";
import { type LaterBody, outcomeOfError, settle } from "./outcome.ts";
import type { Candidate } from "./plan.ts";
import type { Instance, Ports } from "./ports.ts";
import { type Registration, register } from "./register.ts";
import type { RegistrationHolds } from "./registration-holds.ts";
import { endMachine, runnerNameOf, scopeOf } from "./runners.ts";

export interface Boot {
	candidate: Candidate;
	instanceId: string;
	address: Address;
	replayed: boolean;
	/** When CreateFleet answered, epoch ms. */
	launchedAt: number;
	registrations: RegistrationHolds;
	lease: LaunchLease;
	/** Starts what nothing waits for. */
	beside(run: () => Promise<void>): void;
}
type Reachable = Instance & { privateIp: string };

/** EC2 lists what it launched within some seconds. */
const LISTED_MS = 5 * 60_000;
const SOON_MS = 5_000;

/** What is put off here with its intent is leased again with it: the same machine, registered anew. */
export async function bootMachine(ports: Ports, boot: Boot): Promise<void> {
	const { candidate, instanceId, address, replayed, launchedAt, registrations, lease, beside } = boot;
	const { item } = candidate;
	if (address.kind === "unseen") return missMachine(ports, boot, address.error);
	const { instance } = address;
	const ids = { ...idsOf(item), instanceId, privateIp: instance.privateIp, launchedAt: instance.launchedAt };
	if (address.kind === "ended") {
		const reason = `${instanceId} ended before its runner was registered: ${instance.stateReason ?? instance.state}`;
		return fail(ports, candidate, reason, ids);
	}
	const since = replayed ? instance.launchedAt : launchedAt;
	const registration = await registerFor(ports, candidate, address.instance, { replayed, since, lease });
	if (registration.kind === "let go") return ports.log.info(ids, "left to another session");
	if (registration.kind === "unsure") return putOff(ports, candidate, soon(ports, registration.reason), ids, "not registered");
	if (registration.kind === "vain" || registration.kind === "refused") {
		const { kind, reason } = registration;
		const notBefore = kind === "vain" ? registrations.failed(item.job.owner, registration) : null;
		// There is no runner to delete: GitHub refused all that this launch asked for, or registering has looked.
		const about = { instanceId, runnerName: nameFor(candidate, instance), scope: null, about: ids, force: false };
		const { kept } = await endMachine(ports, { ...about, still: lease.extend });
		if (kept !== null) return ports.log.info(ids, "left to another session");
		if (notBefore === null) return fail(ports, candidate, reason, ids);
		const body: LaterBody = { outcome: "later", notBefore, class: "throttled", reason, awaits: "registration" };
		return putOff(ports, candidate, body, ids, "not registered");
	}
	if (registration.kind === "registered") {
		registrations.made(item.job.owner);
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

async function fail(ports: Ports, { item }: Candidate, reason: string, ids: object): Promise<void> {
	ports.log.warn({ ...ids, reason }, "boot failed");
	await settle(ports, [{ item, body: { outcome: "failed", reason } }]);
}

/** Its launch goes on with the same machine. */
function soon(ports: Ports, reason: string): LaterBody {
	return { outcome: "later", notBefore: ports.now() + SOON_MS, class: "throttled", reason, intent: "kept" };
}

async function putOff(ports: Ports, { item }: Candidate, body: LaterBody, ids: object, what: string): Promise<void> {
	ports.log.warn({ ...ids, ...body }, what);
	await settle(ports, [{ item, body }]);
}

/** EC2 lists no address of a machine that it said it has launched. */
async function missMachine(ports: Ports, { candidate, instanceId, replayed, launchedAt }: Boot, error: unknown): Promise<void> {
	const ids = { ...idsOf(candidate.item), instanceId, launchedAt };
	const reason = `EC2 lists no address of ${instanceId}`;
	const isLost = error === null && replayed && ports.now() - candidate.item.leasedAt > LISTED_MS;
	if (isLost) return fail(ports, candidate, reason, ids);
	const body: LaterBody = error === null ? soon(ports, reason) : { ...outcomeOfError(error, ports.now()), intent: "kept" };
	await putOff(ports, candidate, body, ids, "the machine is not listed yet");
}

function registerFor(
	ports: Ports,
	candidate: Candidate,
	instance: Reachable,
	how: { replayed: boolean; since: number; lease: LaunchLease },
): Promise<Registration> {
	const { job, admitted } = candidate;
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
		...{ instanceId: instance.instanceId, privateIp: instance.privateIp, ...how },
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
