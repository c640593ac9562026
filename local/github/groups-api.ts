// REST of an organisation's runner groups (FACTS 2.3): read only.
import { notFound, ok } from "./answer.ts";
import { pageOf } from "./page.ts";
import type { Json } from "./payload.ts";
import type { Route } from "./route.ts";
import type { Account, RunnerGroup } from "./world.ts";

const GROUPS = "/orgs/{org}/actions/runner-groups";
const READ = { permission: "organization_self_hosted_runners", level: "read" } as const;

function groupJson(api: string, account: Account, group: RunnerGroup): Json {
	const url = `${api}/orgs/${account.login}/actions/runner-groups/${group.id}`;
	return {
		...{ id: group.id, name: group.name, visibility: group.visibility, default: group.default, runners_url: `${url}/runners` },
		...(group.visibility === "selected" && { selected_repositories_url: `${url}/repositories` }),
		...{ inherited: false, allows_public_repositories: group.allowsPublicRepositories, workflow_restrictions_read_only: false },
		...{ restricted_to_workflows: group.selectedWorkflows !== null, selected_workflows: group.selectedWorkflows ?? [] },
	};
}

export function groupRoutes(api: () => string): Route[] {
	return [
		{
			method: "GET",
			path: GROUPS,
			access: READ,
			answer({ account, query, url }) {
				const { items, headers } = pageOf(account.runnerGroups, query, url);
				return ok(
					{ total_count: account.runnerGroups.length, runner_groups: items.map((group) => groupJson(api(), account, group)) },
					headers,
				);
			},
		},
		{
			method: "GET",
			path: `${GROUPS}/{runner_group_id}`,
			access: READ,
			answer({ account, id }) {
				const group = account.runnerGroups.find((one) => one.id === id("runner_group_id"));
				return group ? ok(groupJson(api(), account, group)) : notFound();
			},
		},
	];
}
