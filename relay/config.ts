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

type Secret = "WEBHOOK_SECRET" | "POLLER_TOKEN" | "OPERATOR_TOKEN" | "REPORT_KEY";

/** Shorter than this a secret can be guessed or is a placeholder. */
const LENGTH = 32;
/** Fewer different characters than this are no random text: one of ten digits alone has as many. */
const DISTINCT = 8;

function textOf(env: Record<string, unknown>, name: string): string {
	const value = env[name];
	return typeof value === "string" ? value.trim() : "";
}

/** Why a secret protects nothing, or null. */
function weaknessOf(secret: string): string | null {
	if (secret.length < LENGTH) return `is weak: shorter than ${LENGTH} characters`;
	if (new Set(secret).size < DISTINCT) return `is weak: made of fewer than ${DISTINCT} different characters`;
	return null;
}

/** Current and previous value of each secret. Two that are alike are one: who holds the lesser would hold the greater. */
function secretsOf(env: Record<string, unknown>, problems: string[]): Record<Secret, string[]> {
	const owners = new Map<string, string>();
	const read = (name: Secret): string[] =>
		[name, `${name}_PREVIOUS`].flatMap((variable) => {
			const value = textOf(env, variable);
			if (value === "") {
				if (variable === name) problems.push(`${variable} is missing`);
				return [];
			}
			const owner = owners.get(value) ?? name;
			owners.set(value, owner);
			const weakness = owner === name ? weaknessOf(value) : `is weak: the same as ${owner}`;
			if (weakness) problems.push(`${variable} ${weakness}`);
			return [value];
		});
	return {
		WEBHOOK_SECRET: read("WEBHOOK_SECRET"),
		POLLER_TOKEN: read("POLLER_TOKEN"),
		OPERATOR_TOKEN: read("OPERATOR_TOKEN"),
		REPORT_KEY: read("REPORT_KEY"),
	};
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
	const secrets = secretsOf(env, problems);
	const config: RelayConfig = {
		webhookSecrets: secrets.WEBHOOK_SECRET,
		pollerTokens: secrets.POLLER_TOKEN,
		operatorTokens: secrets.OPERATOR_TOKEN,
		reportKeys: secrets.REPORT_KEY,
		owners: ownersOf(env, problems),
		publicStats: textOf(env, "PUBLIC_STATS").toLowerCase() === "true",
		maxOpenJobs: maxOpenJobsOf(env, problems),
		clocks: clocksOf(env, problems),
	};
	return problems.length === 0 ? { ok: true, config } : { ok: false, problems };
}
