// The runner's other side in its tests: the paths of local/github/protocol.ts, answering what a test wants, remembering what it was told.
import { generateKeyPairSync } from "node:crypto";
import type { BrokerMessage, Completion, JobMessage, RunnerCredentials, RunnerSettings } from "../../local/github/protocol.ts";

type Answer = (body: Record<string, unknown>) => Response | Promise<Response>;

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const json = (body: unknown, status = 200) => Response.json(body, { status });

export function jobOf(more: Partial<JobMessage> & { run?: string[] } = {}): JobMessage {
	const { run = ["true"], ...message } = more;
	const step = { id: null, name: null, env: {}, workingDirectory: null, continueOnError: false, timeoutMinutes: null };
	return {
		jobId: 7,
		name: "build (linux, 20)",
		github: { repository: "octo/demo", run_id: 42, run_attempt: 1, job: "build", sha: "abc", actor: "mona" },
		matrix: { os: "linux" },
		needs: { first: { result: "success", outputs: { version: "1.2" } } },
		env: [],
		outputs: {},
		steps: run.map((text, index) => ({ ...step, line: index + 1, run: text })),
		workingDirectory: null,
		timeoutMinutes: 360,
		event: { action: "push" },
		idToken: null,
		...message,
	};
}

export function startRunnerBroker(job: JobMessage | null = null) {
	const told = { assertion: "", sessions: 0, closed: 0, renewals: 0, log: [] as string[], completions: [] as Completion[], polls: 0 };
	const messages: BrokerMessage[] = job ? [{ messageType: "RunnerJobRequest", jobId: job.jobId }] : [];
	let wake = () => {};
	let cancelled = false;
	const answers: Record<string, Answer> = {
		"POST /token": ({ client_assertion }) => {
			told.assertion = String(client_assertion);
			return json({ access_token: "token", expires_in: 3600 });
		},
		"POST /session": () => {
			told.sessions += 1;
			return json({ sessionId: "session" });
		},
		"DELETE /session": () => {
			told.closed += 1;
			return new Response(null, { status: 204 });
		},
		"GET /message": async () => {
			told.polls += 1;
			const { promise, resolve } = Promise.withResolvers<void>();
			wake = resolve;
			if (messages.length === 0) await promise;
			const message = messages.shift();
			return message ? json(message) : new Response(null, { status: 202 });
		},
		"POST /acquire": () => (job ? json(job) : json({ error: "job_not_available" }, 404)),
		"POST /renew": () => {
			told.renewals += 1;
			return json({ cancelled });
		},
		"POST /log": ({ lines }) => {
			told.log.push(...(lines as string[]));
			return new Response(null, { status: 204 });
		},
		"POST /complete": (body) => {
			told.completions.push(body as unknown as Completion);
			return new Response(null, { status: 204 });
		},
	};
	const server = Bun.serve({
		hostname: "127.0.0.1",
		port: 0,
		idleTimeout: 0,
		async fetch(request) {
			const { pathname } = new URL(request.url);
			const body = request.method === "POST" ? ((await request.json()) as Record<string, unknown>) : {};
			if (pathname !== "/token" && request.headers.get("authorization") !== "Bearer token") return json({ error: "unauthorized" }, 401);
			return (await answers[`${request.method} ${pathname}`]?.(body)) ?? json({ error: "not_found" }, 404);
		},
	});
	return {
		told,
		/** Replaces the answer to one request, such as `POST /token`. */
		answer: (request: string, answer: Answer) => {
			answers[request] = answer;
		},
		send: (message: BrokerMessage) => {
			messages.push(message);
			wake();
		},
		cancel: () => {
			cancelled = true;
		},
		jitConfig: () => encodeJit(server.url.href),
		stop: () => server.stop(true),
	};
}

function encodeJit(url: string): string {
	const settings: RunnerSettings = {
		...{ AgentId: 1, AgentName: "mayfly-i-1", PoolId: 1, PoolName: "Default", DisableUpdate: true, Ephemeral: true, UseV2Flow: true },
		...{ ServerUrl: url, ServerUrlV2: url, GitHubUrl: "", WorkFolder: "_work" },
	};
	const credentials: RunnerCredentials = { Scheme: "OAuth", Data: { ClientId: "client", AuthorizationUrl: `${url}token` } };
	const files = { ".runner": settings, ".credentials": credentials, ".credentials_rsaparams": privateKey.export({ format: "jwk" }) };
	const encoded = Object.entries(files).map(([name, content]) => [name, Buffer.from(JSON.stringify(content)).toString("base64")]);
	return Buffer.from(JSON.stringify(Object.fromEntries(encoded))).toString("base64");
}
