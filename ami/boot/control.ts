// QEMU's control socket: what the machine has read of its disk, and how it ended. Touches a unix socket.

/** What was read of the root disk so far. */
export interface Reads {
	reads: number;
	bytes: number;
}

export interface Control {
	/** Null where QEMU does not answer any more. */
	reads(): Promise<Reads | null>;
	/** The reason of QEMU's SHUTDOWN event: `guest-shutdown` is a power-off; null before and without. */
	readonly shutdown: string | null;
	close(): void;
}

interface Message {
	event?: string;
	data?: { reason?: string };
	return?: { qdev?: string; device?: string; stats: { rd_operations: number; rd_bytes: number } }[] | object;
}

const TRIES = 100;

/** Waits for the socket: QEMU makes it when it starts. */
async function connect(path: string, onData: (text: string) => void, onClose: () => void) {
	for (let tried = 1; ; tried += 1) {
		try {
			const socket = { data: (_: unknown, chunk: Uint8Array) => onData(Buffer.from(chunk).toString()), close: onClose, error: onClose };
			return await Bun.connect({ unix: path, socket });
		} catch (error) {
			if (tried === TRIES) throw error;
			await Bun.sleep(50);
		}
	}
}

function readsIn({ return: answer }: Message): Reads | null {
	if (!Array.isArray(answer)) return null;
	const root = answer.find(({ device }) => device === "root");
	return root ? { reads: root.stats.rd_operations, bytes: root.stats.rd_bytes } : null;
}

export async function openControl(path: string): Promise<Control> {
	let shutdown: string | null = null;
	let rest = "";
	const waiting: ((message: Message | null) => void)[] = [];
	const hear = (line: string) => {
		const message = JSON.parse(line) as Message;
		if (message.event === "SHUTDOWN") shutdown = message.data?.reason ?? "unknown";
		if (message.return !== undefined) waiting.shift()?.(message);
	};
	const onData = (text: string) => {
		const lines = (rest + text).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) if (line.trim() !== "") hear(line);
	};
	const onClose = () => {
		for (const answer of waiting.splice(0)) answer(null);
	};
	const socket = await connect(path, onData, onClose);
	const ask = (execute: string) => {
		const { promise, resolve } = Promise.withResolvers<Message | null>();
		waiting.push(resolve);
		socket.write(`${JSON.stringify({ execute })}\n`);
		return promise;
	};
	await ask("qmp_capabilities");
	return {
		async reads() {
			const answer = await ask("query-blockstats");
			return answer === null ? null : readsIn(answer);
		},
		get shutdown() {
			return shutdown;
		},
		close: () => socket.end(),
	};
}
