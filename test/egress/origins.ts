// The internet of the egress lab: origins with certificates of its own authority, a resolver of somebody else's, something that answers on other
// ports. Runs in its network namespace and says on stdout, one JSON object a line, what reached it. usage: bun origins.ts FOLDER
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2] ?? ".";
const tls = (name: string) => ({
	serverName: name,
	cert: readFileSync(join(folder, `${name}.crt`)),
	key: readFileSync(join(folder, `${name}.key`)),
});
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);

/** A download of some seconds: forty parts of 8 KiB. */
function slow(): Response {
	let left = 40;
	return new Response(
		new ReadableStream({
			async pull(controller) {
				await Bun.sleep(150);
				controller.enqueue(new Uint8Array(8192));
				if (--left === 0) controller.close();
			},
		}),
	);
}

/** As fast as it is taken. */
function download(mib: number): Response {
	const part = new Uint8Array(2 ** 20);
	let left = mib;
	return new Response(
		new ReadableStream({
			pull(controller) {
				controller.enqueue(part);
				if (--left === 0) controller.close();
			},
		}),
	);
}

function origin(address: string, port: number, names: string[] | null): void {
	Bun.serve({
		...{ hostname: address, port },
		...(names === null ? {} : { tls: names.map(tls) }),
		fetch(request, server) {
			const { hostname } = new URL(request.url);
			say({ address, port, host: request.headers.get("host") ?? hostname, from: server.requestIP(request)?.address });
			const { pathname } = new URL(request.url);
			const mib = Number(/^\/mib\/(\d+)$/.exec(pathname)?.[1] ?? 0);
			if (mib > 0) return download(mib);
			return pathname === "/slow" ? slow() : new Response(`${address}\n`);
		},
	});
}

origin("11.0.0.10", 443, ["github.test", "api.github.test", "rotate.test"]);
origin("11.0.0.11", 443, ["rotate.test"]);
origin("11.0.0.20", 443, ["evil.test", "github.test"]);
origin("11.0.0.30", 443, ["shared.test", "tenant.test"]);
origin("11.0.0.10", 80, null);
origin("11.0.0.20", 80, null);
origin("11.0.0.20", 8443, null);
origin("2001:db8::20", 80, null);
for (const [address, port] of [
	["11.0.0.8", 53],
	["11.0.0.20", 443],
] as const) {
	const socket = createSocket("udp4");
	socket.on("message", (message) => say({ address, port, udp: message.length }));
	socket.bind(port, address, () => undefined);
}
await Bun.sleep(300);
say({ ready: true });
