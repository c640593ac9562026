// The GitHub stand-in: REST API, App, runs, webhooks, runner broker and OIDC issuer on one port of 127.0.0.1. It refuses what GitHub refuses.
import type { Delivery } from "./github/deliveries.ts";
import type { Faults } from "./github/faults.ts";
import { makeKeys } from "./github/keys.ts";
import type { Exchange } from "./github/openapi.ts";
import { GITHUB_LIMITS, type RateLimits } from "./github/rate-limit.ts";
import { RELEASES, type ReleaseOptions } from "./github/releases-api.ts";
import type { Run, RunJob } from "./github/run.ts";
import type { Runner } from "./github/runners.ts";
import type { RunOptions } from "./github/runs.ts";
import { createServer } from "./github/server.ts";
import { createService, type JobListener, type Service } from "./github/service.ts";
import { createTokens } from "./github/tokens.ts";
import { type AccountOptions, createWorld, type World } from "./github/world.ts";

export interface GitHubOptions {
	/** Where webhooks go; may be given later by `setWebhook`. */
	webhookUrl?: string;
	webhookSecret?: string;
	/** Default: the organisation octo-org with the private repository octo-repo. */
	accounts?: AccountOptions[];
	appId?: number;
	/** PEM; made when absent. */
	appPrivateKey?: string;
	/** A running job not renewed for this long has failed. Default 600,000 as at GitHub. */
	lostCommunicationMs?: number;
	/** A session that has not polled for this long is over. Default 60,000. */
	offlineAfterMs?: number;
	/** Runners below it are told that they are deprecated. */
	minimumRunnerVersion?: string;
	/** Of actions/runner. */
	releases?: ReleaseOptions[];
	limits?: Partial<RateLimits>;
	/** Where machines reach it, if not at its own URL. */
	machinesUrl?: string;
	onExchange?: (exchange: Exchange) => void;
	now?: () => number;
}

export interface GitHub {
	/** GITHUB_API_URL, and the OIDC issuer. */
	url: string;
	app: { id: number; clientId: string /** PEM, PKCS #8. */; privateKey: string; webhookSecret: string };
	/** Accounts with their ids and installations. */
	world: World;
	faults: Faults;
	setWebhook(url: string | null, secret?: string): void;
	createRun(options: RunOptions): Run;
	/** Lets the jobs of a run go on that wait for their environment; how many there were. */
	approve(runId: number, by?: string, comment?: string): number;
	/** As a person does on the page. */
	cancelRun(runId: number): void;
	runs(): Run[];
	jobs(): RunJob[];
	job(id: number): RunJob | null;
	runners(): (Runner & { online: boolean })[];
	deliveries(): Delivery[];
	/** When the run has completed, every webhook of it sent or given up. */
	waitForRun(id: number): Promise<Run>;
	/** Told of every change of a job, as a webhook would; returns how to stop being told. */
	onJob(listener: JobListener): () => void;
	/** Suspends the App: tokens issued so far are refused. */
	revokeTokens(): void;
	/** Looks at the clocks now: jobs never acquired, jobs fallen silent, sessions gone. Happens by itself five times a second. */
	sweep(): void;
	stop(): Promise<void>;
}

/** How often the clocks of jobs and sessions are looked at, milliseconds. */
const SWEEP = 200;
const OFFLINE_AFTER = 60_000;
const LOST_AFTER = 600_000;

const OCTO: AccountOptions[] = [{ login: "octo-org", repositories: [{ name: "octo-repo" }] }];

/** What a test or the local system may do and see. */
function facade({ runs, runners, work, webhooks, waits, deliveries, listeners, faults }: Service, webhookSecret: string) {
	function runOf(id: number): Run {
		const run = runs.all.get(id);
		if (!run) throw new Error(`there is no run ${id}`);
		return run;
	}
	/** Queued jobs are offered at once. */
	function dispatched<T>(result: T): T {
		work.dispatch();
		return result;
	}
	return {
		faults,
		setWebhook: (url: string | null, secret = webhookSecret) => webhooks.setTarget(url === null ? null : { url, secret }),
		createRun: (asked: RunOptions) => dispatched(runs.create(asked)),
		approve: (runId: number, by?: string, comment?: string) => dispatched(runs.approve(runOf(runId), by, comment)),
		cancelRun: (runId: number) => runs.cancel(runOf(runId)),
		runs: () => [...runs.all.values()],
		jobs: () => [...runs.jobs.values()],
		job: (id: number) => runs.jobs.get(id) ?? null,
		runners: () => runners.all().map((runner) => ({ ...runner, online: runners.isOnline(runner) })),
		deliveries: deliveries.all,
		waitForRun: (id: number) => waits.until(runOf(id)),
		onJob(listener: JobListener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		sweep: work.sweep,
	};
}

/** Starts the stand-in. Making its keys takes some tenths of a second. */
export async function startGitHub(options: GitHubOptions = {}): Promise<GitHub> {
	const now = options.now ?? Date.now;
	const keys = await makeKeys(options.appPrivateKey);
	const webhookSecret = options.webhookSecret ?? "the-webhook-secret-of-the-local-github";
	const target = options.webhookUrl ? { url: options.webhookUrl, secret: webhookSecret } : null;
	const world = createWorld(options.appId ?? 424242, options.accounts ?? OCTO, now());
	const tokens = createTokens(world.appId, now);
	const stopping = new AbortController();
	let url = "";
	const api = () => url;
	const machinesApi = () => options.machinesUrl ?? url;
	const { lostCommunicationMs = LOST_AFTER, offlineAfterMs = OFFLINE_AFTER } = options;
	const service = createService({ world, api, target, lostCommunicationMs, offlineAfterMs, now });
	const app = createServer({
		...{ service, world, keys, tokens, api, machinesApi, now, stopping: stopping.signal, onExchange: options.onExchange },
		limits: { ...GITHUB_LIMITS, ...options.limits },
		releases: options.releases ?? RELEASES,
		minimumVersion: options.minimumRunnerVersion ?? null,
	});
	// No idle timeout: a runner's long poll is silent for most of a minute.
	const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch: (request) => app.fetch(request) });
	url = `http://127.0.0.1:${server.port}`;
	const clock = setInterval(service.work.sweep, SWEEP);
	return {
		...{ url, world, revokeTokens: tokens.revokeAll, ...facade(service, webhookSecret) },
		app: { id: world.appId, clientId: world.clientId, privateKey: keys.app.privateKey, webhookSecret },
		async stop() {
			clearInterval(clock);
			stopping.abort();
			service.webhooks.stop();
			await server.stop(true);
		},
	};
}
