// The three servers that a machine talks to, as small as they can be: IMDS v2, the mailbox, the relay. Each keeps what it was asked.
import { parseReport, type Report } from "../../contract/report.ts";
import { INSTANCE, PRIVATE_IP } from "./documents.ts";

const listen = (fetch: (request: Request) => Response | Promise<Response>) => Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });

export type Documents = Record<string, string>;

const IDENTITY = {
	...{ instanceId: INSTANCE, privateIp: PRIVATE_IP, region: "eu-west-1", availabilityZone: "eu-west-1b", accountId: "000000000000" },
	...{ instanceType: "m8g.xlarge", imageId: "ami-0a1b2c3d4e5f60002", architecture: "arm64" },
};

/** Documents by their path below /latest; they may be added while it runs. Every token holds for three requests. */
export function startImds(documents: Documents = {}) {
	const tokens = new Map<string, number>();
	const all: Documents = {
		"dynamic/instance-identity/document": JSON.stringify(IDENTITY),
		"meta-data/instance-life-cycle": "spot",
		...documents,
	};
	const server = listen((request) => {
		const path = new URL(request.url).pathname.replace("/latest/", "");
		if (path === "api/token") {
			if (request.method !== "PUT" || !request.headers.get("x-aws-ec2-metadata-token-ttl-seconds"))
				return new Response("", { status: 400 });
			const token = crypto.randomUUID();
			tokens.set(token, 3);
			return new Response(token);
		}
		const token = request.headers.get("x-aws-ec2-metadata-token") ?? "";
		const left = tokens.get(token) ?? 0;
		tokens.set(token, left - 1);
		if (left <= 0) return new Response("", { status: 401 });
		const found = all[path];
		return found === undefined ? new Response("<html>404</html>", { status: 404 }) : new Response(found);
	});
	return { url: server.url.origin, documents: all, stop: () => server.stop(true) };
}

export interface MailboxOptions {
	notYet?: number;
	removeAfter?: number;
	/** What lies below `dist/` for every machine. */
	parts?: Record<string, Uint8Array<ArrayBuffer>>;
}

/** A mailbox that has the document after `notYet` questions, and never without one. */
export function startMailbox(options: MailboxOptions = {}) {
	const asked: string[] = [];
	/** What this machine left, by what follows its id; the newest of each. */
	const left = new Map<string, Buffer>();
	const record = `/records/${PRIVATE_IP}/${INSTANCE}.`;
	let document: string | null = null;
	let removals = 0;
	const count = (method: string) => asked.filter((line) => line.startsWith(method)).length;
	const server = listen(async (request) => {
		const { pathname } = new URL(request.url);
		asked.push(`${request.method} ${pathname}`);
		if (request.method === "PUT" && pathname.startsWith(record)) {
			left.set(pathname.slice(record.length), Buffer.from(await request.arrayBuffer()));
			return new Response("");
		}
		const part = options.parts?.[pathname.replace("/dist/", "")];
		if (request.method === "GET" && part) return new Response(part);
		if (pathname !== `/boot/${PRIVATE_IP}/${INSTANCE}`) return new Response("", { status: 403 });
		if (request.method === "DELETE") {
			removals += 1;
			return new Response(null, { status: removals > (options.removeAfter ?? 0) ? 204 : 503 });
		}
		return document === null || count("GET") <= (options.notYet ?? 1) ? new Response("", { status: 403 }) : new Response(document);
	});
	return {
		url: server.url.origin,
		asked,
		left,
		put: (text: string) => {
			document = text;
		},
		stop: () => server.stop(true),
	};
}

/** A relay that answers every report with a status. */
export function startRelay(status = 204) {
	const reports: Report[] = [];
	const server = listen(async (request) => {
		const report = parseReport(await request.json());
		if (!report.ok || !request.headers.get("authorization")?.startsWith(`Bearer ${INSTANCE}.`)) return new Response("", { status: 400 });
		reports.push(report.value);
		return new Response(status === 204 ? null : "{}", { status });
	});
	return { url: server.url.origin, reports, stop: () => server.stop(true) };
}
