// Launches for a batch of jobs: verify, admit, group, intent, fleet, machines (DESIGN 5).
import type { Budgets, Intent, LaunchItem } from "../contract/lease.ts";
import { awaitAddresses } from "./addresses.ts";
import { admitJob, UNHEARD } from "./admit.ts";
import { bootMachine } from "./boot-machine.ts";
import { retryLaunchAt } from "./ec2-errors.ts";
import { type Fleet, makeFleet } from "./fleet.ts";
import type { Guard } from "./guard.ts";
import { INSTANCE_TYPES } from "./instance-types.ts";
import { createLaunchLease } from "./launch-lease.ts";
import { launchCallsOf, launchIntent } from "./launch-request.ts";
import { idsOf } from "./log-ids.ts";
import { offerFor } from "./offer.ts";
import { type OutcomeBody, outcomeOfError, settle, type Told } from "./outcome.ts";
import { type Candidate, type Group, planLaunches } from "./plan.ts";
import type { Done, Ports, RepositoryRef } from "./ports.ts";
import type { ReadRun } from "./read-runs.ts";
import type { RegistrationHolds } from "./registration-holds.ts";
import { patientWithYoung, standingOf } from "./verify.ts";

export interface Batch {
	budgets: Budgets;
	read: ReadRun;
	guard: Guard;
	registrations: RegistrationHolds;
	/** Cancels a run, once. */
	cancel(at: RepositoryRef, runId: number): Promise<Done>;
	/** Starts what nothing waits for. */
	beside(run: () => Promise<void>): void;
}

export async function launch(ports: Ports, items: readonly LaunchItem[], batch: Batch): Promise<void> {
	const judged = await Promise.all(items.map(async (item) => keepingIntent(item, await judge(ports, item, batch))));
	const candidates = judged.flatMap((it) => ("candidate" in it ? [it.candidate] : []));
	const { groups, replays } = planLaunches(candidates);
	await Promise.all([
		settleAll(
			ports,
			judged.flatMap((it) => ("settle" in it ? [it.settle] : [])),
		),
		...groups.map((group) => launchGroup(ports, group, batch)),
		...replays.map(({ intent, members }) => carryOut(ports, intent, members, { ...batch, replayed: true, signAt: null })),
	]);
}

type Judged = { candidate: Candidate } | { settle: Told };

/** A launch that was begun before may have its machines already: that it waits must not make it another launch. */
function keepingIntent(item: LaunchItem, judged: Judged): Judged {
	if ("candidate" in judged || item.intent === null || judged.settle.body.outcome !== "later") return judged;
	return { settle: { item, body: { ...judged.settle.body, intent: "kept" } } };
}

async function judge(ports: Ports, item: LaunchItem, batch: Batch): Promise<Judged> {
	const { budgets, read, guard, registrations } = batch;
	const standing = standingOf(await read(item.job), item.job.id, ports.now());
	if (!standing.queued) return { settle: { item, body: patientWithYoung(standing.settle, item.queuedAt, ports.now()) } };
	const { run, job } = standing;
	const admitted = admitJob(run, job, item.isEnvironmentKnown ? item.environment : UNHEARD, ports.config);
	if (!admitted.admitted) return { settle: { item, body: await refusal(ports, item, admitted, batch) } };
	const at = { repository: run.repository, installationId: item.job.installationId };
	const guarded = await guard(admitted, at, run.id, item.environment).catch((error: unknown) => outcomeOfError(error, ports.now()));
	if ("outcome" in guarded) return { settle: { item, body: guarded } };
	if (!guarded.ok) return { settle: { item, body: await refusal(ports, item, { ours: true, reason: guarded.reason }, batch) } };
	const held = item.intent === null ? registrations.whyHeld(item) : null;
	if (held) return { settle: { item, body: { outcome: "later", ...held, class: "throttled", awaits: "registration" } } };
	const spot = admitted.request.spot && !item.onDemand && !budgets.onDemandOnly;
	return { candidate: { item, run, job, admitted, oidc: guarded.oidc, spot } };
}

/** A refusal, told to the job's author as well where the operator wants that: its run is cancelled, once in a batch. */
async function refusal(
	ports: Ports,
	{ job }: LaunchItem,
	{ ours, reason }: { ours: boolean; reason: string },
	{ cancel }: Batch,
): Promise<OutcomeBody> {
	if (!ours) return { outcome: "refused", reason, ours };
	if (ports.config.onRefused !== "cancel-run") return { outcome: "refused", reason };
	const { repository, installationId, runId } = job;
	const told = await cancel({ repository, installationId }, runId).catch((error: unknown) => outcomeOfError(error, ports.now()));
	if ("outcome" in told) return told;
	const end = told.done ? "Its run was cancelled." : `Its run could not be cancelled: ${told.reason}`;
	return { outcome: "refused", reason: `${reason} ${end}` };
}

async function settleAll(ports: Ports, told: Told[]): Promise<void> {
	for (const { item, body } of told) ports.log.info({ ...idsOf(item), ...body }, "not launched");
	await settle(ports, told);
}

function same(members: readonly Candidate[], body: OutcomeBody): Told[] {
	return members.map(({ item }) => ({ item, body }));
}

async function launchGroup(ports: Ports, group: Group, batch: Batch): Promise<void> {
	const { subnets } = ports.config.infrastructure;
	const offer = offerFor(group.first.admitted.request, INSTANCE_TYPES, subnets);
	if (!offer.ok) return settleAll(ports, same(group.members, { outcome: "refused", reason: offer.reason }));
	const intent = launchIntent(group, offer, ports.config);
	const signAt = ports.now();
	const { told, stale } = await settle(ports, same(group.members, { outcome: "launching", ...intent }));
	// Unless the ledger knows the intent of all, nothing is launched. What it does know is given up at once.
	if (!told) return;
	if (stale.size === 0) return carryOut(ports, intent, group.members, { ...batch, replayed: false, signAt });
	const reason = "another member of its launch was no longer ours";
	const held = group.members.filter(({ item }) => !stale.has(item.workId));
	await settle(ports, same(held, { outcome: "later", notBefore: ports.now(), class: "budget", reason }));
}

/** How an intent comes to be carried out; `signAt`: of its leases (poller/launch-lease.ts). */
type Carried = Batch & { replayed: boolean; signAt: number | null };

/** Does what an intent says, for those of its members that are leased here. Each failure stays with its own machine. */
async function carryOut(ports: Ports, intent: Intent, members: Candidate[], how: Carried): Promise<void> {
	const calls = launchCallsOf(intent);
	if (!calls) {
		const reason = "its intent is not one that this build can read";
		return settleAll(ports, same(members, { outcome: "later", notBefore: ports.now(), class: "unknown", reason }));
	}
	const runIds = [...new Set(members.map(({ item }) => item.job.runId))];
	ports.log.info({ token: intent.token, jobIds: intent.members, runIds, replayed: how.replayed }, "CreateFleet");
	const fleet = await makeFleet(ports, calls, intent.members.length, how.replayed);
	const { instanceIds } = fleet;
	const launchedAt = ports.now();
	const addressOf = awaitAddresses(ports, instanceIds);
	await Promise.all(
		members.map(async (candidate) => {
			const instanceId = instanceIds[intent.members.indexOf(candidate.item.job.id)];
			if (instanceId === undefined) return settleMissing(ports, candidate, fleet);
			const lease = createLaunchLease(ports, candidate.item, how.signAt);
			const boot = { ...how, candidate, instanceId, address: await addressOf(instanceId), launchedAt, lease };
			await bootMachine(ports, boot).catch((error: unknown) => breakOff(ports, candidate, { instanceId, launchedAt }, error));
		}),
	);
}

/** The machine is there, or may be: its launch goes on with it. */
async function breakOff(ports: Ports, { item }: Candidate, machine: object, error: unknown): Promise<void> {
	ports.log.error({ ...idsOf(item), ...machine, error: String(error) }, "boot broke off");
	await settle(ports, [{ item, body: { ...outcomeOfError(error, ports.now()), intent: "kept" } }]);
}

/** EC2 gave no machine. If it did not say so for sure, the intent stays and is carried out again: under its token nothing is launched twice. */
async function settleMissing(ports: Ports, { item }: Candidate, { missing, isAnswered }: Fleet): Promise<void> {
	const { reason } = missing;
	if (isAnswered && missing.class === "refused") return settleAll(ports, [{ item, body: { outcome: "refused", reason } }]);
	const failure = missing.class === "refused" ? "unknown" : missing.class;
	// A machine that is there after all has little time: asked for as long as this launch has been tried, not as long as the job has waited.
	const notBefore = retryLaunchAt(failure, isAnswered ? item.queuedAt : item.leasedAt, ports.now());
	const body: OutcomeBody = { outcome: "later", notBefore, class: failure, reason, ...(!isAnswered && { intent: "kept" }) };
	await settleAll(ports, [{ item, body }]);
}
