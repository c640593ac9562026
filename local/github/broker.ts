// The runner's side of the stand-in over HTTP (protocol.ts): token, session, long poll, acquire, renew, log, complete.
import { randomBytes, randomUUID } from "node:crypto";
import { Hono } from "hono";
import * as v from "valibot";
import { isAssertionOf, type RunnerKeys } from "./jit.ts";
import type { JobMessage } from "./protocol.ts";
import type { Run, RunJob } from "./run.ts";
import type { Runner, RunnerSession, Runners } from "./runners.ts";
import type { Work } from "./work.ts";

const TOKEN_SECONDS = 3600;
/** GitHub holds a poll about this long. */
const LONGEST_POLL_SECONDS = 50;

const JobId = v.object({ jobId: v.number() });
const Text = v.string();
const Lines = v.object({ jobId: v.number(), lines: v.array(Text) });
const Conclusion = v.picklist(["success", "failure", "cancelled", "skipped"]);
const StepResult = v.object({ name: Text, conclusion: Conclusion, number: v.number(), startedAt: v.number(), completedAt: v.number() });
const Completed = v.object({
	jobId: v.number(),
	result: v.picklist(["Succeeded", "Failed", "Canceled"]),
	outputs: v.record(Text, Text),
	steps: v.array(StepResult),
	annotations: v.array(Text),
});

export interface BrokerPorts {
	runners: Runners;
	work: Work;
	keys: RunnerKeys;
	/** Ends with a slash. */
	brokerUrl: () => string;
	now: () => number;
	/** Runners below this version may not take messages (FACTS 1.9); null lets any. */
	minimumVersion: string | null;
	message: (job: RunJob, run: Run) => JobMessage;
	stopping: AbortSignal;
}

/** Whether a dotted version is below another. */
function isBelow(version: string, minimum: string): boolean {
	return version.localeCompare(minimum, "en", { numeric: true }) < 0;
}

/** Waits until the session has a message, ends, or the time is over. */
async function nextMessage(session: RunnerSession, waitMs: number, gone: AbortSignal[]): Promise<void> {
	if (session.messages.length > 0 || waitMs === 0) return;
	const { promise, resolve } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, waitMs);
	for (const signal of gone) signal.addEventListener("abort", () => resolve(), { once: true });
	session.wake?.();
	session.wake = resolve;
	await promise;
	clearTimeout(timer);
	if (session.wake === resolve) session.wake = null;
}

export function createBroker(ports: BrokerPorts): Hono<{ Variables: { runner: Runner } }> {
	const { runners, work, now } = ports;
	const tokens = new Map<string, { runnerId: number; expiresAt: number }>();
	const app = new Hono<{ Variables: { runner: Runner } }>();

	app.post("/token", async (c) => {
		const asked = v.safeParse(v.object({ client_id: Text, client_assertion: Text }), await c.req.json().catch(() => null));
		const runner = asked.success ? runners.ofClient(asked.output.client_id) : null;
		if (!asked.success || !runner || !isAssertionOf(runner.clientId, asked.output.client_assertion, ports.brokerUrl(), ports.keys, now()))
			return c.json({ error: "invalid_client" }, 400);
		const token = randomBytes(32).toString("hex");
		tokens.set(token, { runnerId: runner.id, expiresAt: now() + TOKEN_SECONDS * 1000 });
		return c.json({ access_token: token, expires_in: TOKEN_SECONDS });
	});

	app.use(async (c, next) => {
		const held = tokens.get(c.req.header("authorization")?.replace(/^bearer /i, "") ?? "");
		if (!held || held.expiresAt <= now()) return c.json({ error: "unauthorized" }, 401);
		const runner = runners.get(held.runnerId);
		if (!runner) return c.json({ error: "runner_not_found" }, 404);
		if (runner.session) runner.session.lastSeenAt = now();
		c.set("runner", runner);
		return next();
	});

	app.post("/session", async (c) => {
		const asked = v.safeParse(v.object({ agentName: Text, version: Text }), await c.req.json().catch(() => null));
		const runner = c.get("runner");
		if (!asked.success || asked.output.agentName !== runner.name) return c.json({ error: "invalid_session" }, 400);
		if (runners.isOnline(runner)) return c.json({ error: "session_conflict" }, 409);
		const at = now();
		runner.session = { id: randomUUID(), version: asked.output.version, startedAt: at, lastSeenAt: at, wake: null, messages: [] };
		return c.json({ sessionId: runner.session.id });
	});

	app.delete("/session", (c) => {
		work.leave(c.get("runner"));
		return c.body(null, 204);
	});

	app.get("/message", async (c) => {
		const runner = c.get("runner");
		const { session } = runner;
		if (!session || session.id !== c.req.query("sessionId")) return c.json({ error: "session_not_found" }, 404);
		if (ports.minimumVersion && isBelow(session.version, ports.minimumVersion)) return c.json({ error: "runner_version_deprecated" }, 403);
		work.dispatch();
		const seconds = Math.max(0, Math.min(LONGEST_POLL_SECONDS, Number(c.req.query("waitSeconds") ?? LONGEST_POLL_SECONDS) || 0));
		await nextMessage(session, seconds * 1000, [c.req.raw.signal, ports.stopping]);
		if (runners.get(runner.id) !== runner) return c.json({ error: "runner_not_found" }, 404);
		session.lastSeenAt = now();
		// A caller that has hung up must not take a message with it.
		const message = c.req.raw.signal.aborted ? undefined : session.messages.shift();
		return message ? c.json(message) : c.body(null, 202);
	});

	app.post("/acquire", async (c) => {
		const asked = v.safeParse(JobId, await c.req.json().catch(() => null));
		if (!asked.success) return c.json({ error: "invalid_request" }, 400);
		const taken = work.acquire(c.get("runner"), asked.output.jobId);
		return taken.status === 200 ? c.json(ports.message(taken.job, taken.run)) : c.json({ error: "job_not_available" }, taken.status);
	});

	app.post("/renew", async (c) => {
		const asked = v.safeParse(JobId, await c.req.json().catch(() => null));
		const renewal = asked.success ? work.renew(c.get("runner"), asked.output.jobId) : null;
		return renewal ? c.json(renewal) : c.json({ error: "job_not_found" }, asked.success ? 404 : 400);
	});

	app.post("/log", async (c) => {
		const asked = v.safeParse(Lines, await c.req.json().catch(() => null));
		const job = asked.success ? work.running(c.get("runner"), asked.output.jobId) : null;
		if (!asked.success || !job) return c.json({ error: "job_not_found" }, asked.success ? 404 : 400);
		job.log.push(...asked.output.lines);
		return c.body(null, 204);
	});

	app.post("/complete", async (c) => {
		const asked = v.safeParse(Completed, await c.req.json().catch(() => null));
		if (!asked.success) return c.json({ error: "invalid_request" }, 400);
		return work.complete(c.get("runner"), asked.output) ? c.body(null, 204) : c.json({ error: "job_not_found" }, 404);
	});
	return app;
}
