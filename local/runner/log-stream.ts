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
	let sending = Promise.resolve();
	const sendBatch = async () => {
		while (lines.length > 0) {
			const batch = lines.slice(0, BATCH);
			lines = lines.slice(BATCH);
			for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
				const sent = await send(batch).then(
					() => true,
					() => false,
				);
				if (sent) break;
				await Bun.sleep(wait * attempt);
			}
		}
	};
	const flush = () => {
		sending = sending.then(sendBatch);
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
