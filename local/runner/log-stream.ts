// The job's log on its way to GitHub: secrets masked, lines sent in batches while the job runs, in order.

export interface LogStream {
	write(line: string): void;
	/** Replaces every later appearance of the text. */
	mask(secret: string): void;
	/** A text as the log would show it. */
	masked(text: string): string;
	/** Sends what is left. */
	close(): Promise<void>;
}

const ATTEMPTS = 5;
const BATCH = 1000;

/** `send` may throw; it is tried again, and what cannot be sent is dropped: a log is not worth the job. `wait` is milliseconds between batches. */
export function createLogStream(send: (lines: string[]) => Promise<void>, wait: number): LogStream {
	const secrets = new Set<string>();
	let lines: string[] = [];
	let attempts = ATTEMPTS;
	let sending = Promise.resolve();
	const isSent = (batch: string[]) =>
		send(batch).then(
			() => true,
			() => false,
		);
	const sendBatch = async (batch: string[]) => {
		let sent = await isSent(batch);
		for (let attempt = 1; !sent && attempt < attempts; attempt += 1) {
			await Bun.sleep(wait * attempt);
			sent = await isSent(batch);
		}
		// Who could not be reached with one batch is asked but once with the next.
		attempts = sent ? ATTEMPTS : 1;
	};
	const sendAll = async () => {
		const waiting = lines;
		lines = [];
		for (let at = 0; at < waiting.length; at += BATCH) await sendBatch(waiting.slice(at, at + BATCH));
	};
	const flush = () => {
		sending = sending.then(sendAll);
		return sending;
	};
	const timer = setInterval(flush, wait);
	const masked = (text: string) => [...secrets].reduce((shown, secret) => shown.replaceAll(secret, "***"), text);
	return {
		write: (line) => void lines.push(masked(line)),
		mask(secret) {
			// A secret of several lines shows up line by line.
			for (const part of secret.split(/\r?\n/)) if (part.trim() !== "") secrets.add(part);
		},
		masked,
		async close() {
			clearInterval(timer);
			await flush();
		},
	};
}
