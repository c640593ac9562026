// People, organisations, repositories and the App as GitHub writes them, in REST answers and webhooks alike. Pure.
import { isoTime } from "./answer.ts";
import type { Account, Permissions, Person, Repository, World } from "./world.ts";

export type Json = Record<string, unknown>;

/** GitHub's opaque ids only need to be stable and to look alike. */
export function nodeId(kind: string, id: number): string {
	return `${kind}_${Buffer.from(`0:${kind}${id}`).toString("base64url")}`;
}

export function personJson(api: string, person: Person): Json {
	const url = `${api}/users/${person.login}`;
	return {
		login: person.login,
		id: person.id,
		node_id: nodeId(person.type === "User" ? "U" : "O", person.id),
		avatar_url: `https://avatars.githubusercontent.com/u/${person.id}?v=4`,
		gravatar_id: "",
		url,
		html_url: `https://github.com/${person.login}`,
		followers_url: `${url}/followers`,
		following_url: `${url}/following{/other_user}`,
		gists_url: `${url}/gists{/gist_id}`,
		starred_url: `${url}/starred{/owner}{/repo}`,
		subscriptions_url: `${url}/subscriptions`,
		organizations_url: `${url}/orgs`,
		repos_url: `${url}/repos`,
		events_url: `${url}/events{/privacy}`,
		received_events_url: `${url}/received_events`,
		type: person.type,
		site_admin: false,
	};
}

/** The `organization` of a webhook. */
export function organizationJson(api: string, account: Person): Json {
	const url = `${api}/orgs/${account.login}`;
	return {
		login: account.login,
		id: account.id,
		node_id: nodeId("O", account.id),
		url,
		repos_url: `${url}/repos`,
		events_url: `${url}/events`,
		hooks_url: `${url}/hooks`,
		issues_url: `${url}/issues`,
		members_url: `${url}/members{/member}`,
		public_members_url: `${url}/public_members{/member}`,
		avatar_url: `https://avatars.githubusercontent.com/u/${account.id}?v=4`,
		description: null,
	};
}

/** What follows a repository's own address in its `*_url` fields. */
const BELOW: Record<string, string> = {
	forks: "/forks",
	keys: "/keys{/key_id}",
	collaborators: "/collaborators{/collaborator}",
	teams: "/teams",
	hooks: "/hooks",
	issue_events: "/issues/events{/number}",
	events: "/events",
	assignees: "/assignees{/user}",
	branches: "/branches{/branch}",
	tags: "/tags",
	blobs: "/git/blobs{/sha}",
	git_tags: "/git/tags{/sha}",
	git_refs: "/git/refs{/sha}",
	trees: "/git/trees{/sha}",
	statuses: "/statuses/{sha}",
	languages: "/languages",
	stargazers: "/stargazers",
	contributors: "/contributors",
	subscribers: "/subscribers",
	subscription: "/subscription",
	commits: "/commits{/sha}",
	git_commits: "/git/commits{/sha}",
	comments: "/comments{/number}",
	issue_comment: "/issues/comments{/number}",
	contents: "/contents/{+path}",
	compare: "/compare/{base}...{head}",
	merges: "/merges",
	archive: "/{archive_format}{/ref}",
	downloads: "/downloads",
	issues: "/issues{/number}",
	pulls: "/pulls{/number}",
	milestones: "/milestones{/number}",
	notifications: "/notifications{?since,all,participating}",
	labels: "/labels{/name}",
	releases: "/releases{/id}",
	deployments: "/deployments",
};

/** The short form, as runs carry it. */
export function minimalRepositoryJson(api: string, repository: Repository): Json {
	const url = `${api}/repos/${repository.fullName}`;
	return {
		id: repository.id,
		node_id: nodeId("R", repository.id),
		name: repository.name,
		full_name: repository.fullName,
		private: repository.private,
		owner: personJson(api, repository.owner),
		html_url: `https://github.com/${repository.fullName}`,
		description: null,
		fork: repository.fork,
		url,
		...Object.fromEntries(Object.entries(BELOW).map(([name, path]) => [`${name}_url`, url + path])),
	};
}

/** The whole form, as webhooks carry it. */
export function repositoryJson(api: string, repository: Repository, createdAt: number): Json {
	const html = `https://github.com/${repository.fullName}`;
	const time = isoTime(createdAt);
	const counts = ["size", "stargazers_count", "watchers_count", "forks_count", "open_issues_count", "forks", "open_issues", "watchers"];
	return {
		...minimalRepositoryJson(api, repository),
		...{ created_at: time, updated_at: time, pushed_at: time },
		...{ git_url: `git://github.com/${repository.fullName}.git`, ssh_url: `git@github.com:${repository.fullName}.git` },
		...{ clone_url: `${html}.git`, svn_url: html, homepage: null, language: null, mirror_url: null, license: null },
		...Object.fromEntries(counts.map((name) => [name, 0])),
		...{ has_issues: true, has_projects: true, has_downloads: true, has_wiki: true, has_pages: false, has_discussions: false },
		...{ archived: false, disabled: false, allow_forking: true, is_template: false, web_commit_signoff_required: false },
		...{ topics: [], visibility: repository.private ? "private" : "public", default_branch: "main", custom_properties: {} },
	};
}

/** An App as `GET /app` and deployments show it. */
export function appJson(
	api: string,
	app: { id: number; slug: string; clientId: string; owner: Person; permissions: Permissions },
	createdAt: number,
): Json {
	const time = isoTime(createdAt);
	return {
		id: app.id,
		slug: app.slug,
		client_id: app.clientId,
		node_id: nodeId("A", app.id),
		owner: personJson(api, app.owner),
		name: app.slug,
		description: "",
		external_url: `https://${app.slug}.example`,
		html_url: `https://github.com/apps/${app.slug}`,
		created_at: time,
		updated_at: time,
		permissions: app.permissions,
		events: ["workflow_job"],
	};
}

export function installationJson(api: string, world: World, account: Account): Json {
	const url = `${api}/app/installations/${account.installationId}`;
	const selected = account.repositories.some(({ installed }) => !installed);
	return {
		id: account.installationId,
		client_id: world.clientId,
		account: personJson(api, account),
		repository_selection: selected ? "selected" : "all",
		access_tokens_url: `${url}/access_tokens`,
		repositories_url: `${api}/installation/repositories`,
		html_url: `https://github.com/organizations/${account.login}/settings/installations/${account.installationId}`,
		app_id: world.appId,
		app_slug: world.slug,
		target_id: account.id,
		target_type: account.type,
		permissions: account.permissions,
		events: ["workflow_job"],
		created_at: isoTime(account.createdAt),
		updated_at: isoTime(account.createdAt),
		single_file_name: null,
		has_multiple_single_files: false,
		single_file_paths: [],
		suspended_by: null,
		suspended_at: null,
	};
}
