// Who may call what: the App's JWT, installation tokens, their bounds, and GitHub's answers to the rest.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { createAppAuth } from "@octokit/auth-app";
import { request } from "@octokit/request";
import { signJwt } from "../../local/github/jwt.ts";
import { appJwt, call, handClock, installationToken, startChecked, type TestGitHub } from "./github-client.ts";

const clock = handClock();
let github: TestGitHub;
let jwt: string;
const seconds = () => Math.floor(clock() / 1000);

beforeAll(async () => {
	const accounts = [
		{ login: "octo-org", repositories: [{ name: "octo-repo" }, { name: "second" }, { name: "elsewhere", installed: false }] },
		{ login: "mona", type: "User" as const, repositories: [{ name: "home" }] },
		{ login: "read-org", repositories: [{ name: "r" }], permissions: { actions: "read", metadata: "read" } as const },
	];
	github = await startChecked({ accounts, now: clock });
	jwt = appJwt(github);
});
afterAll(async () => {
	expect(github.problems).toEqual([]);
	await github.stop();
});

const refusedJwts: [string, () => string][] = [
	[
		"signed by another key",
		() =>
			signJwt({ iss: github.app.id, iat: seconds(), exp: seconds() + 60 }, generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
	],
	["expired", () => appJwt(github, { exp: seconds() - 1 })],
	["good for more than ten minutes", () => appJwt(github, { exp: seconds() + 700 })],
	["made in the future", () => appJwt(github, { iat: seconds() + 120 })],
	["without iat", () => appJwt(github, { iat: undefined })],
	["of another App", () => appJwt(github, { iss: 1 })],
	["that is no JWT", () => "a.b.c"],
	["cut short", () => jwt.slice(0, -40)],
	["of algorithm none", () => `${Buffer.from('{"alg":"none"}').toString("base64url")}.${jwt.split(".")[1]}.x`],
];
test.each(refusedJwts)("a JWT %s is answered 401", async (_, token) => {
	expect(await call(github, token(), "GET /app")).toMatchObject({ status: 401, body: { message: expect.any(String) } });
});

test("a JWT 30 s ahead of GitHub's clock is taken, and the client id is as good as the App id", async () => {
	expect(await call(github, appJwt(github, { iat: seconds() + 30, iss: github.app.clientId }), "GET /app")).toMatchObject({
		status: 200,
		body: { id: github.app.id },
	});
});

test("the App finds its installations by list, organisation, user and repository", async () => {
	const ids = github.world.accounts.map(({ installationId }) => installationId);
	const list = await call(github, jwt, "GET /app/installations?per_page=2");
	expect(list.body.map(({ id }: { id: number }) => id)).toEqual(ids.slice(0, 2));
	expect(list.headers.get("link")).toContain('rel="next"');
	const [org, user] = ids;
	expect((await call(github, jwt, "GET /orgs/Octo-Org/installation")).body.id).toBe(org);
	expect((await call(github, jwt, "GET /users/mona/installation")).body.id).toBe(user);
	expect((await call(github, jwt, "GET /repos/mona/home/installation")).body.id).toBe(user);
	for (const path of ["/orgs/mona/installation", "/repos/octo-org/elsewhere/installation", "/orgs/nobody/installation"])
		expect((await call(github, jwt, `GET ${path}`)).status).toBe(404);
});

test("an installation token has the new form, about 500 characters, and lives an hour", async () => {
	const token = await installationToken(github);
	expect(token).toMatch(new RegExp(`^ghs_${github.app.id}_[\\w-]+\\.[\\w-]+\\.[\\w-]+$`));
	expect(token.length).toBeGreaterThan(450);
	const read = () => call(github, token, "GET /repos/octo-org/octo-repo/actions/runs");
	expect((await read()).status).toBe(200);
	clock.pass(3_600_000);
	expect(await read()).toMatchObject({ status: 401, body: { message: "Bad credentials" } });
	clock.pass(-3_600_000);
});

test("a token reaches its installation's repositories only, and fewer when it was narrowed", async () => {
	const wide = await installationToken(github);
	const narrow = await installationToken(github, 0, { repositories: ["second"], permissions: { actions: "read" } });
	const status = async (token: string, repository: string) => (await call(github, token, `GET /repos/${repository}/actions/runs`)).status;
	expect(await status(wide, "octo-org/octo-repo")).toBe(200);
	expect(await status(wide, "octo-org/elsewhere")).toBe(404);
	expect(await status(wide, "mona/home")).toBe(404);
	expect(await status(narrow, "octo-org/second")).toBe(200);
	expect(await status(narrow, "octo-org/octo-repo")).toBe(404);
});

test("a token cannot be asked for more than the installation was granted", async () => {
	const id = github.world.accounts[0]?.installationId;
	for (const body of [{ permissions: { administration: "write" } }, { repositories: ["elsewhere"] }, { repositories: "second" }])
		expect((await call(github, jwt, `POST /app/installations/${id}/access_tokens`, body)).status).toBe(422);
	expect((await call(github, jwt, "POST /app/installations/1/access_tokens")).status).toBe(404);
});

test("a missing permission is answered 403 with the one that is needed", async () => {
	const reader = await installationToken(github, 2);
	const reply = await call(github, reader, "POST /orgs/read-org/actions/runners/generate-jitconfig", {});
	expect(reply).toMatchObject({ status: 403, body: { message: "Resource not accessible by integration" } });
	expect(reply.headers.get("x-accepted-github-permissions")).toBe("organization_self_hosted_runners=write");
	expect((await call(github, reader, "POST /repos/read-org/r/actions/runs/1/cancel")).status).toBe(403);
	expect((await call(github, reader, "GET /repos/read-org/r/actions/runs")).status).toBe(200);
});

test("no token, a wrong one, or the wrong kind is refused", async () => {
	expect((await call(github, null, "GET /app")).status).toBe(401);
	expect((await call(github, "ghs_nonsense", "GET /repos/octo-org/octo-repo/actions/runs")).status).toBe(401);
	expect((await call(github, jwt, "GET /repos/octo-org/octo-repo/actions/runs")).status).toBe(403);
	expect((await call(github, await installationToken(github), "GET /app")).status).toBe(401);
});

test("a call that GitHub has and this stand-in has not is answered 501, one that neither has 404", async () => {
	const unbuilt = await fetch(`${github.url}/repos/octo-org/octo-repo/issues`);
	expect(unbuilt.status).toBe(501);
	expect(await unbuilt.json()).toMatchObject({ message: "This stand-in has no GET /repos/octo-org/octo-repo/issues, GitHub does" });
	for (const path of ["/nothing/here", "/repos/octo-org/%zz/actions/runs", "/repos//octo-repo/actions/runs"])
		expect((await fetch(github.url + path)).status).toBe(path.includes("%zz") ? 501 : 404);
	github.problems.length = 0;
});

test("octokit's own App authentication works against it", async () => {
	const real = await startChecked();
	const auth = createAppAuth({ appId: real.app.id, privateKey: real.app.privateKey, request: request.defaults({ baseUrl: real.url }) });
	const { token } = await auth({ type: "installation", installationId: real.world.accounts[0]?.installationId ?? 0 });
	const client = request.defaults({ baseUrl: real.url, headers: { authorization: `token ${token}` } });
	const { data } = await client("GET /orgs/{org}/actions/runner-groups", { org: "octo-org" });
	expect(data.runner_groups.map(({ name }: { name: string }) => name)).toEqual(["Default"]);
	expect(createPrivateKey(real.app.privateKey).asymmetricKeyType).toBe("rsa");
	expect(real.problems).toEqual([]);
	await real.stop();
});
