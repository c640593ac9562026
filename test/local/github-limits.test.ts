// GitHub's limits, and answers that cost nothing.
import { expect, test } from "bun:test";
import { call, handClock, installationToken, registerRunner, startChecked } from "./github-client.ts";

const runs = "GET /repos/octo-org/octo-repo/actions/runs";

test("the hourly limit is counted down in the headers and then answered 403", async () => {
	const github = await startChecked({ limits: { perHour: 2 } });
	const token = await installationToken(github);
	expect((await call(github, token, runs)).headers.get("x-ratelimit-remaining")).toBe("1");
	await call(github, token, runs);
	const refused = await call(github, token, runs);
	expect([refused.status, refused.headers.get("x-ratelimit-remaining")]).toEqual([403, "0"]);
	expect(Number(refused.headers.get("x-ratelimit-reset"))).toBeGreaterThan(0);
	expect(github.problems).toEqual([]);
	await github.stop();
});

test("writing costs five points of the minute, and the secondary limit says how long to wait", async () => {
	const clock = handClock();
	const github = await startChecked({ limits: { pointsPerMinute: 10 }, now: clock });
	const token = await installationToken(github);
	expect((await registerRunner(github, token, "a")).status).toBe(201);
	expect((await registerRunner(github, token, "b")).status).toBe(201);
	const refused = await registerRunner(github, token, "c");
	expect([refused.status, refused.headers.get("retry-after")]).toEqual([403, "60"]);
	clock.pass(60_000);
	expect((await registerRunner(github, token, "c")).status).toBe(201);
	await github.stop();
});

test("an answer that has not changed is 304 and free", async () => {
	const github = await startChecked();
	const token = await installationToken(github);
	const first = await call(github, token, runs);
	const again = await call(github, token, runs, undefined, { "if-none-match": first.headers.get("etag") ?? "" });
	expect([again.status, again.body]).toEqual([304, null]);
	expect((await call(github, token, runs)).headers.get("x-ratelimit-used")).toBe("2");
	expect(github.problems).toEqual([]);
	await github.stop();
});
