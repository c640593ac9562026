// How a deployment ended: what is printed, and the exit status. Pure.
import type { DryRun } from "./dry-run.ts";

export type Outcome =
	| { kind: "refused"; problems: string[] }
	| { kind: "planned"; plan: DryRun; notes: string[] }
	| { kind: "unchanged"; outputs: Record<string, string> }
	| { kind: "deployed"; outputs: Record<string, string>; next: string[] }
	/** A person said no; the change set is gone. */
	| { kind: "declined" }
	/** Nobody was there to say yes; the change set stays. */
	| { kind: "waiting"; changeSet: string; problems: string[] }
	| { kind: "failed"; problems: string[] }
	| { kind: "interrupted"; problems: string[] };

const STATUS: Record<Outcome["kind"], number> = {
	...{ planned: 0, unchanged: 0, deployed: 0, declined: 1, failed: 1, refused: 2, waiting: 2, interrupted: 130 },
};

export function exitStatus({ kind }: Outcome): number {
	return STATUS[kind];
}

/** The object of `--json`. */
export function outcomeJson(outcome: Outcome, about: { stack: string; region: string } | null): object {
	const { kind, ...rest } = outcome;
	return { ok: exitStatus(outcome) === 0, outcome: kind, ...about, ...rest };
}

export function outputLines(outputs: Record<string, string>): string[] {
	const names = Object.keys(outputs).toSorted();
	const wide = Math.max(0, ...names.map((name) => name.length));
	return names.map((name) => `  ${name.padEnd(wide)}  ${outputs[name]}`);
}
