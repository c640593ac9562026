// Lines that wait for CloudWatch Logs, and how much of them goes in one request (PutLogEvents: 10,000 events, 1 MiB with 26 bytes each, 24 hours,
// in the order of time). What is too much for memory is dropped and counted. No clock, no network.

export interface LogEvent {
	/** Epoch ms. */
	timestamp: number;
	message: string;
}

const [MOST_EVENTS, MOST_BYTES, EVENT_BYTES, MOST_SPAN_MS] = [10_000, 1_048_576, 26, 23 * 3_600_000];
/** HAProxy cuts its lines at 4 KiB; what is longer is nobody's that should be here. */
const LONGEST_LINE = 8192;

export interface Batches {
	add(line: string, at: number): void;
	/** The next events for a request, in order, which stay until they are said to be there. */
	next(): LogEvent[];
	/** They are there, or never will be. */
	settle(events: readonly LogEvent[], isThere: boolean): void;
	/** How many were lost since this was last asked. */
	takeLost(): number;
	size(): number;
}

export function createBatches(mostBytes: number): Batches {
	let waiting: (LogEvent & { bytes: number })[] = [];
	let [bytes, lost] = [0, 0];
	return {
		add(line, at) {
			const message = line.length > LONGEST_LINE ? line.slice(0, LONGEST_LINE) : line;
			const its = Buffer.byteLength(message) + EVENT_BYTES;
			if (message === "") return;
			if (bytes + its > mostBytes) lost++;
			else {
				bytes += its;
				waiting.push({ timestamp: at, message, bytes: its });
			}
		},
		next() {
			const first = waiting.slice(0, MOST_EVENTS).toSorted((one, other) => one.timestamp - other.timestamp);
			let total = 0;
			return first.filter((event) => {
				if (event.timestamp - (first[0]?.timestamp ?? 0) > MOST_SPAN_MS) return false;
				total += event.bytes;
				return total <= MOST_BYTES;
			});
		},
		settle(events, isThere) {
			const done = new Set<LogEvent>(events);
			waiting = waiting.filter((event) => !done.has(event));
			bytes = waiting.reduce((sum, event) => sum + event.bytes, 0);
			if (!isThere) lost += events.length;
		},
		takeLost() {
			const its = lost;
			lost = 0;
			return its;
		},
		size: () => waiting.length,
	};
}
