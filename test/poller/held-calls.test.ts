// What GitHub says to one call of when to come back holds for every call of the same installation, to the millisecond.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createGitHub } from "../../poller/github.ts";
import type { RepositoryRef } from "../../poller/ports.ts";
import { handClock, startChecked, type TestGitHub } from "../local/github-client.ts";

setDefaultTimeout(30_000);

let github: TestGitHub;
afterEach(() => github.stop());

const AT = 1_800_000_000_000;
const ACCOUNTS = ["octo-org", "other-org"].map((login) => ({ login, repositories: [{ name: "shop" }] }));

/** A client whose clock stands still, and what was asked of GitHub but tokens. */
async function start() {
	const asked: string[] = [];
	github = await startChecked({ accounts: ACCOUNTS });
	const clock = handClock(AT);
	const proxy = Bun.serve({
		port: 0,
		fetch: async (request) => {
			const { pathname, search } = new URL(request.url);
			if (!pathname.endsWith("/access_tokens")) asked.push(`${request.method} ${pathname}`);
			const { method, headers } = request;
			return fetch(github.url + pathname + search, { method, headers, body: method === "GET" ? null : await request.text() });
		},
	});
	const client = createGitHub({
		...{ apiUrl: proxy.url.origin, appId: String(github.app.id), privateKey: github.app.privateKey },
		...{ now: clock, sleep: async () => undefined, rateLeft: () => undefined },
	});
	const [ours, others] = github.world.accounts.map(
		({ login, installationId }): RepositoryRef => ({ repository: `${login}/shop`, installationId }),
	) as [RepositoryRef, RepositoryRef];
	return { asked, clock, client, ours, others, stop: () => proxy.stop(true) };
}

describe("a moment that GitHub names", () => {
	test.each([
		["retry-after with 403", 403, { "retry-after": "30" }],
		["retry-after with 429", 429, { "retry-after": "30" }],
		["the reset of the hourly limit", 403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(AT / 1000 + 30) }],
	])("is waited for by every call of the installation: %s", async (_, status, headers) => {
		const { asked, clock, client, ours, others, stop } = await start();
		const scope = { ...ours, endpoint: "org" as const };
		github.faults.request({ path: /generate-jitconfig/, status, headers: headers as Record<string, string> });
		const request = { name: "mayfly-i-0123456789abcdef0-1", runner_group_id: 1, labels: ["a"], work_folder: "_work" };
		const limited = { retryAt: AT + 30_000 };
		await expect(client.createRunner(scope, request)).rejects.toMatchObject(limited);
		const before = asked.length;
		clock.pass(29_999);
		for (const call of [() => client.run(ours, 1), () => client.createRunner(scope, request), () => client.findRunner(scope, "x")])
			await expect(call()).rejects.toMatchObject(limited);
		expect(asked).toHaveLength(before);
		expect(await client.run(others, 1)).toBeNull();
		clock.pass(1);
		expect(await client.run(ours, 1)).toBeNull();
		expect(await client.createRunner(scope, request)).toMatchObject({ jitConfig: expect.any(String) });
		stop();
	});
});
