// Takes HAProxy's log: datagrams of its own machine's. Touches a UDP port.
import { createSocket } from "node:dgram";

const BUFFER_BYTES = 4 * 1024 * 1024;

/** What a datagram says, without what syslog puts before it: HAProxy's lines are JSON, its notices are not. */
function textOf(datagram: string): string {
	const start = datagram.indexOf("{");
	return (start < 0 ? datagram.replace(/^<\d+>/, "") : datagram.slice(start)).trim();
}

/** Resolves once it listens. Throws what the socket says. */
export async function listenSyslog(port: number, onLine: (line: string) => void): Promise<{ close(): void }> {
	const socket = createSocket("udp4");
	socket.on("message", (message) => onLine(textOf(message.toString("utf8"))));
	const ready = Promise.withResolvers<void>();
	socket.once("error", ready.reject);
	socket.bind(port, "127.0.0.1", ready.resolve);
	await ready.promise;
	socket.on("error", () => undefined);
	try {
		socket.setRecvBufferSize(BUFFER_BYTES);
	} catch {
		// The kernel's own size then.
	}
	return { close: () => void socket.close() };
}
