// The poller's sessions: one begins every minute, as the scheduler does it, and any of them may die at any call.
import type { BootDocument } from "../../contract/boot.ts";
import type { ResolvedConfig } from "../../contract/config.ts";
import { pacedEc2 } from "../../poller/ec2-pace.ts";
import { metered } from "../../poller/metered.ts";
import { createMetrics } from "../../poller/metrics.ts";
import { paced } from "../../poller/points.ts";
import type { Ports } from "../../poller/ports.ts";
import { createPrices } from "../../poller/prices.ts";
import { runSession } from "../../poller/session.ts";
import { createLife } from "../../poller/until-over.ts";
import { createLineCheck } from "./metric-lines.ts";
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

/** When a session dies: at its so many-th call, before or after that one had its effect. */
export interface Death {
	call: number;
	after: boolean;
}

/** Whether a session lives, counted by its calls. Every call of a dead one stays without an answer. */
function createMortality(death: Death | null, dies: () => void) {
	let left = death?.call ?? Number.POSITIVE_INFINITY;
	const isDead = () => left < 0;
	return {
		isDead,
		/** Whether a call that begins now has an effect. */
		begins(): boolean {
			if (isDead()) return false;
			left -= 1;
			if (isDead()) dies();
			return !isDead() || (death?.after ?? false);
		},
	};
}

function mortal<T extends object>(port: T, { isDead, begins }: ReturnType<typeof createMortality>): T {
	const never = new Promise<never>(() => undefined);
	type Call = (...values: unknown[]) => Promise<unknown>;
	const answered = (answer: unknown) => (isDead() ? never : answer);
	const failed = (error: unknown) => {
		if (isDead()) return never;
		throw error;
	};
	/** What a call waits for in its midst, such as room for its next page, a dead one never gets. */
	const lasting = (value: unknown) =>
		typeof value === "function" ? (...values: unknown[]) => (isDead() ? never : (value as Call)(...values).then(answered, failed)) : value;
	const mortalCall =
		(call: Call): Call =>
		(...values) =>
			begins() ? call(...values.map(lasting)).then(answered, failed) : never;
	const wrapped: Record<string, Call> = {};
	for (const [name, call] of Object.entries(port)) wrapped[name] = mortalCall(call as Call);
	return wrapped as T;
}

const problemsOf = createLineCheck();

/** Starts the scheduler. `deathOf` says how a session dies, if it does, by its number from 1. */
export function startSessions(
	setting: Setting,
	outside: Outside,
	deathOf: (session: number) => Death | null,
	onDeath: () => void = () => undefined,
): void {
	const { clock, tell, broken } = setting;
	let sessions = 0;

	function begin(): void {
		const session = `session-${++sessions}`;
		const begunAt = clock.now();
		const endsAt = begunAt + LIFE_MS;
		let isOver = false;
		const life = createLife();
		const mortality = createMortality(deathOf(sessions), () => {
			if (isOver) return;
			tell("poller", `${session} dies`);
			onDeath();
		});
		const pace = { now: clock.now, sleep: clock.sleep, begunAt, endsAt };
		const log = (record: object, message: string) => tell("poller", () => `${message} ${JSON.stringify(record)}`);
		const write = (line: string) => {
			for (const problem of problemsOf(line)) broken(`CloudWatch would not take ${line}: ${problem}`);
		};
		const stack = outside.config.infrastructure.stack;
		const metrics = createMetrics({ stack, now: clock.now, write });
		const { relay, github, ec2, mailbox } = metered(
			{
				relay: life.of(mortal(outside.relay, mortality)),
				github: life.of(mortal(outside.github, mortality)),
				ec2: life.of(mortal(outside.ec2, mortality)),
				mailbox: life.of(mortal(outside.mailbox, mortality)),
			},
			metrics,
		);
		const said: Ports["log"] = { debug: () => undefined, info: log, warn: log, error: log };
		const ports: Ports = {
			...{ metrics, relay, mailbox, stack, endsAt, now: clock.now, sleep: clock.sleep, config: outside.config, log: said },
			github: paced(github, pace),
			ec2: pacedEc2(ec2, pace),
			prices: createPrices({ ec2, region: "eu-west-1", log: said, now: clock.now }),
			oidc: { issuer: "https://oidc", keys: async () => [{ kty: "RSA", kid: "1" }] },
			machines: { reportUrl: "http://relay/report", reportKey: "key", mailboxUrl: "http://mailbox" },
		};
		const ended = runSession(ports, session, SWEEP_MS).finally(life.end);
		ended.then(
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
