// The poller's decisions as tables: standing, admission, errors, care.
import { describe, expect, test } from "bun:test";
import { admitJob } from "../../poller/admit.ts";
import { whyLost } from "../../poller/check.ts";
import { classOfCode, failureOf, failureOfCall, retryLaunchAt } from "../../poller/ec2-errors.ts";
import { GitHubError, laterAfter, retryMoment } from "../../poller/github-error.ts";
import { toDelivery, toRun } from "../../poller/github-shapes.ts";
import type { Instance, Run, RunJob } from "../../poller/ports.ts";
import { patientWithYoung, standingOf } from "../../poller/verify.ts";
import { job, NOW, run } from "./facts.ts";
import { resolved } from "./poller-world.ts";

describe("standing", () => {
	const reading = (more: Partial<RunJob>) => standingOf({ kind: "read", run, jobs: new Map([[7, { ...job, ...more }]]) }, 7, NOW);
	test.each([
		[{}, true],
		[
			{ status: "completed", conclusion: "cancelled" },
			{ outcome: "notQueued", status: "completed", conclusion: "cancelled" },
		],
		[
			{ status: "in_progress", runnerName: "r" },
			{ outcome: "notQueued", status: "in_progress", runnerName: "r" },
		],
		[{ status: "in_progress" }, { outcome: "later" }],
		[{ status: "waiting" }, { outcome: "notQueued", status: "waiting" }],
		[{ status: "pending" }, { outcome: "notQueued", status: "pending" }],
	] as const)("a job that reads %p stands at %p", (more, expected) => {
		const standing = reading(more as Partial<RunJob>);
		if (standing.queued) expect(expected).toBe(true);
		else expect(standing.settle).toMatchObject(expected as object);
	});

	test("what GitHub does not know is gone, and what it does not say is later", () => {
		expect(standingOf({ kind: "absent" }, 7, NOW)).toMatchObject({ settle: { outcome: "gone" } });
		expect(standingOf({ kind: "read", run, jobs: new Map() }, 7, NOW)).toMatchObject({ settle: { outcome: "gone" } });
		const error = new GitHubError("GET", 500, "", null);
		expect(standingOf({ kind: "failed", error }, 7, NOW)).toMatchObject({ settle: { outcome: "later", class: "throttled" } });
	});

	test("a job that was queued a moment ago and that GitHub does not know yet is looked at again within seconds", () => {
		expect(patientWithYoung({ outcome: "gone" }, NOW - 1000, NOW)).toMatchObject({ outcome: "later", notBefore: NOW + 3000 });
		expect(patientWithYoung({ outcome: "gone" }, NOW - 61_000, NOW)).toEqual({ outcome: "gone" });
		const refused = { outcome: "refused", reason: "a rule" } as const;
		expect(patientWithYoung(refused, NOW - 1000, NOW)).toEqual(refused);
	});
});

describe("admission", () => {
	const open = resolved(`
owners: [{ name: octo-org }]
images: { i: { arch: x64 } }
presets: { own: { cpu: 2, image: i } }
tiers: { own: { allow: { events: [push, pull_request], refs: [refs/heads/main, refs/pull/*/merge], actors: [mona] } } }
`);
	const asks = (labels: string, more: Partial<Run> = {}, environment: string | null = null, by = open) => {
		const result = admitJob({ ...run, ...more }, { ...job, labels: [labels] }, environment, by);
		return result.admitted ? "admitted" : result.reason;
	};
	test.each([
		["a push to the branch", {}, "admitted"],
		["a push to another branch", { headBranch: "other" }, "is not among the tier's refs"],
		["a pull request", { event: "pull_request", pullRequest: 3 }, "admitted"],
		["a pull request of unknown number", { event: "pull_request" }, "refs and the job's is unknown"],
		["a pull request from a fork", { event: "pull_request", pullRequest: 3, headRepository: "eve/octo-repo" }, "comes from a fork"],
		["a head repository that is gone", { headRepository: null }, "unknown whether the job comes from a fork"],
		["another event", { event: "schedule" }, "is not among the tier's events"],
		["another actor", { actor: "eve", triggeringActor: "eve" }, "is not among the tier's actors"],
		["a rerun by another actor", { triggeringActor: "eve" }, "is not among the tier's actors"],
		["a rerun of another actor's run", { actor: "eve" }, "is not among the tier's actors"],
		["an unknown actor", { actor: null, triggeringActor: null }, "actors and the job's is unknown"],
		["another owner", { repository: "eve/repo", headRepository: "eve/repo" }, "The owner eve is not served here."],
	])("%s", (_, more, expected) => {
		expect(asks("mayfly=1/runner=own", more)).toContain(expected);
	});

	test("a list that is empty, which no mayfly.yml may have, admits nothing", () => {
		const closed = structuredClone(open);
		for (const { allow } of Object.values(closed.tiers)) allow.environments = [];
		expect(asks("mayfly=1/runner=own", {}, "production", closed)).toContain("is not among the tier's environments: none");
		expect(asks("mayfly=1/runner=own", {}, null, closed)).toContain("environments and the job's is unknown");
	});
});

describe("errors", () => {
	test.each([
		["InsufficientInstanceCapacity", "capacity"],
		["RequestLimitExceeded", "throttled"],
		["MaxSpotInstanceCountExceeded", "quota"],
		["InvalidFleetConfig", "refused"],
		["UnauthorizedOperation", "unknown"],
		["constructor", "unknown"],
	])("%s is %s", (code, expected) => {
		expect(classOfCode(code)).toBe(expected as never);
	});
	test.each([
		["InternalError", 500, "throttled", false],
		["ServerInternal", 500, "throttled", false],
		["TimeoutError", null, "throttled", false],
		["CredentialsProviderError", null, "throttled", false],
		["NobodyKnowsThis", 502, "unknown", false],
		["NobodyKnowsThis", 400, "unknown", true],
		["Unavailable", 503, "throttled", true],
		["RequestLimitExceeded", 503, "throttled", true],
		["InsufficientInstanceCapacity", 500, "capacity", true],
		["UnauthorizedOperation", 403, "unknown", true],
		["InvalidParameterValue", 400, "refused", true],
	] as const)("a call that failed with %s and status %p is %s, and an answer: %p", (code, status, expected, isAnswered) => {
		expect(failureOfCall({ code, status, message: "m" })).toEqual({ class: expected, reason: "m", isAnswered });
	});
	test("of many errors the one that may pass is told", () => {
		const errors = ["Unsupported", "InsufficientInstanceCapacity", "VcpuLimitExceeded"].map((code) => ({ code, message: "m" }));
		expect(failureOf(errors)).toEqual({ class: "capacity", reason: "EC2: InsufficientInstanceCapacity: m (and 2 other pools)" });
		expect(failureOf([]).class).toBe("capacity");
	});
	test.each([
		["capacity", 0, 5_000],
		["capacity", 60_000, 15_000],
		["capacity", 86_400_000, 300_000],
		["quota", 0, 30_000],
	] as const)("%s after %i ms of waiting is tried again in %i ms or up to half as much later", (failure, waited, pause) => {
		for (const now of [NOW, NOW + 1, NOW + 2_499, NOW + 61_234]) {
			const actual = retryLaunchAt(failure, now - waited, now) - now;
			expect(actual).toBeGreaterThanOrEqual(pause);
			expect(actual).toBeLessThanOrEqual(pause * 1.5);
		}
	});
	test("jobs that wait for capacity about as long are tried again together", () => {
		const moments = Array.from({ length: 100 }, (_, n) => retryLaunchAt("capacity", NOW - 600_000, NOW + n * 100));
		expect(new Set(moments).size).toBeLessThanOrEqual(2);
	});
	test.each([
		[403, { "retry-after": "60" }, "", NOW + 60_000],
		[429, { "retry-after": "1" }, "", NOW + 1_000],
		[429, { "retry-after": "0" }, "", NOW],
		[429, { "retry-after": "" }, "", NOW + 60_000],
		[403, { "retry-after": " " }, "", null],
		[403, { "retry-after": "soon" }, "", null],
		[403, { "retry-after": new Date(NOW + 77_000).toUTCString() }, "", NOW + 77_000],
		[403, { "retry-after": new Date(NOW - 77_000).toUTCString() }, "", NOW],
		[403, { "retry-after": "", "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW / 1000 + 90) }, "", NOW + 90_000],
		[403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW / 1000 + 90) }, "", NOW + 90_000],
		[403, {}, "You have exceeded a secondary rate limit", NOW + 60_000],
		[429, {}, "", NOW + 60_000],
		[403, {}, "Resource not accessible by integration", null],
		[403, { "x-ratelimit-remaining": "12", "x-ratelimit-reset": "1" }, "", null],
		[500, { "retry-after": "60" }, "", null],
	])("%i with %p %s may be repeated at %p", (status, headers, message, expected) => {
		expect(retryMoment(status, headers, message, NOW)).toBe(expected);
	});
	test("a limit is obeyed to the second, a failure of GitHub is tried soon, a refusal seldom", () => {
		const later = (status: number | null, retryAt: number | null) => laterAfter(new GitHubError("GET", status, "", retryAt), NOW);
		expect(later(403, NOW + 77_000)).toMatchObject({ notBefore: NOW + 77_000, class: "throttled" });
		expect(later(null, null)).toMatchObject({ notBefore: NOW + 15_000, class: "throttled" });
		expect(later(403, null)).toMatchObject({ notBefore: NOW + 300_000, class: "unknown" });
	});
});

describe("care", () => {
	const instance = (more: Partial<Instance>): Instance => ({
		...{ instanceId: "i-0123456789abcdef0", state: "running", stateReason: null, privateIp: "10.0.0.4", launchedAt: NOW },
		...{ type: "m7a.large", zone: "eu-west-1a", market: "spot", tags: { "mayfly:tier": "build", "mayfly:job": "7" } },
		...more,
	});
	test.each([
		[instance({}), { id: 1, online: true, busy: false }, null],
		[instance({}), { id: 1, online: false, busy: true }, null],
		[null, { id: 1, online: true, busy: true }, null],
		[instance({}), { id: 1, online: false, busy: false }, "its runner never came online"],
		[instance({}), null, "its runner is not registered any more"],
		[null, null, "EC2 does not list it any more"],
		[instance({ state: "terminated", stateReason: "Server.InternalError" }), null, "EC2 says terminated, Server.InternalError"],
	])("a machine %p with runner %p is lost because %p", (machine, runner, expected) => {
		expect(whyLost(machine, runner)).toBe(expected);
	});

	test.each([
		...[200, 202, 304].map((status) => [status, true] as const),
		// What the relay cannot read today it cannot read tomorrow; each try costs five of GitHub's points.
		...[400, 413, 415].map((status) => [status, true] as const),
		...[0, 401, 404, 408, 429, 500, 503].map((status) => [status, false] as const),
	])("a delivery that was answered %i is over: %p", (status_code, expected) => {
		const delivery = { id: 1, guid: "g", delivered_at: "2026-11-29T12:00:00Z", status_code, event: "workflow_job" };
		expect(toDelivery(delivery).isOver).toBe(expected);
	});
});

describe("the workflow of a run", () => {
	const answer = {
		...{ id: 1, status: "queued", conclusion: null, event: "push", head_branch: "main", updated_at: "2026-11-01T00:00:00Z" },
		repository: { id: 1, full_name: "octo-org/shop" },
	};
	const FILE = ".github/workflows/deploy.yml";
	test.each([
		[FILE, FILE],
		[`${FILE}@main`, FILE],
		[`${FILE}@refs/heads/main`, FILE],
		[`${FILE}@refs/heads/a@b`, FILE],
		[".github/workflows/deploy.YAML@v1", ".github/workflows/deploy.YAML"],
		// As well a file of that name, which is another one.
		[`${FILE}@evil.yml`, `${FILE}@evil.yml`],
		[`${FILE}@evil.yaml@refs/heads/x.yml`, `${FILE}@evil.yaml@refs/heads/x.yml`],
		["dynamic/github-code-scanning/codeql", "dynamic/github-code-scanning/codeql"],
	])("of the path %s is %s", (path, file) => {
		expect(toRun({ ...answer, path }).path).toBe(file);
	});
});
