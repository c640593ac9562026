// The GitHub stand-in: REST API, App, runs, webhooks, runner broker and OIDC issuer on one port of 127.0.0.1. It refuses what GitHub refuses.
import { Hono } from "hono";
import { refuseAppJwt } from "./github/app-auth.ts";
import { createBroker } from "./github/broker.ts";
import { createDeliveries, type Delivery, deliveryRoutes } from "./github/deliveries.ts";
import { createFaults, type Faults } from "./github/faults.ts";
import { groupRoutes } from "./github/groups-api.ts";
import { installationRoutes } from "./github/installations.ts";
import { jobMessage } from "./github/job-message.ts";
import { jobRoutes } from "./github/jobs-api.ts";
import { makeKeys } from "./github/keys.ts";
import { createOidc } from "./github/oidc.ts";
import type { Exchange } from "./github/openapi.ts";
import { createRateLimiter, GITHUB_LIMITS, type RateLimits } from "./github/rate-limit.ts";
import { createRest } from "./github/rest.ts";
import type { Run, RunJob } from "./github/run.ts";
import { jobEventJson } from "./github/run-json.ts";
import { createRunners, type Runner } from "./github/runners.ts";
import { runnerRoutes } from "./github/runners-api.ts";
import { createRuns, type JobAction, type RunOptions } from "./github/runs.ts";
import { runRoutes } from "./github/runs-api.ts";
import { createTokens } from "./github/tokens.ts";
import { createWaits } from "./github/waits.ts";
import { createWebhooks } from "./github/webhooks.ts";
import { createWork } from "./github/work.ts";
import { type AccountOptions, accountNamed, createWorld, type World } from "./github/world.ts";
import { evaluate, evaluateValue } from "./workflow/expression.ts";

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
	limits?: Partial<RateLimits>;
	onExchange?: (exchange: Exchange) => void;
	now?: () => number;
}

export type JobListener = (change: { action: JobAction; job: RunJob; run: Run }) => void;

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

/** Starts the stand-in. Making its keys takes some tenths of a second unless `appPrivateKey` is given. */
export async function startGitHub(options: GitHubOptions = {}): Promise<GitHub> {
	const now = options.now ?? Date.now;
	const offlineAfterMs = options.offlineAfterMs ?? OFFLINE_AFTER;
	const keys = await makeKeys(options.appPrivateKey);
	const webhookSecret = options.webhookSecret ?? "the-webhook-secret-of-the-local-github";
	const createdAt = now();
	const world = createWorld(options.appId ?? 424242, options.accounts ?? OCTO, createdAt);
	const stopping = new AbortController();
	const listeners = new Set<JobListener>();
	let url = "";
	const api = () => url;
	const brokerUrl = () => `${url}/_broker/`;

	const faults = createFaults();
	const deliveries = createDeliveries();
	const target = options.webhookUrl ? { url: options.webhookUrl, secret: webhookSecret } : null;
	const webhooks = createWebhooks({ world, deliveries, faults, target, now });
	const waits = createWaits(webhooks.settled);
	const tokens = createTokens(world.appId, now);
	const limiter = createRateLimiter({ ...GITHUB_LIMITS, ...options.limits }, now);
	const runners = createRunners(now, offlineAfterMs);

	function emit(action: JobAction, job: RunJob, run: Run): void {
		for (const listener of listeners) listener({ action, job, run });
		const account = accountNamed(world, run.repository.owner.login);
		// An App hears only of the repositories that it is installed on.
		if (!account || !run.repository.installed) return;
		const payload = jobEventJson(url, action, run, job, account);
		const { installationId } = account;
		webhooks.send({
			event: "workflow_job",
			action,
			jobId: job.id,
			jobName: job.name,
			installationId,
			repositoryId: run.repository.id,
			payload,
		});
	}

	const runs = createRuns({
		...{ world, now, expressions: { evaluate, evaluateValue }, api, emit },
		cancelled: (job) => work.stop(job),
		ended: (run) => waits.ended(run),
	});
	const work = createWork({ runs, runners, now, lostCommunicationMs: options.lostCommunicationMs ?? LOST_AFTER });
	const found = (id: number) => {
		const job = runs.jobs.get(id);
		const run = job && runs.all.get(job.runId);
		return job && run ? { job, run } : null;
	};
	const oidc = createOidc({ keys: keys.oidc, issuer: api, job: found, now });
	const broker = createBroker({
		...{ runners, work, keys: keys.runner, brokerUrl, now, stopping: stopping.signal },
		minimumVersion: options.minimumRunnerVersion ?? null,
		message: (job, run) => jobMessage(run, job, url, oidc.requestOf(job)),
	});
	const routes = [
		...installationRoutes(api, world, tokens, createdAt),
		...deliveryRoutes(deliveries, webhooks.redeliver),
		...runRoutes(api, runs, now),
		...jobRoutes(api, runs, now),
		...runnerRoutes({ runners, keys: keys.runner, brokerUrl }),
		...groupRoutes(api),
	];
	const refuseJwt = (token: string) => refuseAppJwt(token, world, keys.app.publicKey, now());
	const rest = createRest({ world, tokens, faults, limiter, routes, refuseJwt, onExchange: options.onExchange });

	const app = new Hono();
	app.use("/_broker/*", async (c, next) => {
		const fault = faults.takeRequest(c.req.method, c.req.path);
		if (!fault) return next();
		if (fault.after) await next();
		c.res = Response.json({ error: fault.message ?? "injected" }, { status: fault.status, headers: fault.headers });
	});
	app.route("/_broker", broker);
	app.route("/", oidc.app);
	app.all("*", (c) => rest(c.req.raw));
	// No idle timeout: a runner's long poll is silent for most of a minute.
	const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch: (request) => app.fetch(request) });
	url = `http://127.0.0.1:${server.port}`;
	const clock = setInterval(work.sweep, SWEEP);

	function runOf(id: number): Run {
		const run = runs.all.get(id);
		if (!run) throw new Error(`there is no run ${id}`);
		return run;
	}

	return {
		...{ url, world, faults },
		app: { id: world.appId, clientId: world.clientId, privateKey: keys.app.privateKey, webhookSecret },
		setWebhook: (webhookUrl, secret = webhookSecret) => webhooks.setTarget(webhookUrl === null ? null : { url: webhookUrl, secret }),
		createRun(asked) {
			const run = runs.create(asked);
			work.dispatch();
			return run;
		},
		approve(runId, by, comment) {
			const approved = runs.approve(runOf(runId), by, comment);
			work.dispatch();
			return approved;
		},
		cancelRun: (runId) => runs.cancel(runOf(runId)),
		runs: () => [...runs.all.values()],
		jobs: () => [...runs.jobs.values()],
		job: (id) => runs.jobs.get(id) ?? null,
		runners: () => runners.all().map((runner) => ({ ...runner, online: runners.isOnline(runner) })),
		deliveries: deliveries.all,
		waitForRun: (id) => waits.until(runOf(id)),
		onJob(listener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		revokeTokens: tokens.revokeAll,
		sweep: work.sweep,
		async stop() {
			clearInterval(clock);
			stopping.abort();
			webhooks.stop();
			await server.stop(true);
		},
	};
}
