// POST /observe: facts that the poller read from GitHub and EC2; the relay answers which machines may stay.
import * as v from "valibot";
import { JobPointer, JobStatus } from "./job.ts";
import { Id, InstanceId, parserOf, RepositoryName, Text, Time } from "./parse.ts";

/** A job as GitHub's REST API shows it. An unknown queued one is taken in: its webhook was lost. */
export const JobFact = v.object({
	job: JobPointer,
	status: JobStatus,
	conclusion: v.nullable(Text),
	runnerName: v.nullable(Text),
	createdAt: Time,
});
export type JobFact = v.InferOutput<typeof JobFact>;

export const RunFact = v.object({
	id: Id,
	attempt: v.pipe(v.number(), v.integer(), v.minValue(1)),
	status: Text,
	conclusion: v.nullable(Text),
});
export type RunFact = v.InferOutput<typeof RunFact>;

/** EC2's names for where an instance stands. */
export const MachineState = v.picklist(["pending", "running", "shutting-down", "terminated", "stopping", "stopped"]);
export type MachineState = v.InferOutput<typeof MachineState>;

/** EC2's reasons that mean that it took a spot machine back (EC2 API Reference: StateReason). */
const INTERRUPTIONS = ["Server.SpotInstanceTermination", "Server.SpotInstanceShutdown"];
export function isInterruption(stateReason: string | null): boolean {
	return INTERRUPTIONS.includes(stateReason ?? "");
}

export const MachineFact = v.object({
	instanceId: InstanceId,
	state: MachineState,
	launchedAt: Time,
	/** EC2's StateReason code, such as `Server.SpotInstanceTermination`. */
	stateReason: v.nullable(Text),
	privateIp: v.nullable(Text),
	/** Token of the intent that launched it, from its tag: a launch that is not settled yet owns its machines by this. */
	token: v.optional(v.nullable(Text), null),
});
export type MachineFact = v.InferOutput<typeof MachineFact>;

/** `complete`: `machines` is every instance of the stack that EC2 still lists, so one that is absent is gone. */
export const ObserveRequest = v.object({
	jobs: v.pipe(v.array(JobFact), v.maxLength(1000)),
	runs: v.pipe(v.array(RunFact), v.maxLength(1000)),
	machines: v.pipe(v.array(MachineFact), v.maxLength(5000)),
	complete: v.optional(v.boolean(), false),
});
export type ObserveRequest = v.InferOutput<typeof ObserveRequest>;
export const parseObserveRequest = parserOf(ObserveRequest);

export const Verdict = v.object({
	instanceId: InstanceId,
	verdict: v.picklist(["keep", "terminate"]),
	reason: Text,
	/** Set with `terminate`: hard limit or denial, so the runner need not be idle. */
	force: v.optional(v.boolean(), false),
});
export type Verdict = v.InferOutput<typeof Verdict>;

/** A repository that had jobs lately: webhooks of it may have been lost. */
export const ActiveRepository = v.object({ repository: RepositoryName, installationId: v.nullable(Id) });
export type ActiveRepository = v.InferOutput<typeof ActiveRepository>;

export const ObserveAnswer = v.object({
	machines: v.array(Verdict),
	/** With `complete`: the most recently active first. */
	active: v.optional(v.pipe(v.array(ActiveRepository), v.maxLength(100)), []),
});
export type ObserveAnswer = v.InferOutput<typeof ObserveAnswer>;
export const parseObserveAnswer = parserOf(ObserveAnswer);
