// The rows that there is one of: the switches, what the relay turned by itself, and the newest leases by slot. Read once, then known.
import type { LeaseAnswer } from "../contract/lease.ts";
import type { Switches } from "../contract/switches.ts";
import type { Breaker } from "./breaker.ts";
import type { Bucket, Minute } from "./budgets.ts";
import type { Deprecation } from "./deprecated.ts";
import { docs, type Sql } from "./sql.ts";
import { STATEMENTS } from "./statements.ts";

export interface Budgets {
	jit: Minute;
	ec2: Bucket;
}
export interface Counters {
	deliveries: number;
	duplicates: number;
}
/** What a lease handed out, with what was left and counted by then: one row for each lease. */
export interface Leased {
	request: string;
	at: number;
	/** Without the intents, of which many items share one. */
	answer: LeaseAnswer;
	/** Token of each item's intent. */
	tokens: (string | null)[];
	budgets: Budgets;
	counters: Counters;
}
interface Settings {
	switches: Switches;
	breaker: Breaker;
	deprecation: Deprecation;
	[lease: `lease-${number}`]: Leased;
}
export type SettingRows = ReturnType<typeof settingRows>;

export function settingRows(sql: Sql) {
	const known = new Map<string, unknown>();
	const read = (name: string): unknown => docs(sql(STATEMENTS.setting, name))[0] ?? null;
	return {
		setting<N extends keyof Settings>(name: N): Settings[N] | null {
			if (!known.has(name)) known.set(name, read(name));
			return known.get(name) as Settings[N] | null;
		},
		saveSetting<N extends keyof Settings>(name: N, value: Settings[N]): void {
			sql(STATEMENTS.saveSetting, name, JSON.stringify(value));
			known.set(name, value);
		},
	};
}
