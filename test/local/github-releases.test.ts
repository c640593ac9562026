// The releases of actions/runner: public, so that the token of any installation reads them.
import { afterEach, expect, test } from "bun:test";
import { appJwt, call, installationToken, startChecked, type TestGitHub } from "./github-client.ts";

let github: TestGitHub;
afterEach(async () => {
	expect(github.problems).toEqual([]);
	await github.stop();
});

const PATH = "/repos/actions/runner/releases";

test("they are listed newest first, page by page, pre-releases among them", async () => {
	const publishedAt = Date.parse("2026-08-01T00:00:00Z");
	github = await startChecked({
		releases: [
			{ version: "2.336.0", publishedAt },
			{ version: "2.338.0", publishedAt: publishedAt + 2000, prerelease: true },
			{ version: "2.337.0", publishedAt: publishedAt + 1000 },
		],
	});
	const { status, body, headers } = await call(github, await installationToken(github), `GET ${PATH}?per_page=2`);
	expect(status).toBe(200);
	expect(body.map((it: Record<string, unknown>) => [it.tag_name, it.prerelease, it.draft, it.published_at])).toEqual([
		["v2.338.0", true, false, "2026-08-01T00:00:02Z"],
		["v2.337.0", false, false, "2026-08-01T00:00:01Z"],
	]);
	expect(headers.get("link")).toContain('rel="next"');
});

test("the App's own JWT and nobody at all are refused, and no other repository's are there", async () => {
	github = await startChecked();
	expect((await call(github, appJwt(github), `GET ${PATH}`)).status).toBe(403);
	expect((await call(github, null, `GET ${PATH}`)).status).toBe(401);
	const other = await call(github, await installationToken(github), "GET /repos/octo-org/octo-repo/releases");
	expect(other).toMatchObject({ status: 501 });
	github.problems.length = 0;
});
