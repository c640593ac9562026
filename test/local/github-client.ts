// What the tests of the GitHub stand-in speak with: an App's client, a runner in a few lines, a receiver of webhooks, workflows as data.
import { createPrivateKey } from "node:crypto";
import { signJwt } from "../../local/github/jwt.ts";
import { checkExchange } from "../../local/github/openapi.ts";
import type { BrokerMessage, Completion, JobMessage, RunnerSettings } from "../../local/github/protocol.ts";
import { type GitHub, type GitHubOptions, startGitHub } from "../../local/github.ts";
import type { Job, Workflow } from "../../local/workflow/model.ts";

export interface Reply {
	status: number;
	headers: Headers;
	// biome-ignore lint/suspicious/noExplicitAny: tests read whatever fields they claim something about.
	body: any;
}

export interface TestGitHub extends GitHub {
	/** What was not as GitHub describes it, of every exchange so far. */
	problems: string[];
}

/** A stand-in whose every REST exchange is checked against GitHub's description. */
export async function startChecked(options: GitHubOptions = {}): Promise<TestGitHub> {
	const problems: string[] = [];
	const github = await startGitHub({ ...options, onExchange: (exchange) => problems.push(...checkExchange(exchange)) });
	return Object.assign(github, { problems });
}

/** A clock that only tests move. */
export function handClock(at = Date.now()) {
	let time = at;
	const pass = (ms: number) => {
		time += ms;
	};
	return Object.assign(() => time, { pass });
}

export function appJwt(github: GitHub, claims: Record<string, unknown> = {}, now = Date.now()): string {
	const at = Math.floor(now / 1000);
	return signJwt({ iss: github.app.id, iat: at - 30, exp: at + 540, ...claims }, createPrivateKey(github.app.privateKey));
}

export async function call(
	github: GitHub,
	token: string | null,
	request: string,
	body?: unknown,
	headers: Record<string, string> = {},
): Promise<Reply> {
	const [method, path] = request.split(" ");
	const response = await fetch(github.url + path, {
		method,
		headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
		body: body === undefined ? undefined : JSON.stringify(body),
	});
	const text = await response.text();
	return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
}

export async function installationToken(github: GitHub, at = 0, body?: unknown): Promise<string> {
	const id = github.world.accounts[at]?.installationId;
	const reply = await call(github, appJwt(github), `POST /app/installations/${id}/access_tokens`, body);
	return reply.body.token;
}

export function job(key: string, more: Partial<Job> = {}): Job {
	return {
		...{ key, line: 1, name: null, needs: [], runsOn: ["mayfly"], env: {}, matrix: [{}], outputs: {}, continueOnError: false },
		...{ timeoutMinutes: null, workingDirectory: null, idToken: false, environment: null, steps: [] },
		...more,
	};
}

export function workflow(...jobs: Job[]): Workflow {
	return { file: "ci.yml", name: "CI", env: {}, jobs };
}

/** Registers a runner; the encoded JIT configuration. */
export async function registerRunner(
	github: GitHub,
	token: string,
	name: string,
	labels = ["mayfly"],
	root = "/orgs/octo-org",
): Promise<Reply> {
	return await call(github, token, `POST ${root}/actions/runners/generate-jitconfig`, { name, runner_group_id: 1, labels });
}

export function jitFiles(encoded: string): Record<string, Record<string, unknown>> {
	const files = JSON.parse(Buffer.from(encoded, "base64").toString()) as Record<string, string>;
	return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, JSON.parse(Buffer.from(text, "base64").toString())]));
}

/** The runner's side of protocol.ts, one call a method. */
export async function connectRunner(encoded: string, more: { version?: string } = {}) {
	const files = jitFiles(encoded);
	const settings = files[".runner"] as unknown as RunnerSettings;
	const { ClientId, AuthorizationUrl } = (files[".credentials"] as { Data: Record<string, string> }).Data;
	const key = createPrivateKey({ key: files[".credentials_rsaparams"] as JsonWebKey, format: "jwk" });
	const assertion = signJwt({ sub: ClientId, iss: ClientId, aud: AuthorizationUrl, exp: Math.floor(Date.now() / 1000) + 300 }, key);
	const ask = async (request: string, body?: unknown, token?: string): Promise<Reply> => {
		const [method, path] = request.split(" ");
		const response = await fetch(settings.ServerUrlV2 + path, {
			method,
			headers: token ? { authorization: `Bearer ${token}` } : {},
			body: body === undefined ? undefined : JSON.stringify(body),
		});
		const text = await response.text();
		return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
	};
	const granted = await ask("POST token", { client_id: ClientId, client_assertion: assertion });
	const token: string = granted.body.access_token;
	const session = await ask("POST session", { agentName: settings.AgentName, version: more.version ?? "2.337.0" }, token);
	return {
		...{ granted, session, settings, token },
		say: (request: string, body?: unknown) => ask(request, body, token),
		poll: (waitSeconds = 5) => ask(`GET message?sessionId=${session.body.sessionId}&waitSeconds=${waitSeconds}`, undefined, token),
		/** Waits for a job and takes it. */
		async take(): Promise<JobMessage> {
			const { body } = (await this.poll()) as { body: BrokerMessage };
			return (await ask("POST acquire", { jobId: body.jobId }, token)).body;
		},
		complete: (jobId: number, more: Partial<Completion> = {}) =>
			ask("POST complete", { jobId, result: "Succeeded", outputs: {}, steps: [], annotations: [], ...more }, token),
	};
}

/** Registers a runner, connects it, runs the next job it is given to this end. */
export async function runOneJob(
	github: GitHub,
	token: string,
	name: string,
	end: Partial<Completion> = {},
	labels?: string[],
): Promise<JobMessage> {
	const { body } = await registerRunner(github, token, name, labels);
	const runner = await connectRunner(body.encoded_jit_config);
	const message = await runner.take();
	await runner.complete(message.jobId, end);
	return message;
}

export interface Received {
	headers: Headers;
	text: string;
	// biome-ignore lint/suspicious/noExplicitAny: as above.
	body: any;
}

/** Receives webhooks, in order of arrival; `answer` may be changed. */
export function startReceiver() {
	const received: Received[] = [];
	const receiver = {
		received,
		url: "",
		answer: (): Response | Promise<Response> => new Response("ok", { status: 202 }),
		stop: () => server.stop(true),
	};
	const server = Bun.serve({
		hostname: "127.0.0.1",
		port: 0,
		async fetch(request) {
			const text = await request.text();
			received.push({ headers: request.headers, text, body: JSON.parse(text) });
			return receiver.answer();
		},
	});
	receiver.url = `http://127.0.0.1:${server.port}/webhook`;
	return receiver;
}
