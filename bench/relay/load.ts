// The senders, in a process of their own: kept connections, one request at a time on each, bytes made beforehand. Plain sockets, so that
// the client costs less than what it measures. Takes a JSON list of loads as its argument, runs one after the other, prints a JSON list.
import { readFileSync } from "node:fs";
import { bodyOf, headersOf } from "./deliveries.ts";

export interface Load {
	port: number;
	/** The server, for its processor time. */
	pid: number;
	senders: number;
	/** Ids of the jobs sent: `first` and those after it. */
	first: number;
	count: number;
}
export interface Measured {
	/** The whole load, in milliseconds. */
	took: number;
	/** Each request, in milliseconds. */
	times: number[];
	/** Processor time of the server meanwhile, in milliseconds. */
	cpu: number;
	statuses: Record<string, number>;
}

function requestOf(id: number, port: number): Buffer {
	const body = bodyOf(id, "queued");
	const headers = { host: `127.0.0.1:${port}`, ...headersOf(body, `bench-${id}`), "content-length": String(Buffer.byteLength(body)) };
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	return Buffer.from(`POST /webhook HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}

/** User and system time that a process has used, in milliseconds: fields 14 and 15 of its stat line, in hundredths of a second. */
function cpuOf(pid: number): number {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
		.replace(/^.*\) /, "")
		.split(" ");
	return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The status of an answer that has arrived whole, or null. */
function statusOf(text: string): string | null {
	const end = text.indexOf("\r\n\r\n");
	if (end < 0) return null;
	const length = Number(/content-length: ([0-9]+)/i.exec(text.slice(0, end))?.[1] ?? 0);
	return text.length >= end + 4 + length ? text.slice(9, 12) : null;
}

async function sender(port: number, next: () => Buffer | undefined, done: (status: string, milliseconds: number) => void): Promise<void> {
	const over = Promise.withResolvers<void>();
	let said = "";
	let sentAt = 0;
	let unsent: Uint8Array = new Uint8Array();
	const write = (socket: { write(bytes: Uint8Array): number; end(): unknown }) => {
		unsent = unsent.subarray(Math.max(0, socket.write(unsent)));
	};
	const begin = (socket: { write(bytes: Uint8Array): number; end(): unknown }) => {
		const request = next();
		if (!request) return void socket.end();
		sentAt = performance.now();
		unsent = request;
		write(socket);
	};
	await Bun.connect({
		hostname: "127.0.0.1",
		port,
		socket: {
			open: begin,
			drain: write,
			data(socket, bytes) {
				said += bytes.toString("latin1");
				const status = statusOf(said);
				if (status === null) return;
				done(status, performance.now() - sentAt);
				said = "";
				begin(socket);
			},
			close: () => over.resolve(),
			error: (_, error) => over.reject(error),
		},
	});
	await over.promise;
}

async function run({ port, pid, senders, count }: Load, requests: Buffer[]): Promise<Measured> {
	const times: number[] = [];
	const statuses: Record<string, number> = {};
	let sent = 0;
	const done = (status: string, milliseconds: number) => {
		times.push(milliseconds);
		statuses[status] = (statuses[status] ?? 0) + 1;
	};
	const cpu = cpuOf(pid);
	const begun = performance.now();
	await Promise.all(Array.from({ length: Math.min(senders, count) }, () => sender(port, () => requests[sent++], done)));
	return { took: performance.now() - begun, times, cpu: cpuOf(pid) - cpu, statuses };
}

const loads = JSON.parse(process.argv[2] ?? "[]") as Load[];
const prepared = loads.map((load) => Array.from({ length: load.count }, (_, at) => requestOf(load.first + at, load.port)));
const measured: Measured[] = [];
for (const [at, load] of loads.entries()) measured.push(await run(load, prepared[at] ?? []));
process.stdout.write(JSON.stringify(measured));
