// What the poller's work asks of the outside: the narrow types that ec2.ts, github.ts, mailbox.ts and relay.ts satisfy. No code.
import type { CreateFleetCommandInput } from "@aws-sdk/client-ec2";
import type { Owner, ResolvedConfig } from "../contract/config.ts";
import type { JobStatus } from "../contract/job.ts";
import type { Budgets, JobSource, LaunchItem, LeaseAnswer, LeaseRequest } from "../contract/lease.ts";
import type { MachineState, ObserveAnswer, ObserveRequest } from "../contract/observe.ts";
import type { Outcome, SettleAnswer } from "../contract/settle.ts";
import type { FailureClass } from "./ec2-errors.ts";
import type { OidcKeys } from "./oidc-keys.ts";
import type { RunnerRelease } from "./runner-age.ts";

export interface Relay {
	lease(request: LeaseRequest): Promise<LeaseAnswer>;
	settle(results: Outcome[]): Promise<SettleAnswer>;
	observe(facts: ObserveRequest): Promise<ObserveAnswer>;
}

/** A repository, and the installation to ask as; null: to be found. */
export interface RepositoryRef {
	repository: string;
	installationId: number | null;
}
/** Where runners of a repository are registered. */
export interface RunnerScope extends RepositoryRef {
	endpoint: "org" | "repo";
}

/** A run, as far as a decision needs it. Texts are null where GitHub gives none. */
export interface Run {
	id: number;
	attempt: number;
	status: string;
	conclusion: string | null;
	event: string;
	path: string;
	headBranch: string | null;
	/** Null when the fork is gone. */
	headRepository: string | null;
	repository: string;
	repositoryId: number;
	actor: string | null;
	triggeringActor: string | null;
	pullRequest: number | null;
	/** Epoch ms. */
	updatedAt: number;
}
export interface RunJob {
	id: number;
	name: string;
	/** Epoch ms. */
	createdAt: number;
	/** Epoch ms; null until then. */
	completedAt: number | null;
	status: JobStatus;
	conclusion: string | null;
	runnerName: string | null;
	labels: string[];
}
export interface JitRequest {
	name: string;
	runner_group_id: number;
	labels: string[];
	work_folder: string;
}
export interface Runner {
	id: number;
	online: boolean;
	busy: boolean;
}
/** What of an organisation's runner group keeps others' jobs off its runners. */
export interface RunnerGroup {
	name: string;
	visibility: string;
	allowsPublicRepositories: boolean;
	restrictedToWorkflows: boolean;
}
/** A review of a run's deployments. */
export interface Approval {
	state: string;
	environments: string[];
}
export interface Delivery {
	id: number;
	guid: string;
	/** Epoch ms. */
	deliveredAt: number;
	/** Taken, or refused for what it says: to send it again would change nothing. */
	isOver: boolean;
	event: string;
}

/** A change that GitHub may refuse for good. */
export type Done = { done: true } | { done: false; reason: string };

/** Entries of GitHub's longest page: each page is a call. */
export const PAGE = 100;

/** Awaited before every further page of a list is asked for: the call itself had room for the first. */
export type Room = () => Promise<void>;
/** Asked when it is a call's turn, which may come late: false lets go of it. */
export type Still = () => Promise<boolean>;

/** Null stands for GitHub's 404. Anything unexpected is thrown as a GitHubError. */
export interface GitHub {
	run(at: RepositoryRef, runId: number): Promise<Run | null>;
	attemptJobs(at: RepositoryRef, runId: number, attempt: number, room?: Room): Promise<RunJob[] | null>;
	job(at: RepositoryRef, jobId: number): Promise<RunJob | null>;
	/** The newest runs of a repository that have not ended, at most a hundred of each kind. */
	openRuns(at: RepositoryRef): Promise<Run[]>;
	createRunner(scope: RunnerScope, request: JitRequest, still?: Still): Promise<{ jitConfig: string } | "exists" | "let go">;
	findRunner(scope: RunnerScope, name: string): Promise<Runner | null>;
	/** All of them, newest last, at most a thousand. */
	runners(scope: RunnerScope, room?: Room): Promise<(Runner & { name: string })[]>;
	deleteRunner(scope: RunnerScope, runnerId: number): Promise<"deleted" | "absent" | "busy">;
	/** And those that depend on them. */
	rerunFailedJobs(at: RepositoryRef, runId: number): Promise<Done>;
	/** And those that depend on it. */
	rerunJob(at: RepositoryRef, jobId: number): Promise<Done>;
	cancelRun(at: RepositoryRef, runId: number): Promise<Done>;
	/** Of the repository's organisation. */
	runnerGroup(at: RepositoryRef, id: number): Promise<RunnerGroup | null>;
	approvals(at: RepositoryRef, runId: number): Promise<Approval[]>;
	/** Newest first, back to a moment (epoch ms). Of many the oldest may be missing until it was called some more times. */
	deliveriesSince(moment: number, room?: Room): Promise<Delivery[]>;
	redeliver(deliveryId: number): Promise<void>;
	/** The newest of actions/runner, asked as the installation of one of these owners. */
	runnerReleases(owners: readonly Pick<Owner, "name" | "installationId">[]): Promise<RunnerRelease[]>;
}

export type Market = "spot" | "on-demand";

/** An instance, as DescribeInstances shows it. Times are epoch ms. */
export interface Instance {
	instanceId: string;
	state: MachineState;
	stateReason: string | null;
	privateIp: string | null;
	launchedAt: number;
	type: string;
	zone: string;
	market: Market;
	tags: Record<string, string>;
}
export interface Image {
	imageId: string;
	tags: Record<string, string>;
}
export interface FleetAnswer {
	instanceIds: string[];
	/** Pools that gave nothing: also when others gave all that was asked for (FACTS 4.2). */
	errors: { code: string; message: string }[];
}
/** What an hour of a type costs now on the spot market of a zone. */
export interface SpotPrice {
	type: string;
	zone: string;
	usdPerHour: number;
}
/** Anything unexpected is thrown as an Ec2Error. */
export interface Ec2 {
	createFleet(request: CreateFleetCommandInput): Promise<FleetAnswer>;
	/** Those of the ids that EC2 lists by now. */
	instances(ids: string[]): Promise<Instance[]>;
	withTag(name: string, values: string[]): Promise<Instance[]>;
	terminate(ids: string[], still?: Still): Promise<"ended" | "let go">;
	tag(instanceId: string, tags: Record<string, string>): Promise<void>;
	/** Of Linux, in every zone that has the types. */
	spotPrices(types: readonly string[]): Promise<SpotPrice[]>;
	/** Those of the ids that there are. */
	images(ids: string[]): Promise<Image[]>;
}

export interface Mailbox {
	put(key: string, body: string): Promise<void>;
	has(key: string): Promise<boolean>;
}

/** What machines cost: an estimate, for people. */
export interface Prices {
	/** Asks for what is not known yet of the spot prices of these types; nothing waits for the answer. */
	expect(types: readonly string[]): void;
	/** US dollars; null: unknown. */
	usdPerHour(machine: Pick<Instance, "type" | "zone" | "market">): number | null;
}

/** What a failure counts as: who failed, or what became of a job. */
export type FailureKind =
	| `ec2-${FailureClass}`
	| `github-${"limited" | "failed" | "refused"}`
	| "relay"
	| "mailbox"
	/** A machine that came to nothing. */
	| "boot"
	/** Jobs that ended without a machine. */
	| "refused"
	| "dead";

/** Figures for CloudWatch (docs/watching.md). */
export interface Metrics {
	/** From GitHub's `queued` to the boot document. */
	queueTime(source: JobSource, ms: number): void;
	launched(market: Market): void;
	failure(kind: FailureKind): void;
	/** Spot ran short, on-demand is asked. */
	fallback(): void;
	budgets(left: Pick<Budgets, "jitCalls" | "ec2Calls" | "alarm">): void;
	/** Calls that GitHub still takes of an installation in this hour. */
	rateLeft(calls: number): void;
	machines(alive: number): void;
	/** Until GitHub gives the images' runner no more jobs. */
	runnerDaysLeft(days: number): void;
	handedOut(item: Pick<LaunchItem, "workId" | "queuedAt">): void;
	settled(result: Outcome): void;
	/** Writes what was counted since the last time. `isServing`: with a heartbeat, since this session serves. */
	flush(isServing: boolean): void;
}

export interface Log {
	debug(record: object, message: string): void;
	info(record: object, message: string): void;
	warn(record: object, message: string): void;
	error(record: object, message: string): void;
}

/** All that one session works with. */
export interface Ports {
	relay: Relay;
	github: GitHub;
	ec2: Ec2;
	mailbox: Mailbox;
	oidc: OidcKeys;
	prices: Prices;
	metrics: Metrics;
	config: ResolvedConfig;
	/** What machines are told of where to report and to leave records. */
	machines: { reportUrl: string; reportKey: string; mailboxUrl: string };
	stack: string;
	log: Log;
	now(): number;
	sleep(ms: number): Promise<void>;
	/** When the session must be over, epoch ms. */
	endsAt: number;
}
