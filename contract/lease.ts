// POST /lease: the poller asks for work, the relay hands out pointers. Nothing here can launch by itself.
import * as v from "valibot";
import { JobPointer, JobState, Machine } from "./job.ts";
import { Id, InstanceId, parserOf, RepositoryName, Text, Time } from "./parse.ts";

const Count = v.pipe(v.number(), v.integer(), v.minValue(1));

/**
 * `session` names one run of the poller and `endsAt` when it will end; the same `requestId` gets the same answer again.
 * Sessions that give no `endsAt` are never superseded.
 */
export const LeaseRequest = v.object({
	session: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
	requestId: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
	max: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
	waitSeconds: v.pipe(v.number(), v.minValue(0), v.maxValue(25)),
	endsAt: v.optional(Time),
	/** By owner, in lower case: machines at a time for all of its repositories, and for any one of them. Who is not named has no cap. */
	caps: v.optional(v.record(Text, v.object({ machines: v.nullable(Count), perRepository: v.nullable(Count) })), {}),
});
export type LeaseRequest = v.InferOutput<typeof LeaseRequest>;
export const parseLeaseRequest = parserOf(LeaseRequest);

/** As JSON. It is kept in one row of the ledger, which holds 2 MB (FACTS 5.1); EC2 takes less. */
const LONGEST_REQUEST = 500_000;

/** A launch that was decided before it was done: replayed verbatim, never regrouped (DESIGN 4). Members are job ids in the order in which instances (sorted by id) are given to them. */
export const Intent = v.object({
	token: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,64}$/, "not a client token")),
	members: v.pipe(v.array(Id), v.minLength(1), v.maxLength(100)),
	request: v.pipe(
		v.record(v.string(), v.unknown()),
		v.check((request) => JSON.stringify(request).length <= LONGEST_REQUEST, `longer than ${LONGEST_REQUEST} characters`),
	),
});
export type Intent = v.InferOutput<typeof Intent>;

const leased = {
	workId: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
	leaseId: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
};

/** How the relay came to know a job: GitHub told it, or a look at GitHub found it because its webhook was lost. */
export const JobSource = v.picklist(["webhook", "discovery"]);
export type JobSource = v.InferOutput<typeof JobSource>;

/** What jobs of one owner wait for together: that GitHub registers their runners again. */
export const Awaited = v.literal("registration");
export type Awaited = v.InferOutput<typeof Awaited>;

/** Launch a machine for a job. With an intent: do exactly that launch again. */
export const LaunchItem = v.object({
	...leased,
	kind: v.literal("launch"),
	job: JobPointer,
	intent: v.nullable(Intent),
	/** After an interruption a job is not put on spot again. */
	onDemand: v.boolean(),
	/** Deployment environment named by any delivery of this job. */
	environment: v.nullable(Text),
	/** Whether a delivery has told what environment the job is for, if any: a job that was found without one may be for any. */
	isEnvironmentKnown: v.optional(v.boolean(), true),
	source: v.optional(JobSource, "webhook"),
	/** What it was put off for the last time, where that holds for all of its owner, and in whose words. */
	awaits: v.optional(v.object({ what: Awaited, reason: Text })),
	queuedAt: Time,
	receivedAt: Time,
	leasedAt: Time,
});
/** A state whose clock ran out: ask GitHub, and EC2 when a machine is named. `since` is when the state began. */
export const CheckItem = v.object({
	...leased,
	kind: v.literal("check"),
	job: JobPointer,
	state: JobState,
	machine: v.nullable(Machine),
	since: Time,
});
/**
 * A run with interrupted jobs: rerun them once the run has ended. `machines` are those said to be interrupted, with the job that the ledger has
 * on each; EC2 must agree. `takenBack`: it did when the poller told of the machine, which EC2 forgets an hour after its end.
 */
export const RerunItem = v.object({
	...leased,
	kind: v.literal("rerun"),
	runId: Id,
	attempt: v.pipe(v.number(), v.integer(), v.minValue(1)),
	repository: RepositoryName,
	owner: Text,
	installationId: v.nullable(Id),
	machines: v.pipe(v.array(v.object({ instanceId: InstanceId, jobId: Id, takenBack: v.optional(v.boolean(), false) })), v.minLength(1)),
});
/** End a machine: delete its runner at GitHub first (422 = busy = keep), unless `force` (hard limit or denial). */
export const TerminateItem = v.object({
	...leased,
	kind: v.literal("terminate"),
	instanceId: InstanceId,
	runnerName: Text,
	job: v.nullable(JobPointer),
	force: v.boolean(),
	reason: Text,
});

export const WorkItem = v.variant("kind", [LaunchItem, CheckItem, RerunItem, TerminateItem]);
export type LaunchItem = v.InferOutput<typeof LaunchItem>;
export type CheckItem = v.InferOutput<typeof CheckItem>;
export type RerunItem = v.InferOutput<typeof RerunItem>;
export type TerminateItem = v.InferOutput<typeof TerminateItem>;
export type WorkItem = v.InferOutput<typeof WorkItem>;

/** What this answer allows until the next lease. Calls are counts; a launch item handed out has already paid for one JIT call. */
export const Budgets = v.object({
	jitCalls: v.pipe(v.number(), v.integer(), v.minValue(0)),
	ec2Calls: v.pipe(v.number(), v.integer(), v.minValue(0)),
	onDemandOnly: v.boolean(),
	/** True while paused or draining: no launch item is handed out. */
	paused: v.boolean(),
	/** Why the relay paused launching by itself: an operator must look. */
	alarm: v.optional(v.nullable(Text), null),
});
export type Budgets = v.InferOutput<typeof Budgets>;

export const LeaseAnswer = v.object({
	work: v.array(WorkItem),
	budgets: Budgets,
	/** Tells a session that another one serves; it must end without settling less than it holds. */
	superseded: v.optional(v.boolean()),
	/** New jobs that are taken in for now: none at the cap on open jobs, and none while draining. */
	room: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
export type LeaseAnswer = v.InferOutput<typeof LeaseAnswer>;
export const parseLeaseAnswer = parserOf(LeaseAnswer);
