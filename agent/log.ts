// The agent's log on stdout, JSON lines by pino. Importing pino takes longer than the first request to IMDS (FACTS 8), so lines wait for it.
import type { LogLevel } from "./config.ts";

export type Fields = Record<string, unknown>;
type Write = (fields: Fields, message: string) => void;

export interface Log {
	info: Write;
	warn: Write;
	error: Write;
	debug: Write;
	/** Imports pino and writes what waited for it. Safe to call again. */
	load(): Promise<void>;
}

type Level = "debug" | "info" | "warn" | "error";
type Sink = Record<Level, Write>;

async function openPino(level: LogLevel): Promise<Sink> {
	const { default: pino } = await import("pino");
	const output = pino.destination({ dest: 1, sync: true });
	// A log that nobody takes is not worth the job.
	output.on("error", () => {});
	const logger = pino({ level, base: null }, output);
	const writer =
		(at: Level): Write =>
		(fields, message) =>
			logger[at](fields, message);
	return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}

export function createLog(level: LogLevel, now: () => number, open: (level: LogLevel) => Promise<Sink> = openPino): Log {
	const waiting: { level: Level; fields: Fields; message: string }[] = [];
	let sink: Sink | null = null;
	let loading: Promise<void> | null = null;
	const writer =
		(at: Level): Write =>
		(fields, message) => {
			if (sink) sink[at](fields, message);
			else waiting.push({ level: at, fields: { ...fields, at: now() }, message });
		};
	const load = async () => {
		sink = await open(level);
		for (const line of waiting.splice(0)) sink[line.level](line.fields, line.message);
	};
	return {
		...{ debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") },
		load: () => {
			loading ??= load();
			return loading;
		},
	};
}
