// The senders, in a process of their own: kept connections, one request at a time on each, bytes made beforehand. Plain sockets, so that
// the client costs less than what it measures. Takes one JSON argument, prints one JSON object.
import { percentile } from "../statistics.ts";
import { bodyOf, headersOf } from "./deliveries.ts";

export interface Load {
	port: number;
	senders: number;
	/** Ids of the jobs sent: `first` and those after it. */
	first: number;
	count: number;
}
export interface Measured {
	perSecond: number;
	p50: number;
	p99: number;
	statuses: Record<string, number>;
}

function requestOf(id: number, port: number): Buffer {
	const body = bodyOf(id, "queued");
	const headers = { host: `127.0.0.1:${port}`, ...headersOf(body, `bench-${id}`), "content-length": String(Buffer.byteLength(body)) };
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	return Buffer.from(`POST /webhook HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
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

async function run({ port, senders, first, count }: Load): Promise<Measured> {
	const requests = Array.from({ length: count }, (_, at) => requestOf(first + at, port));
	const times: number[] = [];
	const statuses: Record<string, number> = {};
	let sent = 0;
	const done = (status: string, milliseconds: number) => {
		times.push(milliseconds);
		statuses[status] = (statuses[status] ?? 0) + 1;
	};
	const begun = performance.now();
	await Promise.all(Array.from({ length: senders }, () => sender(port, () => requests[sent++], done)));
	const seconds = (performance.now() - begun) / 1000;
	return { perSecond: times.length / seconds, p50: percentile(times, 0.5), p99: percentile(times, 0.99), statuses };
}

process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}") as Load)));
