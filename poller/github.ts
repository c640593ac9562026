// GitHub's REST API as the poller uses it (FACTS 2): which calls there are and what their statuses mean. Touches the network through its requests.
import { GitHubError } from "./github-error.ts";
import { createGitHubRequests, type GitHubOptions, type GitHubRequests, orStatus, type Params } from "./github-requests.ts";
import {
	toApprovals,
	toDelivery,
	toInstallations,
	toJitConfig,
	toJob,
	toJobsPage,
	toReleases,
	toRun,
	toRunner,
	toRunnerGroup,
	toRunners,
	toRuns,
} from "./github-shapes.ts";
import { type Delivery, type Done, type GitHub, PAGE, type RepositoryRef, type Room, type Runner } from "./ports.ts";

/** Of one look; what is older is read by the next ones. */
const DELIVERY_PAGES = 10;
const RUNNER_PAGES = 10;
const ALWAYS: Room = async () => undefined;

/** A client for one session. Throws GitHubError; 404 and other expected answers are values. */
export function createGitHub(options: GitHubOptions): GitHub {
	const requests = createGitHubRequests(options);
	return {
		...{ ...runCalls(requests), ...runChanges(requests), ...runnerCalls(requests), ...groupCalls(requests) },
		...{ ...deliveryCalls(requests), ...releaseCalls(requests) },
	};
}

function runCalls({ inRepository, unchanged }: GitHubRequests): Pick<GitHub, "run" | "attemptJobs" | "job" | "openRuns" | "approvals"> {
	/** By attempt, so that a job of an attempt that is over is found as well. */
	const jobsPage = async (at: RepositoryRef, run_id: number, attempt_number: number, page: number) => {
		const params = { run_id, attempt_number, per_page: PAGE, page };
		const answer = await orStatus([404], inRepository(at, "GET /actions/runs/{run_id}/attempts/{attempt_number}/jobs", params));
		return typeof answer === "number" ? null : toJobsPage(answer.data);
	};
	return {
		async run(at, run_id) {
			const answer = await orStatus([404], inRepository(at, "GET /actions/runs/{run_id}", { run_id }));
			return typeof answer === "number" ? null : toRun(answer.data);
		},
		async attemptJobs(at, runId, attempt, room = ALWAYS) {
			const first = await jobsPage(at, runId, attempt, 1);
			if (!first) return null;
			const more = Math.max(0, Math.ceil(first.total / PAGE) - 1);
			const further = async (page: number) => {
				await room();
				return jobsPage(at, runId, attempt, page);
			};
			const pages = await Promise.all(Array.from({ length: more }, (_, index) => further(index + 2)));
			return [first, ...pages].flatMap((page) => page?.jobs ?? []);
		},
		async job(at, job_id) {
			const answer = await orStatus([404], inRepository(at, "GET /actions/jobs/{job_id}", { job_id }));
			return typeof answer === "number" ? null : toJob(answer.data);
		},
		/** A run with a job that runs is `in_progress`, whatever its other jobs wait for. */
		async openRuns(at) {
			const ofStatus = async (status: string) => toRuns((await unchanged(at, "GET /actions/runs", { status, per_page: PAGE })).data);
			return (await Promise.all([ofStatus("queued"), ofStatus("in_progress")])).flat();
		},
		async approvals(at, run_id) {
			return toApprovals((await inRepository(at, "GET /actions/runs/{run_id}/approvals", { run_id })).data);
		},
	};
}

function runChanges({ inRepository }: GitHubRequests): Pick<GitHub, "rerunFailedJobs" | "rerunJob" | "cancelRun"> {
	const change = async (at: RepositoryRef, route: string, params: Params): Promise<Done> => {
		try {
			await inRepository(at, route, params);
			return { done: true };
		} catch (error) {
			if (error instanceof GitHubError && !error.retryable) return { done: false, reason: error.message };
			throw error;
		}
	};
	return {
		rerunFailedJobs: (at, runId) => change(at, "POST /actions/runs/{run_id}/rerun-failed-jobs", { run_id: runId }),
		rerunJob: (at, jobId) => change(at, "POST /actions/jobs/{job_id}/rerun", { job_id: jobId }),
		cancelRun: (at, runId) => change(at, "POST /actions/runs/{run_id}/cancel", { run_id: runId }),
	};
}

function groupCalls({ inOrganisation }: GitHubRequests): Pick<GitHub, "runnerGroup"> {
	return {
		async runnerGroup(at, runner_group_id) {
			const answer = await orStatus([404], inOrganisation(at, "GET /actions/runner-groups/{runner_group_id}", { runner_group_id }));
			return typeof answer === "number" ? null : toRunnerGroup(answer.data);
		},
	};
}

const RUNNER = { owner: "actions", repo: "runner" };
/** More than two years of them. */
const RELEASES = 30;

function releaseCalls({ asApp, asInstallation }: GitHubRequests): Pick<GitHub, "runnerReleases"> {
	/** Any installation may read what is public; without one GitHub takes 60 requests an hour from an address. */
	const installationOf = async (owners: Parameters<GitHub["runnerReleases"]>[0]) => {
		const known = owners.find(({ installationId }) => installationId !== null)?.installationId;
		if (known) return known;
		const names = owners.map(({ name }) => name.toLowerCase());
		const installations = toInstallations((await asApp("GET /app/installations", { per_page: PAGE })).data);
		const found = installations.find(({ owner }) => names.includes(owner.toLowerCase()));
		if (!found) throw new GitHubError("GET /app/installations", 200, "the App is installed at none of the owners", null);
		return found.id;
	};
	return {
		async runnerReleases(owners) {
			const params = { ...RUNNER, per_page: RELEASES };
			return toReleases((await asInstallation(await installationOf(owners), "GET /repos/{owner}/{repo}/releases", params)).data);
		},
	};
}

function runnerCalls({ inScope }: GitHubRequests): Pick<GitHub, "createRunner" | "findRunner" | "runners" | "deleteRunner"> {
	return {
		/** Never repeated here: a second POST would answer 409 and the first one's key would be lost (FACTS 2.1). */
		async createRunner(scope, request) {
			const answer = await orStatus([409], inScope(scope, "POST /generate-jitconfig", { ...request }));
			return typeof answer === "number" ? "exists" : { jitConfig: toJitConfig(answer.data) };
		},
		/** Names are compared again before anything is deleted. */
		async findRunner(scope, name) {
			const { data } = await inScope(scope, "GET ", { name, per_page: PAGE });
			return toRunner(toRunners(data).find((runner) => runner.name === name));
		},
		async runners(scope, room = ALWAYS) {
			const found: (Runner & { name: string })[] = [];
			for (let page = 1; page <= RUNNER_PAGES; page++) {
				if (page > 1) await room();
				const listed = toRunners((await inScope(scope, "GET ", { per_page: PAGE, page })).data);
				found.push(...listed.flatMap((runner) => ({ name: runner.name, ...(toRunner(runner) as Runner) })));
				if (listed.length < PAGE) break;
			}
			return found;
		},
		async deleteRunner(scope, runner_id) {
			const answer = await orStatus([404, 422], inScope(scope, "DELETE /{runner_id}", { runner_id }));
			return answer === 404 ? "absent" : answer === 422 ? "busy" : "deleted";
		},
	};
}

const NEWEST = "";

function deliveryCalls({ asApp }: GitHubRequests): Pick<GitHub, "deliveriesSince" | "redeliver"> {
	/** Deliveries do not change: each page is read once, but for the newest. */
	const read = new Map<number, Delivery>();
	/** Where reading goes on, the newest place last: each looks back to what is known, or to the moment. */
	const cursors: string[] = [];
	const page = async (cursor: string) => {
		const { data, headers } = await asApp("GET /app/hook/deliveries", { per_page: PAGE, ...(cursor && { cursor }) });
		const next = /[?&]cursor=([^&>]+)[^>]*>;\s*rel="next"/.exec(String(headers.link ?? ""))?.[1];
		return { listed: (data as unknown[]).map(toDelivery), next };
	};
	/** A place that GitHub does not take any more is not asked for again. */
	const startOver = (error: unknown): never => {
		if (error instanceof GitHubError && !error.retryable) cursors.length = 0;
		throw error;
	};
	return {
		async deliveriesSince(moment, room = ALWAYS) {
			if (cursors.at(-1) !== NEWEST) cursors.push(NEWEST);
			for (let pages = 0; pages < DELIVERY_PAGES && cursors.length > 0; pages++) {
				if (pages > 0) await room();
				const { listed, next } = await page(cursors.at(-1) ?? NEWEST).catch(startOver);
				cursors.pop();
				if (next && listed.every(({ id, deliveredAt }) => deliveredAt >= moment && !read.has(id))) cursors.push(next);
				for (const delivery of listed) read.set(delivery.id, delivery);
			}
			for (const [id, { deliveredAt }] of read) if (deliveredAt < moment) read.delete(id);
			return [...read.values()].toSorted((one, other) => other.deliveredAt - one.deliveredAt || other.id - one.id);
		},
		async redeliver(delivery_id) {
			await asApp("POST /app/hook/deliveries/{delivery_id}/attempts", { delivery_id });
		},
	};
}
