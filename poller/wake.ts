// What an invocation is for: EventBridge's schedule begins a session, EC2's word on an instance asks for a look at it. Pure.
import * as v from "valibot";
import { InstanceId } from "../contract/parse.ts";

export type Wake = { for: "session" } | { for: "instance"; instanceId: string } | { for: "nothing"; reason: string };

const FromEc2 = v.object({ source: v.literal("aws.ec2") });
const NamesOne = v.object({ detail: v.object({ "instance-id": v.unknown() }) });
/**
 * Of `EC2 Spot Instance Interruption Warning` and `EC2 Instance State-change Notification` only this is read: events come doubled, late and
 * out of order, and the ARN beside it has more than one form (FACTS 4.5). How the instance stands, EC2 is asked.
 */
const Named = v.object({ detail: v.object({ "instance-id": InstanceId }) });

/** Anything that is not from EC2 begins a session: one too many ends at once. */
export function wakeOf(event: unknown): Wake {
	if (!v.is(FromEc2, event) && !v.is(NamesOne, event)) return { for: "session" };
	const named = v.safeParse(Named, event);
	if (named.success) return { for: "instance", instanceId: named.output.detail["instance-id"] };
	return { for: "nothing", reason: "an event of EC2's without the id of an instance" };
}
