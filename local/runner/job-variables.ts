// The variables that GitHub's runner gives every step, and the contexts its expressions see. Pure.
import type { JobMessage } from "../github/protocol.ts";
import type { Folders } from "./folders.ts";

/** Members of the `github` context that become GITHUB_*: the list of the runner's own GitHubContext. */
const SHOWN =
	"action actor actor_id api_url base_ref event_name graphql_url head_ref job ref ref_name ref_protected ref_type repository repository_id repository_owner repository_owner_id retention_days run_attempt run_id run_number server_url sha triggering_actor workflow workflow_ref workflow_sha".split(
		" ",
	);

const ARCHITECTURES: Record<string, string> = { x64: "X64", arm64: "ARM64", ia32: "X86", arm: "ARM" };
const SYSTEMS: Record<string, string> = { linux: "Linux", darwin: "macOS", win32: "Windows" };

export interface RunnerFacts {
	name: string;
	arch: string;
	platform: string;
	/** `github_<uuid>`: what a job's processes carry, so that those it leaves behind are found. */
	trackingId: string;
}

export function runnerContext({ name, arch, platform }: RunnerFacts, folders: Folders): Record<string, string> {
	return {
		name,
		os: SYSTEMS[platform] ?? platform,
		arch: ARCHITECTURES[arch] ?? arch.toUpperCase(),
		temp: folders.temp,
		tool_cache: folders.tools,
		workspace: folders.pipeline,
		environment: "self-hosted",
	};
}

export function githubContext({ github, event }: JobMessage, folders: Folders): Record<string, unknown> {
	return { ...github, event: github.event ?? event, event_path: folders.event, workspace: folders.workspace };
}

function upperCased(prefix: string, values: Record<string, unknown>): Record<string, string> {
	const known = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && typeof value !== "object");
	return Object.fromEntries(known.map(([name, value]) => [`${prefix}${name.toUpperCase()}`, String(value)]));
}

/** GITHUB_*, RUNNER_*, CI and, for a job that may ask for one, the way to an OIDC token. */
export function jobVariables(message: JobMessage, runner: RunnerFacts, folders: Folders): Record<string, string> {
	const context = githubContext(message, folders);
	return {
		CI: "true",
		GITHUB_ACTIONS: "true",
		...upperCased("GITHUB_", Object.fromEntries([...SHOWN, "event_path", "workspace"].map((name) => [name, context[name] ?? ""]))),
		...upperCased("RUNNER_", runnerContext(runner, folders)),
		RUNNER_TRACKING_ID: runner.trackingId,
		...(message.idToken && {
			ACTIONS_ID_TOKEN_REQUEST_URL: message.idToken.url,
			ACTIONS_ID_TOKEN_REQUEST_TOKEN: message.idToken.token,
		}),
	};
}
