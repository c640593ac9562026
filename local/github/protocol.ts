// What the runner stand-in and the GitHub stand-in say to each other. GitHub's own broker protocol is not public; this one has its
// stages (token, session, long poll, acquire, renew, complete: FACTS 1.5) and nothing else of it. All bodies are JSON; every call
// but `token` carries `Authorization: Bearer <access token>`. Paths are below ServerUrlV2 of the `.runner` file.
import type { Conclusion, Env, MatrixLeg, Step } from "../workflow/model.ts";

/** `.runner`, a subset of the runner's own settings file (FACTS 1.2). */
export interface RunnerSettings {
	AgentId: number;
	AgentName: string;
	PoolId: number;
	PoolName: string;
	DisableUpdate: boolean;
	Ephemeral: boolean;
	ServerUrl: string;
	ServerUrlV2: string;
	UseV2Flow: true;
	GitHubUrl: string;
	WorkFolder: string;
}

/** `.credentials`: the access token is asked for with an RS256 assertion signed by `.credentials_rsaparams` (a private JWK). */
export interface RunnerCredentials {
	Scheme: "OAuth";
	Data: { ClientId: string; AuthorizationUrl: string };
}

/** `POST token` {client_id, client_assertion}: 200 AccessToken, 400 `{error:"invalid_client"}` once the registration is gone. */
export interface AccessToken {
	access_token: string;
	expires_in: number;
}

/** `POST session` {agentName, version}: 200, or 409 while another session of this runner lives. `DELETE session` ends it. */
export interface Session {
	sessionId: string;
}

/** `GET message?sessionId=&waitSeconds=`: 200 with one message, 202 with none after the wait, 404 when the runner is gone, 403 `{error:"runner_version_deprecated"}`. */
export type BrokerMessage = { messageType: "RunnerJobRequest"; jobId: number } | { messageType: "JobCancellation"; jobId: number };

/** `POST acquire` {jobId}: 200 JobMessage; 404, 409 or 422 when the job is no longer this runner's to take. */
export interface JobMessage {
	jobId: number;
	/** Shown name, such as `build (linux, 20)`. */
	name: string;
	/** Contexts for expressions; `github` also becomes GITHUB_* of the steps. */
	github: Record<string, unknown>;
	matrix: MatrixLeg;
	needs: Record<string, { result: Conclusion; outputs: Record<string, string> }>;
	/** Workflow env, then job env: the later wins. */
	env: Env[];
	outputs: Env;
	steps: Step[];
	workingDirectory: string | null;
	timeoutMinutes: number;
	/** Written to GITHUB_EVENT_PATH. */
	event: Record<string, unknown>;
	/** Present when the job may ask for an OIDC token: become ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN. */
	idToken: { url: string; token: string } | null;
}

/** `POST renew` {jobId}: 200 `{cancelled: boolean}`. A job not renewed in time fails: the runner lost communication. */
export interface Renewal {
	cancelled: boolean;
}

/** `POST log` {jobId, lines}: 204. */
export interface LogLines {
	jobId: number;
	lines: string[];
}

/** `POST complete`: 204. `interrupted` marks a runner shutdown: GitHub then records failure (FACTS 1.7). */
export interface Completion {
	jobId: number;
	result: "Succeeded" | "Failed" | "Canceled";
	outputs: Record<string, string>;
	steps: { name: string; conclusion: Conclusion; number: number; startedAt: number; completedAt: number }[];
	annotations: string[];
}
