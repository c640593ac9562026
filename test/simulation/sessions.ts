// The poller's sessions: one begins every minute, as the scheduler does it, and any of them may die at any call.
import type { BootDocument } from "../../contract/boot.ts";
import type { ResolvedConfig } from "../../contract/config.ts";
import { metered } from "../../poller/metered.ts";
import { createMetrics } from "../../poller/metrics.ts";
import { paced } from "../../poller/points.ts";
import type { Ports } from "../../poller/ports.ts";
import { createPrices } from "../../poller/prices.ts";
import { runSession } from "../../poller/session.ts";
import { problemsOf } from "../poller/emf.ts";
import type { Setting } from "./world.ts";

export const MINUTE = 60_000;
/** Lambda's longest invocation. */
const LIFE_MS = 15 * MINUTE;
const SWEEP_MS = MINUTE;

export interface Outside extends Pick<Ports, "relay" | "github" | "ec2" | "mailbox"> {
	config: ResolvedConfig;
}

/** A mailbox that machines are told of. */
export function createMailboxModel(put: (instanceId: string, ip: string) => void) {
	const documents = new Map<string, string>();
	const waiting = new Map<string, () => void>();
	return {
		port: {
			async put(key: string, body: string) {
				const [, ip = "", instanceId = ""] = key.split("/");
				put(instanceId, ip);
				documents.set(key, body);
				waiting.get(key)?.();
				waiting.delete(key);
			},
			has: async (key: string) => documents.has(key),
		},
		take(key: string): BootDocument | null {
			const body = documents.get(key);
			documents.delete(key);
			return body === undefined ? null : (JSON.parse(body) as BootDocument);
		},
		when(key: string, call: () => void): void {
			if (documents.has(key)) call();
			else waiting.set(key, call);
		},
	};
}

/** Every call of a dead session stays without an answer; the one that it died in may have had its effect. */
function mortal<T extends object>(port: T, isDead: () => boolean, called: () => void): T {
	const never = new Promise<never>(() => undefined);
	const wrapped = Object.entries(port).map(([name, call]) => [
		name,
		async (...values: unknown[]) => {
			called();
			if (isDead()) return never;
			try {
				const answer: unknown = await (call as (...args: unknown[]) => unknown)(...values);
				return isDead() ? never : answer;
			} catch (error) {
				if (isDead()) return never;
				throw error;
			}
		},
	]);
	return Object.fromEntries(wrapped) as T;
}

/** Starts the scheduler. `stack` names the instances of this run. */
export function startSessions(setting: Setting, outside: Outside, stack: string): void {
	const { clock, dice, faults, tell, broken } = setting;
	let sessions = 0;

	function begin(): void {
		const session = `session-${++sessions}`;
		const begunAt = clock.now();
		const endsAt = begunAt + LIFE_MS;
		/** How many calls it lives for. */
		let left = dice.chance(faults.now.pollerDies) ? dice.below(300) : Number.POSITIVE_INFINITY;
		let isOver = false;
		const isDead = () => left < 0;
		const called = () => {
			if (isDead()) return;
			left -= 1;
			if (isDead() && !isOver) tell("poller", `${session} dies`);
		};
		const log = (record: object, message: string) => tell("poller", `${message} ${JSON.stringify(record)}`);
		const write = (line: string) => {
			for (const problem of problemsOf(line)) broken(`CloudWatch would not take ${line}: ${problem}`);
		};
		const metrics = createMetrics({ stack, now: clock.now, write });
		const { relay, github, ec2, mailbox } = metered(
			{
				relay: mortal(outside.relay, isDead, called),
				github: mortal(outside.github, isDead, called),
				ec2: mortal(outside.ec2, isDead, called),
				mailbox: mortal(outside.mailbox, isDead, called),
			},
			metrics,
		);
		const said: Ports["log"] = { debug: () => undefined, info: log, warn: log, error: log };
		const ports: Ports = {
			metrics,
			prices: createPrices({ ec2, region: "eu-west-1", log: said, now: clock.now }),
			...{ relay, ec2, mailbox },
			github: paced(github, { now: clock.now, sleep: clock.sleep, begunAt, endsAt }),
			config: outside.config,
			machines: { reportUrl: "http://relay/report", reportKey: "key", mailboxUrl: "http://mailbox" },
			...{ stack, now: clock.now, sleep: clock.sleep, endsAt },
			log: said,
		};
		runSession(ports, session, SWEEP_MS).then(
			(end) => {
				isOver = true;
				if (end !== "superseded") tell("poller", `${session} ends: ${end}`);
			},
			(error: unknown) => broken(`${session} threw ${error instanceof Error ? error.stack : String(error)}`),
		);
		clock.after(MINUTE, begin);
	}
	begin();
}
