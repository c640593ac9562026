// The boot document: all that one machine is told, left in the mailbox at boot/<private ip>/<instance id> (DESIGN 6).
import * as v from "valibot";
import { Id, InstanceId, parserOf, Text, Time, VersionOne } from "./parse.ts";
import { Grant } from "./rule.ts";

const Duration = v.pipe(v.number(), v.integer(), v.minValue(0));
const Url = v.pipe(v.string(), v.maxLength(2048), v.regex(/^https?:\/\//, "not an http(s) URL"));

/** Milliseconds, except `deadline`, which is a moment. */
export const Limits = v.object({
	/** Listening without a job for this long ends the machine. */
	idle: Duration,
	maxJob: Duration,
	/** Off by then, whatever happens. */
	deadline: Time,
	/** Kept on after the runner's last line so that GitHub gets it (FACTS 1.10). */
	linger: Duration,
	/** The first step waits this long for somebody who looks (`debug=true`); 0: not at all. */
	hold: v.optional(Duration, 0),
});
export type Limits = v.InferOutput<typeof Limits>;

export const BootDocument = v.object({
	version: VersionOne,
	instanceId: InstanceId,
	jobId: Id,
	/** `encoded_jit_config` as GitHub gave it: a private key (FACTS 1.2). */
	jitConfig: v.pipe(v.string(), v.minLength(1), v.maxLength(65536)),
	runnerName: Text,
	report: v.object({ url: Url, token: Text }),
	/** Where this machine may PUT its record, below `records/<private ip>/`. */
	recordUrl: Url,
	grant: Grant,
	limits: Limits,
	/** The runner wanted; null keeps the baked one. */
	runner: v.nullable(v.object({ version: Text, sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "not a sha256")), url: Url })),
	sshKeys: v.array(Text),
	/** Shown in the job log: the wait before the boot. */
	timestamps: v.object({ queuedAt: Time, receivedAt: Time, leasedAt: Time, launchedAt: Time }),
	/** Shown in the job log. */
	machine: v.object({ type: Text, zone: Text, market: Text, image: Text }),
});
export type BootDocument = v.InferOutput<typeof BootDocument>;
export const parseBootDocument = parserOf(BootDocument);

/** The mailbox keys of one machine. They begin with its private address because the bucket policy binds them to it. */
export function bootKey(privateIp: string, instanceId: string): string {
	return `boot/${privateIp}/${instanceId}`;
}
export function recordKey(privateIp: string, instanceId: string): string {
	return `records/${privateIp}/${instanceId}.json`;
}
