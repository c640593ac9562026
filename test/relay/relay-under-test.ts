// The built relay in raw workerd, as its callers see it.
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readyParts } from "../../build/ready.ts";
import { type JobDetail, parseJobDetail } from "../../contract/job.ts";
import { type LeaseAnswer, parseLeaseAnswer } from "../../contract/lease.ts";
import { type ObserveAnswer, parseObserveAnswer } from "../../contract/observe.ts";
import type { Parsed } from "../../contract/parse.ts";
import { parseSettleAnswer, type SettleAnswer } from "../../contract/settle.ts";
import { startRelay } from "../../local/relay.ts";

/** Each at least 32 characters. */
export const SECRETS = {
	WEBHOOK_SECRET: "webhook-secret-0123456789abcdef0123",
	POLLER_TOKEN: "poller-token-0123456789abcdef012345",
	OPERATOR_TOKEN: "operator-token-0123456789abcdef0123",
	REPORT_KEY: "report-key-0123456789abcdef01234567",
};
export const OWNERS = "octo-org,Octocoders,codertocat,wolfy1339,lineville";

/** The built relay. */
export async function builtRelay(): Promise<string> {
	return (await readyParts()).relay;
}

/** Writes the built relay with some of its text replaced; every piece must be there. */
export async function changedRelay(file: string, changes: Record<string, string>): Promise<string> {
	let text = await readFile(await builtRelay(), "utf8");
	for (const [before, after] of Object.entries(changes)) {
		if (!text.includes(before)) throw new Error(`the built relay has no ${before}`);
		text = text.replace(before, after);
	}
	await writeFile(file, text);
	return file;
}

export function sign(body: string | Uint8Array, secret: string = SECRETS.WEBHOOK_SECRET): string {
	return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

export function reportToken(instanceId: string, expiresIn = 3600, key: string = SECRETS.REPORT_KEY): string {
	const text = `${instanceId}.${Math.floor(Date.now() / 1000) + expiresIn}`;
	return `${text}.${createHmac("sha256", key).update(text).digest("hex")}`;
}

let deliveries = 0;

/** Headers and body of a delivery as GitHub sends it; what is named otherwise replaces or, when null, removes a header. */
export function delivery(payload: unknown, headers: Record<string, string | null> = {}): RequestInit {
	const body = typeof payload === "string" ? payload : JSON.stringify(payload);
	const all = {
		"content-type": "application/json",
		"x-github-event": "workflow_job",
		"x-github-delivery": `delivery-${++deliveries}`,
		"x-hub-signature-256": sign(body),
		...headers,
	};
	return {
		method: "POST",
		body,
		headers: Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name, value]])) as [string, string][],
	};
}

/** A `workflow_job` payload with what the relay reads of it. */
export function payloadOf(id: number, action: string, more: Record<string, unknown> = {}, rest: Record<string, unknown> = {}) {
	return {
		action,
		workflow_job: {
			...{ id, run_id: 4000 + id, run_attempt: 1, name: "build", status: action, conclusion: null, labels: ["mayfly"], runner_name: null },
			...{ created_at: "2026-11-17T10:00:00Z", ...more },
		},
		repository: { full_name: "octo-org/octo-repo", owner: { login: "octo-org" } },
		installation: { id: 7 },
		...rest,
	};
}

/** Unwraps what our own parser accepts, so that every answer is checked against the contract. */
function accepted<T>(parsed: Parsed<T>): T {
	if (!parsed.ok) throw new Error(parsed.reason);
	return parsed.value;
}

export type RelayUnderTest = Awaited<ReturnType<typeof relayUnderTest>>;

/** Starts a relay on fresh storage, or on that of a folder. `vars` replace the usual ones. */
export async function relayUnderTest(vars: Record<string, string> = {}) {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-relay-test-"));
	const options = { bundle: await builtRelay(), stateDir: folder, vars: { ...SECRETS, OWNERS, ...vars } };
	let relay = await startRelay(options);
	let requests = 0;

	const call = (path: string, init?: RequestInit) => fetch(`${relay.url}${path}`, init);
	const bearer = (token: string, body?: unknown): RequestInit => ({
		headers: { authorization: `Bearer ${token}` },
		...(body === undefined ? {} : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) }),
	});
	const asPoller = async (path: string, body: unknown) => (await call(path, bearer(SECRETS.POLLER_TOKEN, body))).json();
	const stop = async () => {
		await relay.stop();
		await rm(folder, { recursive: true, force: true });
	};
	return {
		stop,
		[Symbol.asyncDispose]: stop,
		/** Ends it as a deploy does and starts another version on its storage; without one, the version it had at first. */
		async deploy(bundle = options.bundle) {
			await relay.kill("SIGKILL");
			relay = await startRelay({ ...options, bundle });
		},
		call,
		bearer,
		folder,
		url: () => relay.url,
		pid: () => relay.pid,
		secrets: SECRETS,
		log: () => Bun.file(relay.logFile).text(),
		webhook: (payload: unknown, headers?: Record<string, string | null>) => call("/webhook", delivery(payload, headers)),
		operator: (path: string, body?: unknown) => call(path, bearer(SECRETS.OPERATOR_TOKEN, body)),
		lease: async (more: Record<string, unknown> = {}): Promise<LeaseAnswer> =>
			accepted(
				parseLeaseAnswer(await asPoller("/lease", { session: "s", requestId: `r-${++requests}`, max: 100, waitSeconds: 0, ...more })),
			),
		settle: async (...results: Record<string, unknown>[]): Promise<SettleAnswer> =>
			accepted(parseSettleAnswer(await asPoller("/settle", { results }))),
		observe: async (facts: Record<string, unknown>): Promise<ObserveAnswer> =>
			accepted(parseObserveAnswer(await asPoller("/observe", { jobs: [], runs: [], machines: [], ...facts }))),
		report: (instanceId: string, more: Record<string, unknown>, token = reportToken(instanceId)) =>
			call("/report", bearer(token, { version: 1, instanceId, sequence: 1, phase: "claimed", at: Date.now(), jobId: 1, ...more })),
		job: async (id: number): Promise<JobDetail> =>
			accepted(parseJobDetail(await (await call(`/jobs/${id}`, bearer(SECRETS.OPERATOR_TOKEN))).json())),
		kill: (signal: NodeJS.Signals) => relay.kill(signal),
		/** Starts it again on its storage, with the variables of the first start but for those named here. */
		async restart(changed: Record<string, string> = {}) {
			relay = await startRelay({ ...options, vars: { ...options.vars, ...changed } });
		},
	};
}
