// REST of self-hosted runners, in the form of an organisation and of a repository (FACTS 2.1): JIT configuration, list, read, delete.
import * as v from "valibot";
import { type Answer, invalid, notFound, ok, refusal } from "./answer.ts";
import type { Scope } from "./dispatch.ts";
import { encodeJitConfig, type RunnerKeys } from "./jit.ts";
import { pageOf } from "./page.ts";
import type { Json } from "./payload.ts";
import type { InstallationCall, Route } from "./route.ts";
import type { Runner, Runners } from "./runners.ts";

const JitRequest = v.object({
	name: v.pipe(v.string(), v.minLength(1, "Name can't be blank"), v.maxLength(64, "Name is too long (maximum is 64 characters)")),
	runner_group_id: v.pipe(v.number(), v.integer()),
	labels: v.pipe(
		v.array(
			v.pipe(v.string(), v.minLength(1, "A label can't be blank"), v.maxLength(256, "A label is too long (maximum is 256 characters)")),
		),
		v.minLength(1, "At least one label is needed"),
		v.maxLength(100, "At most 100 labels are allowed"),
	),
	work_folder: v.optional(v.string(), "_work"),
});

export interface RunnersApiPorts {
	runners: Runners;
	keys: RunnerKeys;
	brokerUrl: () => string;
}

const scopeOf = ({ account, repository }: InstallationCall): Scope => ({ accountId: account.id, repositoryId: repository?.id ?? null });

function runnerJson(runners: Runners, runner: Runner): Json {
	return {
		...{ id: runner.id, name: runner.name, os: runner.session ? "linux" : "unknown" },
		...{ status: runners.isOnline(runner) ? "online" : "offline", busy: runner.jobId !== null, ephemeral: true },
		...{ version: runner.session?.version ?? null, runner_group_id: runner.group.id },
		labels: runner.labels.map((name, at) => ({ id: runner.id * 100 + at, name, type: "custom" })),
	};
}

function generate({ runners, keys, brokerUrl }: RunnersApiPorts, call: InstallationCall): Answer {
	const asked = v.safeParse(JitRequest, call.body);
	if (!asked.success)
		return invalid(
			"Validation Failed",
			asked.issues.map((issue) => `${v.getDotPath(issue) ?? "body"}: ${issue.message}`),
		);
	const { name, runner_group_id, labels, work_folder } = asked.output;
	const group = call.account.runnerGroups.find(({ id }) => id === runner_group_id);
	if (!group || (call.repository && !group.default)) return notFound();
	const runner = runners.register({ name, labels, scope: scopeOf(call), group, workFolder: work_folder });
	if (!runner) return refusal(409, `Already exists - A runner with the name ${name} already exists.`);
	const identity = { id: runner.id, name, clientId: runner.clientId, groupId: group.id, groupName: group.name, workFolder: work_folder };
	const encoded_jit_config = encodeJitConfig({ runner: identity, brokerUrl: brokerUrl(), keys });
	return { status: 201, body: { runner: runnerJson(runners, runner), encoded_jit_config } };
}

function routesBelow(root: string, permission: string, ports: RunnersApiPorts): Route[] {
	const { runners } = ports;
	const found = (call: InstallationCall) => runners.inScope(scopeOf(call)).find(({ id }) => id === call.id("runner_id"));
	const read = { permission, level: "read" } as const;
	const write = { permission, level: "write" } as const;
	return [
		{
			method: "GET",
			path: root,
			access: read,
			answer(call) {
				const name = call.query.get("name");
				const all = runners.inScope(scopeOf(call)).filter((runner) => name === null || runner.name === name);
				const { items, headers } = pageOf(all, call.query, call.url);
				return ok({ total_count: all.length, runners: items.map((runner) => runnerJson(runners, runner)) }, headers);
			},
		},
		{ method: "POST", path: `${root}/generate-jitconfig`, access: write, answer: (call) => generate(ports, call) },
		{
			method: "GET",
			path: `${root}/{runner_id}`,
			access: read,
			answer(call) {
				const runner = found(call);
				return runner ? ok(runnerJson(runners, runner)) : notFound();
			},
		},
		{
			method: "DELETE",
			path: `${root}/{runner_id}`,
			access: write,
			answer(call) {
				const runner = found(call);
				if (!runner) return notFound();
				if (runner.jobId !== null) return invalid(`Bad request - Runner "${runner.name}" is still running a job"`);
				runners.remove(runner);
				return { status: 204, body: null };
			},
		},
	];
}

export function runnerRoutes(ports: RunnersApiPorts): Route[] {
	return [
		...routesBelow("/orgs/{org}/actions/runners", "organization_self_hosted_runners", ports),
		...routesBelow("/repos/{owner}/{repo}/actions/runners", "administration", ports),
	];
}
