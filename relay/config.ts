// What the relay is told by its environment, read once. Pure: collects every problem and names each variable, never a value.
import { type Clocks, DEFAULT_CLOCKS, parseClocks } from "./clocks.ts";

export interface RelayConfig {
	/** Current first, then the previous one while it is rotated. */
	webhookSecrets: string[];
	pollerTokens: string[];
	operatorTokens: string[];
	reportKeys: string[];
	/** Lower case. */
	owners: Set<string>;
	publicStats: boolean;
	maxOpenJobs: number;
	clocks: Clocks;
}
export type ConfigResult = { ok: true; config: RelayConfig } | { ok: false; problems: string[] };

/** Shorter than this a secret can be guessed or is a placeholder. */
const SECRET_LENGTH = 32;

function textOf(env: Record<string, unknown>, name: string): string {
	const value = env[name];
	return typeof value === "string" ? value.trim() : "";
}

function secretsOf(env: Record<string, unknown>, name: string, problems: string[]): string[] {
	const current = textOf(env, name);
	const previous = textOf(env, `${name}_PREVIOUS`);
	if (!current) problems.push(`${name} is missing`);
	else if (current.length < SECRET_LENGTH) problems.push(`${name} is weak: shorter than ${SECRET_LENGTH} characters`);
	if (previous && previous.length < SECRET_LENGTH) problems.push(`${name}_PREVIOUS is weak: shorter than ${SECRET_LENGTH} characters`);
	return previous ? [current, previous] : [current];
}

function maxOpenJobsOf(env: Record<string, unknown>, problems: string[]): number {
	const text = textOf(env, "MAX_OPEN_JOBS") || "5000";
	if (!/^[0-9]{1,7}$/.test(text)) problems.push("MAX_OPEN_JOBS is not a whole number");
	return Number(text);
}

function clocksOf(env: Record<string, unknown>, problems: string[]): Clocks {
	const parsed = parseClocks(textOf(env, "CLOCKS"));
	if (parsed.ok) return parsed.clocks;
	problems.push(`CLOCKS: ${parsed.reason}`);
	return DEFAULT_CLOCKS;
}

function ownersOf(env: Record<string, unknown>, problems: string[]): Set<string> {
	const names = textOf(env, "OWNERS").toLowerCase().split(",");
	const owners = new Set(names.map((name) => name.trim()).filter(Boolean));
	if (owners.size === 0) problems.push("OWNERS names nobody");
	return owners;
}

/** Reads the Worker's environment. With any problem nothing but `/health` may be served (DESIGN 3). */
export function parseConfig(env: Record<string, unknown>): ConfigResult {
	const problems: string[] = [];
	const config: RelayConfig = {
		webhookSecrets: secretsOf(env, "WEBHOOK_SECRET", problems),
		pollerTokens: secretsOf(env, "POLLER_TOKEN", problems),
		operatorTokens: secretsOf(env, "OPERATOR_TOKEN", problems),
		reportKeys: secretsOf(env, "REPORT_KEY", problems),
		owners: ownersOf(env, problems),
		publicStats: textOf(env, "PUBLIC_STATS").toLowerCase() === "true",
		maxOpenJobs: maxOpenJobsOf(env, problems),
		clocks: clocksOf(env, problems),
	};
	return problems.length === 0 ? { ok: true, config } : { ok: false, problems };
}
