// What became of one leased item, and how it is told. An outcome is worth nothing until the relay has it.
import { AwsError } from "../aws/request.ts";
import type { WorkItem } from "../contract/lease.ts";
import { LONGEST_TEXT } from "../contract/parse.ts";
import type { Outcome } from "../contract/settle.ts";
import { Ec2Error } from "./ec2.ts";
import { failureOfCall, retryLaunchAt } from "./ec2-errors.ts";
import { GitHubError, laterAfter } from "./github-error.ts";
import { idsOf } from "./log-ids.ts";
import { OidcError } from "./oidc-keys.ts";
import type { Ports } from "./ports.ts";

type Unkeyed<T> = T extends unknown ? Omit<T, "workId" | "leaseId"> : never;
/** An outcome without the keys of its lease. */
export type OutcomeBody = Unkeyed<Outcome>;
export type LaterBody = Extract<OutcomeBody, { outcome: "later" }>;

/** Reasons repeat what workflows and the operator's file say, at any length: one that is too long would have all that it is settled with refused. */
function outcomeOf({ workId, leaseId }: WorkItem, body: OutcomeBody): Outcome {
	const told = "reason" in body ? { ...body, reason: clipped(body.reason) } : body;
	return { workId, leaseId, ...told } as Outcome;
}

function clipped(reason: string): string {
	return reason.length <= LONGEST_TEXT ? reason : `${reason.slice(0, LONGEST_TEXT - 2)} …`;
}

const AGAIN_MS = 60_000;
const SOON_MS = 15_000;

/** What an item waits for when its work threw. */
export function outcomeOfError(error: unknown, now: number): LaterBody {
	if (error instanceof GitHubError) return { outcome: "later", ...laterAfter(error, now) };
	const reason = error instanceof Error ? error.message : String(error);
	const isPassing = error instanceof OidcError || (error instanceof AwsError && error.retryable);
	if (isPassing) return { outcome: "later", notBefore: now + SOON_MS, class: "throttled", reason };
	if (!(error instanceof Ec2Error)) return { outcome: "later", notBefore: now + AGAIN_MS, class: "unknown", reason: reason.slice(0, 500) };
	const { class: failure } = failureOfCall(error);
	return { outcome: "later", notBefore: retryLaunchAt(failure, now, now), class: failure === "refused" ? "unknown" : failure, reason };
}

/** What became of an item. */
export interface Told {
	item: WorkItem;
	body: OutcomeBody;
}

/** Settles items; gives the workIds that were stale. Those that could not be settled are leased again by themselves, so that is logged and no more. */
export async function settle(ports: Ports, told: readonly Told[]): Promise<{ told: boolean; stale: Set<string> }> {
	if (told.length === 0) return { told: true, stale: new Set() };
	try {
		const { stale } = await ports.relay.settle(told.map(({ item, body }) => outcomeOf(item, body)));
		for (const { item, body } of told) {
			const reason = stale[item.workId]?.reason;
			if (reason !== undefined) ports.log.warn({ ...lineOf(item, body), reason }, "stale");
		}
		return { told: true, stale: new Set(Object.keys(stale)) };
	} catch (error) {
		for (const { item, body } of told) ports.log.error({ ...lineOf(item, body), error: String(error) }, "not settled");
		return { told: false, stale: new Set() };
	}
}

function lineOf(item: WorkItem, body: OutcomeBody): object {
	const machine = body.outcome === "launched" ? { instanceId: body.instanceId, privateIp: body.privateIp } : {};
	return { ...idsOf(item), ...machine, outcome: body.outcome };
}

/** Does the work of one item and settles what came of it, whatever that is. */
export async function settleWith(ports: Ports, item: WorkItem, work: () => Promise<OutcomeBody>): Promise<void> {
	const body = await work().catch((error: unknown) => {
		ports.log.error({ ...idsOf(item), error: String(error) }, "failed");
		return outcomeOfError(error, ports.now());
	});
	ports.log.info({ ...idsOf(item), ...body }, "settled");
	await settle(ports, [{ item, body }]);
}
