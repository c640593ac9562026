// The program's own log: JSON lines, to systemd's journal and to CloudWatch.

/** `event` is what docs/egress.md and the alarms call it. */
export type Log = (event: string, fields: Record<string, unknown>) => void;

export function createLog(about: { zone: string; instanceId: string }, now: () => number, sinks: readonly ((line: string) => void)[]): Log {
	return (event, fields) => {
		const line = JSON.stringify({ at: new Date(now()).toISOString(), event, ...about, ...fields });
		for (const sink of sinks) sink(line);
	};
}
