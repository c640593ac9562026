// Registers the runner of one machine at GitHub, through lost answers, limits and runs of this that were cut off (DESIGN 5: JIT 409).
import { bootKey } from "../contract/boot.ts";
import { GitHubError } from "./github-error.ts";
import type { LaunchLease } from "./launch-lease.ts";
import type { JitRequest, Ports, RunnerScope } from "./ports.ts";

export type Registration =
	| { kind: "registered"; jitConfig: string }
	/** An earlier registration is in use, or will be: the machine has its document or waits with it. */
	| { kind: "alive" }
	/** GitHub will not register it, and has no runner of that name. */
	| { kind: "refused"; reason: string }
	/** Another session has the launch. */
	| { kind: "let go" }
	/** The session ends before anything is known; the same launch goes on in the next one. */
	| { kind: "unsure"; reason: string }
	/** GitHub registers nothing for now and has no runner of that name: the machine waits in vain. `retryAt` is GitHub's own word. */
	| { kind: "vain"; reason: string; retryAt: number | null };

export interface Registering {
	scope: RunnerScope;
	request: JitRequest;
	instanceId: string;
	privateIp: string;
	/** The launch was begun before, so the machine may hold a document already. */
	replayed: boolean;
	/** Since when the machine is there, epoch ms. */
	since: number;
	/** Of its launch: nothing is registered for one that another session has. */
	lease: LaunchLease;
}

/** As often as this at least, however long the machine has waited for a poller. */
const FEWEST_TRIES = 3;
/** A name that is deleted as often as this and there again is in use. */
const MOST_TAKEN = 4;
const PAUSE_MS = 1000;
/** A machine that waits longer for its registration is not worth keeping. */
const LONGEST_WAIT_MS = 60_000;
const LONG_WAIT_MS = 10_000;
/** Time that a runner takes from claiming its document to being online. */
const CLAIM_MS = 10_000;

/** Makes the JIT configuration. A name that is taken belongs to an earlier try of the same launch: names hold the instance's id. */
export async function register(ports: Ports, it: Registering): Promise<Registration> {
	/** Whether there may be a runner of that name: an answer that was lost, or a failure after the deed. */
	let mayBeThere = it.replayed;
	let taken = 0;
	for (let tried = 1; ; tried++) {
		try {
			const made = await ports.github.createRunner(it.scope, it.request, it.lease.lasts);
			if (made === "let go") return { kind: "let go" };
			if (made !== "exists") return { kind: "registered", jitConfig: made.jitConfig };
			mayBeThere = true;
			if (await isInUse(ports, it)) return { kind: "alive" };
			if (++taken === MOST_TAKEN) return { kind: "unsure", reason: "its runner's name stays taken" };
		} catch (error) {
			if (!(error instanceof GitHubError)) throw error;
			const { message: reason, retryAt, status } = error;
			if (!error.retryable) return mayBeThere && (await isInUse(ports, it)) ? { kind: "alive" } : { kind: "refused", reason };
			mayBeThere ||= status === null || status >= 500;
			const pause = Math.max(0, retryAt === null ? PAUSE_MS * 2 ** tried : retryAt - ports.now());
			if (isVain(ports.now() - it.since, tried, pause)) {
				if (mayBeThere && (await isInUse(ports, it))) return { kind: "alive" };
				return { kind: "vain", reason, retryAt };
			}
			if (ports.now() + pause + LONG_WAIT_MS > ports.endsAt) return { kind: "unsure", reason };
			if (pause > LONG_WAIT_MS) await it.lease.extend();
			await ports.sleep(pause);
		}
	}
}

/** Whether a machine that has waited so long is not worth the pause before another try. */
function isVain(waited: number, tried: number, pause: number): boolean {
	return pause > LONGEST_WAIT_MS || (tried >= FEWEST_TRIES && waited >= LONGEST_WAIT_MS);
}

/**
 * Whether the registration that has the name is of use: its runner is there, or the document that holds its key still waits. One whose
 * key is lost is deleted. Between the two lies a machine that has read its document and is not online yet: it gets time.
 */
async function isInUse(ports: Ports, { scope, request, instanceId, privateIp, replayed }: Registering): Promise<boolean> {
	const until = ports.now() + (replayed ? CLAIM_MS : 0);
	for (let absent = 0; absent < MOST_TAKEN; ) {
		const runner = await ports.github.findRunner(scope, request.name);
		if (!runner) return false;
		if (runner.online || runner.busy) return true;
		if (replayed && (await ports.mailbox.has(bootKey(privateIp, instanceId)))) return true;
		if (ports.now() >= until) {
			const answer = await ports.github.deleteRunner(scope, runner.id);
			if (answer !== "absent") return answer === "busy";
			// Gone by then, or registered anew by a launch that goes on; or it is there, and GitHub was mistaken.
			absent += 1;
		}
		await ports.sleep(PAUSE_MS);
	}
	return true;
}
