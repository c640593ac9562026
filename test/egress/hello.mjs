// A TLS client that sends its hello in an odd way. usage: node hello.mjs ADDRESS NAME segments|records|plain CA; says what the origin answered.
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { Duplex } from "node:stream";
import { connect } from "node:tls";

const [address, servername, how, ca] = process.argv.slice(2);
const socket = connectTcp({ host: address, port: 443, noDelay: true });
let isFirst = true;

function pieces(hello) {
	if (how === "segments") return Array.from({ length: Math.ceil(hello.length / 60) }, (_, at) => hello.subarray(at * 60, at * 60 + 60));
	if (how !== "records") return [hello];
	// One handshake message in two records (RFC 8446, 5.1).
	const middle = 5 + Math.floor((hello.length - 5) / 2);
	const record = (bytes) => Buffer.concat([hello.subarray(0, 3), Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
	return [Buffer.concat([record(hello.subarray(5, middle)), record(hello.subarray(middle))])];
}

const odd = new Duplex({
	read() {},
	async write(chunk, _, done) {
		const all = isFirst ? pieces(chunk) : [chunk];
		isFirst = false;
		for (const piece of all) {
			socket.write(piece);
			if (all.length > 1) await new Promise((resolve) => setTimeout(resolve, 20));
		}
		done();
	},
	final: (done) => socket.end(done),
});
socket.on("data", (chunk) => odd.push(chunk));
socket.on("end", () => odd.push(null));
socket.on("error", (error) => odd.destroy(error));
const fail = (error) => {
	process.stdout.write(`${error.code ?? error.message}\n`);
	process.exit(1);
};
setTimeout(() => fail({ code: "TIMEOUT" }), 6000);
const client = connect({ socket: odd, servername, ca: readFileSync(ca) }, () =>
	client.write(`GET / HTTP/1.0\r\nhost: ${servername}\r\n\r\n`),
);
let answer = "";
client.on("data", (chunk) => {
	answer += chunk;
});
client.on("end", () => {
	process.stdout.write(`${answer.split("\r\n\r\n")[1] ?? ""}`);
	process.exit(0);
});
client.on("error", fail);
socket.on("close", () => setTimeout(() => fail({ code: "CLOSED" }), 50));
