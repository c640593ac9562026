// All that GitHub remembers and decides, wired together without a server: runs, runners, webhooks. Every change of a job passes through here.
import { evaluate, evaluateValue } from "../workflow/expression.ts";
import { createDeliveries, type Deliveries } from "./deliveries.ts";
import { createFaults, type Faults } from "./faults.ts";
import type { Run, RunJob } from "./run.ts";
import { jobEventJson } from "./run-json.ts";
import { createRunners, type Runners } from "./runners.ts";
import { createRuns, type JobAction, type Runs } from "./runs.ts";
import { createWaits, type Waits } from "./waits.ts";
import { createWebhooks, type Webhooks, type WebhookTarget } from "./webhooks.ts";
import { createWork, type Work } from "./work.ts";
import { accountNamed, type World } from "./world.ts";

export type JobListener = (change: { action: JobAction; job: RunJob; run: Run }) => void;

export interface ServiceOptions {
	world: World;
	/** The address of the API, known once the server listens. */
	api: () => string;
	target: WebhookTarget | null;
	lostCommunicationMs: number;
	offlineAfterMs: number;
	now: () => number;
}

export interface Service {
	faults: Faults;
	deliveries: Deliveries;
	webhooks: Webhooks;
	waits: Waits;
	runs: Runs;
	runners: Runners;
	work: Work;
	listeners: Set<JobListener>;
}

/** Tells the App of a change, if it is installed on the repository. */
function tellApp({ world, api }: ServiceOptions, webhooks: Webhooks, action: JobAction, job: RunJob, run: Run): void {
	const { repository } = run;
	const account = accountNamed(world, repository.owner.login);
	if (!account || !repository.installed) return;
	const payload = jobEventJson(api(), action, run, job, account);
	const from = { installationId: account.installationId, repositoryId: repository.id };
	webhooks.send({ event: "workflow_job", action, jobId: job.id, jobName: job.name, ...from, payload });
}

export function createService(options: ServiceOptions): Service {
	const { world, api, now } = options;
	const faults = createFaults();
	const deliveries = createDeliveries();
	const webhooks = createWebhooks({ world, deliveries, faults, target: options.target, now });
	const waits = createWaits(webhooks.settled);
	const runners = createRunners(now, options.offlineAfterMs);
	const listeners = new Set<JobListener>();
	const runs = createRuns({
		...{ world, now, expressions: { evaluate, evaluateValue }, api },
		emit(action, job, run) {
			for (const listener of listeners) listener({ action, job, run });
			tellApp(options, webhooks, action, job, run);
		},
		cancelled: (job) => work.stop(job),
		ended: (run) => waits.ended(run),
	});
	const work = createWork({ runs, runners, now, lostCommunicationMs: options.lostCommunicationMs });
	return { faults, deliveries, webhooks, waits, runs, runners, work, listeners };
}
