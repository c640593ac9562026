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
	/** The last lines that were written, for the machine's record. */
	text(): string;
}

/** So much of it is kept for the record, at least. */
const KEPT_CHARACTERS = 512 * 1024;

/** Lines in their order, of which the oldest go once there are too many. */
function createTail() {
	let [old, recent] = ["", ""];
	return {
		add(line: string): void {
			recent += line;
			if (recent.length > KEPT_CHARACTERS) [old, recent] = [recent, ""];
		},
		text: () => old + recent,
	};
}

type Level = "debug" | "info" | "warn" | "error";
type Sink = Record<Level, Write>;

async function openPino(level: LogLevel, keep: (line: string) => void): Promise<Sink> {
	const [{ default: pino }, { writeSync }] = await Promise.all([import("pino"), import("node:fs")]);
	const write = (line: string) => {
		keep(line);
		try {
			writeSync(1, line);
		} catch {
			// A log that nobody takes is not worth the job.
		}
	};
	const logger = pino({ level, base: null }, { write });
	const writer =
		(at: Level): Write =>
		(fields, message) =>
			logger[at](fields, message);
	return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}

export function createLog(level: LogLevel, now: () => number, open: typeof openPino = openPino): Log {
	const tail = createTail();
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
		sink = await open(level, tail.add);
		for (const line of waiting.splice(0)) sink[line.level](line.fields, line.message);
	};
	return {
		...{ debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") },
		text: tail.text,
		load: () => {
			loading ??= load();
			return loading;
		},
	};
}
