// A job as it travels: the projection of a webhook, the pointer handed to the poller, the view shown to operators.
import * as v from "valibot";
import { Id, InstanceId, noNul, parserOf, RepositoryName, Text, Time } from "./parse.ts";

/** Where a job can stand (DESIGN 4). The order of the first six is the only order in which a job moves. */
export const JOB_STATES = ["waiting", "queued", "launching", "launched", "running", "done", "refused", "dead"] as const;
export const JobState = v.picklist(JOB_STATES);
export type JobState = v.InferOutput<typeof JobState>;

/** GitHub's `workflow_job.status`; `requested` and `pending` are seen on REST reads only (FACTS 2.4). */
export const JobStatus = v.picklist(["queued", "in_progress", "completed", "waiting", "requested", "pending"]);
export type JobStatus = v.InferOutput<typeof JobStatus>;

const LABEL_CHARACTERS = 4096;

export const Labels = v.pipe(
	v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(1024), noNul)),
	v.maxLength(100),
	// Thousands of open jobs are held in 128 MB.
	v.check(
		(labels) => labels.reduce((sum, { length }) => sum + length, 0) <= LABEL_CHARACTERS,
		`longer than ${LABEL_CHARACTERS} characters together`,
	),
);

/** What names a job to GitHub. The labels are a hint: the poller reads the real ones again before it acts. */
export const JobPointer = v.object({
	id: Id,
	runId: Id,
	attempt: v.pipe(v.number(), v.integer(), v.minValue(1)),
	repository: RepositoryName,
	owner: Text,
	installationId: v.nullable(Id),
	labels: Labels,
	name: Text,
});
export type JobPointer = v.InferOutput<typeof JobPointer>;

/** What is kept of a `workflow_job` delivery; the raw payload is dropped (DESIGN 2). */
export const JobEvent = v.object({
	action: v.picklist(["queued", "waiting", "in_progress", "completed"]),
	status: JobStatus,
	conclusion: v.nullable(Text),
	runnerName: v.nullable(Text),
	environment: v.nullable(Text),
	createdAt: Time,
	job: JobPointer,
});
export type JobEvent = v.InferOutput<typeof JobEvent>;
export const parseJobEvent = parserOf(JobEvent);

/** The machine a job got. */
export const Machine = v.object({
	instanceId: InstanceId,
	runnerName: Text,
	privateIp: v.pipe(v.string(), v.ipv4()),
	type: Text,
	zone: Text,
	market: v.picklist(["spot", "on-demand"]),
	/** What an hour of it costs in US dollars, as far as the poller knows when it launches it: an estimate. Null: unknown. */
	usdPerHour: v.optional(v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(10_000)))),
});
export type Machine = v.InferOutput<typeof Machine>;

/** When each stage was reached, epoch milliseconds, null until then. */
export const Timings = v.object({
	receivedAt: v.nullable(Time),
	leasedAt: v.nullable(Time),
	launchedAt: v.nullable(Time),
	claimedAt: v.nullable(Time),
	listeningAt: v.nullable(Time),
	startedAt: v.nullable(Time),
	finishedAt: v.nullable(Time),
	offAt: v.nullable(Time),
});
export type Timings = v.InferOutput<typeof Timings>;

/** What the machine of a job cost: an estimate, without disk and traffic, from its price and the seconds that EC2 bills. */
export const Cost = v.object({ usd: v.pipe(v.number(), v.minValue(0)), seconds: v.pipe(v.number(), v.integer(), v.minValue(0)) });
export type Cost = v.InferOutput<typeof Cost>;

/** One job as `GET /jobs` lists it. */
export const JobView = v.object({
	...JobPointer.entries,
	state: JobState,
	reason: v.nullable(Text),
	conclusion: v.nullable(Text),
	machine: v.nullable(Machine),
	timings: Timings,
	/** Null until its machine has ended, or where no price is known. */
	cost: v.optional(v.nullable(Cost), null),
	nextCheckAt: v.nullable(Time),
});
export type JobView = v.InferOutput<typeof JobView>;

/** One state change with its reason. */
export const Change = v.object({ at: Time, from: v.nullable(JobState), to: JobState, reason: Text });
export type Change = v.InferOutput<typeof Change>;

/** `GET /jobs/:id`: the job with every state change, oldest first. */
export const JobDetail = v.object({ ...JobView.entries, history: v.array(Change) });
export type JobDetail = v.InferOutput<typeof JobDetail>;
export const parseJobDetail = parserOf(JobDetail);

/** `GET /jobs`: newest first. */
export const JobList = v.object({ jobs: v.array(JobView) });
export type JobList = v.InferOutput<typeof JobList>;
export const parseJobList = parserOf(JobList);

/** 202 of `POST /webhook`. `accepted: false` is a delivery we understood and do not serve, or have seen before. */
export const WebhookAnswer = v.variant("accepted", [
	v.object({ accepted: v.literal(true) }),
	v.object({ accepted: v.literal(false), reason: Text }),
]);
export type WebhookAnswer = v.InferOutput<typeof WebhookAnswer>;
export const parseWebhookAnswer = parserOf(WebhookAnswer);

/** Every refusal of the relay: a word for programs and a sentence for people. */
export const Refusal = v.object({ error: Text, reason: Text });
export type Refusal = v.InferOutput<typeof Refusal>;
export const parseRefusal = parserOf(Refusal);
