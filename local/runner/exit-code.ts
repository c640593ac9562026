// Exit codes of the Listener and of the Worker (FACTS 1.3). Pure.

export const EXIT = { success: 0, terminated: 1, retryable: 2, sessionConflict: 5, versionDeprecated: 7, terminatedBySignal: 143 } as const;

export type JobResult = "Succeeded" | "Failed" | "Canceled" | "Abandoned";

const CODES: Record<JobResult, number> = { Succeeded: 100, Failed: 102, Canceled: 103, Abandoned: 105 };

export function codeOfResult(result: JobResult): number {
	return CODES[result];
}

/** The result a Worker's exit code stands for; null for a Worker that did not end by itself. */
export function resultOfCode(code: number | null): JobResult | null {
	return (Object.keys(CODES) as JobResult[]).find((result) => CODES[result] === code) ?? null;
}

/** "true" in any case, or "1": how the runner reads its switches. */
export function isSet(value: string | undefined): boolean {
	return value !== undefined && ["true", "1"].includes(value.toLowerCase());
}
