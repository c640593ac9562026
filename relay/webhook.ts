// A delivery of GitHub: is it GitHub's, and what of it do we keep. Pure but for the signature's crypto. FACTS 2.6, 3, 5.6.
import type { EmitterWebhookEvent } from "@octokit/webhooks";
import * as v from "valibot";
import { JobEvent, JobStatus, Labels } from "../contract/job.ts";
import { Id, noNul, type Parsed, parserOf, RepositoryName, Text } from "../contract/parse.ts";
import { isMacOf } from "./hmac.ts";

/** Whether the bytes of a body were signed with one of the secrets (FACTS 2.6). Nothing was signed by nobody: an empty body never is. */
export async function isSigned(body: Uint8Array<ArrayBuffer>, signature: string | undefined, secrets: readonly string[]): Promise<boolean> {
	const mac = /^sha256=(.*)$/.exec(signature ?? "")?.[1];
	return mac !== undefined && body.length > 0 && isMacOf(mac, body, secrets);
}

/** Long names are cut, not refused: they are shown, never acted on. */
const Clipped = v.pipe(
	v.string(),
	noNul,
	v.transform((text) => text.slice(0, 2048)),
);
const Moment = v.pipe(
	v.string(),
	v.transform((text) => Date.parse(text)),
	v.pipe(v.number("not a time"), v.minValue(0, "not a time")),
);

/** The part of GitHub's `workflow_job` payload that is read. The oldest of its own examples lacks run_attempt, created_at and installation. */
const Payload = v.object({
	action: Text,
	workflow_job: v.object({
		id: Id,
		run_id: Id,
		run_attempt: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
		name: Clipped,
		status: JobStatus,
		conclusion: v.nullish(Clipped, null),
		labels: Labels,
		runner_name: v.nullish(Clipped, null),
		created_at: v.nullish(Moment, null),
		started_at: v.nullish(Moment, null),
	}),
	repository: v.object({ full_name: RepositoryName, owner: v.object({ login: v.pipe(Text, noNul) }) }),
	installation: v.nullish(v.object({ id: Id }), null),
	deployment: v.nullish(v.object({ environment: v.nullish(Clipped, null) }), null),
});
const parsePayload = parserOf(Payload);
type Payload = v.InferOutput<typeof Payload>;

/** Whatever GitHub's own types allow can be given to the schema; where it cannot, this does not compile. */
type Sent = EmitterWebhookEvent<"workflow_job">["payload"];
export type ReadsAllThatIsSent = Expect<Sent extends v.InferInput<typeof Payload> ? true : false>;
type Expect<Holds extends true> = Holds;

function isServed(action: string): action is JobEvent["action"] {
	return (JobEvent.entries.action.options as readonly string[]).includes(action);
}

function project(payload: Payload, action: JobEvent["action"], now: number): JobEvent {
	const { workflow_job: job, repository, installation, deployment } = payload;
	return {
		action,
		status: job.status,
		conclusion: job.conclusion,
		// GitHub also sends "" for no runner.
		runnerName: job.runner_name || null,
		environment: deployment?.environment || null,
		createdAt: job.created_at ?? job.started_at ?? now,
		job: {
			id: job.id,
			runId: job.run_id,
			attempt: job.run_attempt,
			repository: repository.full_name,
			owner: repository.owner.login,
			installationId: installation?.id ?? null,
			labels: job.labels,
			name: job.name,
		},
	};
}

/** The event of a signed payload, or the action that this build does not know, or why it is not a `workflow_job` at all. `now` stands in for a missing creation time. */
export function readPayload(payload: unknown, now: number): Parsed<JobEvent | { unserved: string }> {
	const parsed = parsePayload(payload);
	if (!parsed.ok) return parsed;
	const { action } = parsed.value;
	return { ok: true, value: isServed(action) ? project(parsed.value, action, now) : { unserved: action } };
}
