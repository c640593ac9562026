// Answers the job-started hook: a unix socket that takes one request and is gone (DESIGN 7). Whatever goes wrong is a refusal.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Asked, refuse, sayVerdict, type Verdict } from "./admission.ts";
import { factsOf } from "./hook-facts.ts";
import { hookScript, MAX_PAYLOAD_BYTES } from "./hook-script.ts";

export interface HookOptions {
	/** Must not be writable for the runner's user. */
	stateDir: string;
	/** How long an answer may take, ms. */
	limitMs: number;
	/** How long an admitted job is kept before its first step, ms. */
	hold: number;
	/** Whom a token of the job must be for; null: none is asked for. */
	audience: string | null;
	decide: (asked: Asked) => Promise<Verdict>;
	/** Resolves to whether the boot document is gone: no job may find it. */
	removed: () => Promise<boolean>;
	/** Called once, with the answer that is given. */
	onVerdict: (verdict: Verdict) => void;
}

export interface Hook {
	/** The script for ACTIONS_RUNNER_HOOK_JOB_STARTED. */
	script: string;
	stop(): void;
}

/** The payload and the form around it. */
const MAX_BYTES = MAX_PAYLOAD_BYTES + 64 * 1024;

async function readAsked(request: Request): Promise<Asked> {
	const form = await request.formData();
	const fields = new Map<string, string>();
	for (const [name, value] of form) if (typeof value === "string") fields.set(name, value);
	const payload = form.get("payload");
	return { facts: factsOf(fields, payload instanceof Blob ? await payload.text() : null), token: fields.get("token") ?? null };
}

async function judge(request: Request, { decide, removed }: HookOptions): Promise<Verdict> {
	try {
		const verdict = await decide(await readAsked(request));
		if (!verdict.admitted || (await removed())) return verdict;
		return refuse("mailbox", "the machine's boot document could not be deleted");
	} catch (error) {
		return refuse("request", `the job-started hook's request could not be read: ${error instanceof Error ? error.message : String(error)}`);
	}
}

async function judgeInTime(request: Request, options: HookOptions): Promise<Verdict> {
	const late = Promise.withResolvers<Verdict>();
	const timer = setTimeout(() => late.resolve(refuse("mailbox", "the machine was not ready in time to admit a job")), options.limitMs);
	const verdict = await Promise.race([judge(request, options), late.promise]);
	clearTimeout(timer);
	return verdict;
}

/** Writes the script and listens. Throws if it cannot. */
export function startHook(options: HookOptions): Hook {
	const script = join(options.stateDir, "job-started.sh");
	const socket = join(options.stateDir, "hook.sock");
	mkdirSync(options.stateDir, { recursive: true });
	// Whatever the unit's umask is: the runner's user comes through here.
	chmodSync(options.stateDir, 0o755);
	rmSync(socket, { force: true });
	rmSync(script, { force: true });
	writeFileSync(script, hookScript(socket, options.hold, options.audience));
	chmodSync(script, 0o755);
	let taken = false;
	const server = Bun.serve({
		unix: socket,
		maxRequestBodySize: MAX_BYTES,
		async fetch(request) {
			if (taken) return new Response("", { status: 409 });
			taken = true;
			rmSync(socket, { force: true });
			const verdict = await judgeInTime(request, options);
			options.onVerdict(verdict);
			void server.stop();
			return new Response(sayVerdict(verdict), { status: verdict.admitted ? 200 : 403 });
		},
	});
	chmodSync(socket, 0o666);
	return { script, stop: () => void server.stop(true) };
}
