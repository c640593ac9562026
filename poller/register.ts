// Registers the runner of one machine at GitHub, through lost answers, limits and runs of this that were cut off (DESIGN 5: JIT 409).
import { bootKey } from "../contract/boot.ts";
import { GitHubError } from "./github-error.ts";
import type { JitRequest, Ports, RunnerScope } from "./ports.ts";

export type Registration =
	| { kind: "registered"; jitConfig: string }
	/** An earlier registration is in use, or will be: the machine has its document or waits with it. */
	| { kind: "alive" }
	| { kind: "refused"; reason: string }
	/** Nothing is known; the same launch is leased again. */
	| { kind: "unsure"; reason: string };

export interface Registering {
	scope: RunnerScope;
	request: JitRequest;
	instanceId: string;
	privateIp: string;
	/** The launch was begun before, so the machine may hold a document already. */
	replayed: boolean;
	/** Called before a wait that may outlast the lease. */
	extend(): Promise<void>;
}

const TRIES = 4;
const PAUSE_MS = 1000;
/** A machine that waits longer for its registration is not worth keeping. */
const LONGEST_WAIT_MS = 60_000;
const LONG_WAIT_MS = 10_000;
/** Time that a runner takes from claiming its document to being online. */
const CLAIM_MS = 10_000;

/** Makes the JIT configuration. A name that is taken belongs to an earlier try of the same launch: names hold the instance's id. */
export async function register(ports: Ports, it: Registering): Promise<Registration> {
	let problem = "";
	for (let tried = 1; tried <= TRIES; tried++) {
		try {
			const made = await ports.github.createRunner(it.scope, it.request);
			if (made !== "exists") return { kind: "registered", jitConfig: made.jitConfig };
			if (await isInUse(ports, it)) return { kind: "alive" };
			problem = "its runner's name stays taken";
		} catch (error) {
			if (!(error instanceof GitHubError)) throw error;
			problem = error.message;
			if (!error.retryable) return { kind: "refused", reason: problem };
			if (!(await wait(ports, it, error.retryAt ?? ports.now() + PAUSE_MS * 2 ** tried))) break;
		}
	}
	return { kind: "unsure", reason: problem };
}

/** Waits until a moment; false if that is too far away to wait for. */
async function wait(ports: Ports, { extend }: Registering, moment: number): Promise<boolean> {
	const ms = Math.max(0, moment - ports.now());
	if (ms > LONGEST_WAIT_MS || ports.now() + ms + LONG_WAIT_MS > ports.endsAt) return false;
	if (ms > LONG_WAIT_MS) await extend();
	await ports.sleep(ms);
	return true;
}

/**
 * Whether the registration that has the name is of use: its runner is there, or the document that holds its key still waits. One whose
 * key is lost is deleted. Between the two lies a machine that has read its document and is not online yet: it gets time.
 */
async function isInUse(ports: Ports, { scope, request, instanceId, privateIp, replayed }: Registering): Promise<boolean> {
	const until = ports.now() + (replayed ? CLAIM_MS : 0);
	for (;;) {
		const runner = await ports.github.findRunner(scope, request.name);
		if (!runner) return false;
		if (runner.online || runner.busy) return true;
		if (replayed && (await ports.mailbox.has(bootKey(privateIp, instanceId)))) return true;
		if (ports.now() >= until) return (await ports.github.deleteRunner(scope, runner.id)) === "busy";
		await ports.sleep(PAUSE_MS);
	}
}
