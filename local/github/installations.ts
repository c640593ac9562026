// The App and its installations: who it is, where it is installed, and the tokens it may ask for (FACTS 2.2).
import * as v from "valibot";
import { type Answer, invalid, isoTime, notFound, ok } from "./answer.ts";
import { pageOf } from "./page.ts";
import { appJson, installationJson, type Json } from "./payload.ts";
import type { Route } from "./route.ts";
import { permits, type Tokens } from "./tokens.ts";
import { type Account, accountNamed, type Permissions, personNamed, repositoryNamed, type World } from "./world.ts";

const TokenRequest = v.nullish(
	v.object({
		repositories: v.optional(v.array(v.string())),
		repository_ids: v.optional(v.array(v.number())),
		permissions: v.optional(v.record(v.string(), v.picklist(["read", "write"]))),
	}),
	{},
);
type TokenRequest = NonNullable<v.InferOutput<typeof TokenRequest>>;

/** The repositories a token is narrowed to; null is all, undefined that one of them is not there. Pure. */
function narrowed(account: Account, { repositories, repository_ids }: TokenRequest): number[] | null | undefined {
	if (!repositories && !repository_ids) return null;
	const installed = account.repositories.filter((repository) => repository.installed);
	const byName = (repositories ?? []).map((name) => installed.find((repository) => repository.name === name)?.id);
	const byId = (repository_ids ?? []).map((id) => installed.find((repository) => repository.id === id)?.id);
	const ids = [...byName, ...byId];
	return ids.includes(undefined) ? undefined : ids.flatMap((id) => id ?? []);
}

function issueToken(tokens: Tokens, account: Account, body: unknown): Answer {
	const asked = v.safeParse(TokenRequest, body);
	if (!asked.success) return invalid("Invalid request.");
	const request = asked.output ?? {};
	const repositoryIds = narrowed(account, request);
	if (repositoryIds === undefined)
		return validation("There is at least one repository that does not exist or is not accessible to the parent installation.");
	const permissions: Permissions = request.permissions ?? account.permissions;
	if (!Object.entries(permissions).every(([name, level]) => permits(account.permissions, name, level)))
		return validation("The permissions requested are not granted to this installation.");
	const { token, expiresAt } = tokens.issue(account, permissions, repositoryIds);
	const json: Json = { token, expires_at: isoTime(expiresAt), permissions, repository_selection: repositoryIds ? "selected" : "all" };
	return { status: 201, body: json };
}

const validation = (message: string): Answer => ({ status: 422, body: { message, documentation_url: "https://docs.github.com/rest" } });

export function installationRoutes(api: () => string, world: World, tokens: Tokens, createdAt: number): Route[] {
	const byId = (id: number) => world.accounts.find(({ installationId }) => installationId === id) ?? null;
	const shown = (account: Account | null) => (account ? ok(installationJson(api(), world, account)) : notFound());
	const [first] = world.accounts;
	const owner = first ?? personNamed(world, "octocat");
	const app = { id: world.appId, slug: world.slug, clientId: world.clientId, owner, permissions: first?.permissions ?? {} };
	return [
		{
			method: "GET",
			path: "/app",
			access: "app",
			answer: () => ok({ ...appJson(api(), app, createdAt), installations_count: world.accounts.length }),
		},
		{
			method: "GET",
			path: "/app/installations",
			access: "app",
			answer({ query, url }) {
				const { items, headers } = pageOf(world.accounts, query, url);
				return ok(
					items.map((account) => installationJson(api(), world, account)),
					headers,
				);
			},
		},
		{ method: "GET", path: "/app/installations/{installation_id}", access: "app", answer: ({ id }) => shown(byId(id("installation_id"))) },
		{
			method: "POST",
			path: "/app/installations/{installation_id}/access_tokens",
			access: "app",
			answer({ id, body }) {
				const account = byId(id("installation_id"));
				return account ? issueToken(tokens, account, body) : notFound();
			},
		},
		{
			method: "GET",
			path: "/orgs/{org}/installation",
			access: "app",
			answer({ params }) {
				const account = accountNamed(world, params.org ?? "");
				return shown(account?.type === "Organization" ? account : null);
			},
		},
		{
			method: "GET",
			path: "/users/{username}/installation",
			access: "app",
			answer: ({ params }) => shown(accountNamed(world, params.username ?? "")),
		},
		{
			method: "GET",
			path: "/repos/{owner}/{repo}/installation",
			access: "app",
			answer({ params }) {
				const repository = repositoryNamed(world, params.owner ?? "", params.repo ?? "");
				return shown(repository?.installed ? accountNamed(world, repository.owner.login) : null);
			},
		},
	];
}
