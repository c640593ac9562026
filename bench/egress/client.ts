// A client of the egress bench: new TLS connections, one after the other, each until its name's certificate is checked. Says their milliseconds as JSON.
// usage: node client.ts ADDRESS NAME COUNT CA
import { readFileSync } from "node:fs";
import { connect } from "node:tls";

const [host = "", servername = "", count = "0", file = ""] = process.argv.slice(2);
const ca = readFileSync(file);

function once(): Promise<number> {
	const begun = performance.now();
	return new Promise((resolve, reject) => {
		const socket = connect({ host, servername, ca, port: 443 }, () => {
			resolve(performance.now() - begun);
			socket.destroy();
		});
		socket.on("error", reject);
	});
}

const times: number[] = [];
for (let at = 0; at < Number(count); at++) times.push(await once());
process.stdout.write(JSON.stringify(times));
