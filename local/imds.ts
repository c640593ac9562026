// The instance metadata stand-in: IMDSv2 of one instance on a listener of its own (FACTS 4.5). Version 1, without a token, is refused.
import { randomBytes } from "node:crypto";

/** What EC2 knows of an instance from its launch on. Times are epoch milliseconds. */
export interface MachineFacts {
	instanceId: string;
	privateIp: string;
	region: string;
	zone: string;
	instanceType: string;
	imageId: string;
	architecture: "x86_64" | "arm64";
	market: "spot" | "on-demand";
	launchedAt: number;
	/** The launch template's. */
	userData?: string;
}

export interface Imds {
	url: string;
	/** The moment that spot/instance-action names from now on. It does not move, as at EC2. */
	announceInterruption(at: number): void;
	recommendRebalance(at: number): void;
	stop(): Promise<void>;
}

/** Of its documents, some that EC2 has beside the latest one: what cloud-init asks for. */
const VERSIONS = ["latest", "2021-03-23", "2018-09-24", "2016-09-02", "2009-04-04"];
const ACCOUNT_ID = "000000000000";
const TOKEN_PATH = "/latest/api/token";
const TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds";
const MAX_TTL_SECONDS = 21_600;

/** IMDS writes times to the second. */
const timeOf = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");

function identityDocument(facts: MachineFacts): string {
	const { instanceId, privateIp, region, zone: availabilityZone, instanceType, imageId, architecture, launchedAt } = facts;
	const nothing = { billingProducts: null, devpayProductCodes: null, marketplaceProductCodes: null, kernelId: null, ramdiskId: null };
	return JSON.stringify(
		{
			...{ accountId: ACCOUNT_ID, architecture, availabilityZone, ...nothing, imageId, instanceId, instanceType },
			...{ pendingTime: timeOf(launchedAt), privateIp, region, version: "2017-09-30" },
		},
		null,
		2,
	);
}

/** Paths below /latest. Instance tags are not there: the launch template leaves them off. */
function documentsOf(facts: MachineFacts, interruptAt: number | null, rebalanceAt: number | null): Map<string, string> {
	const documents: Record<string, string | null> = {
		"dynamic/instance-identity/document": identityDocument(facts),
		"meta-data/ami-id": facts.imageId,
		"meta-data/events/recommendations/rebalance": rebalanceAt === null ? null : JSON.stringify({ noticeTime: timeOf(rebalanceAt) }),
		"meta-data/instance-id": facts.instanceId,
		"meta-data/instance-life-cycle": facts.market,
		"meta-data/instance-type": facts.instanceType,
		"meta-data/local-ipv4": facts.privateIp,
		"meta-data/placement/availability-zone": facts.zone,
		"meta-data/placement/region": facts.region,
		"meta-data/spot/instance-action": interruptAt === null ? null : JSON.stringify({ action: "terminate", time: timeOf(interruptAt) }),
		"meta-data/spot/termination-time": interruptAt === null ? null : timeOf(interruptAt),
		"user-data": facts.userData ?? null,
	};
	return new Map(Object.entries(documents).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** A folder lists its members, folders with a slash behind them. */
function listing(documents: Map<string, string>, folder: string): string | null {
	const prefix = folder === "" ? "" : `${folder}/`;
	const names = [...documents.keys()]
		.filter((path) => path.startsWith(prefix))
		.map((path) => path.slice(prefix.length).replace(/\/.*/, "/"));
	return names.length > 0 ? [...new Set(names)].join("\n") : null;
}

const ERRORS: Record<number, string> = {
	400: "Bad Request",
	401: "Unauthorized",
	403: "Forbidden",
	404: "Not Found",
	405: "Method Not Allowed",
};

/** IMDS's errors are small XHTML pages. */
function refuse(status: keyof typeof ERRORS): Response {
	const title = `${status} - ${ERRORS[status]}`;
	const page = `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head><title>${title}</title></head>
 <body><h1>${title}</h1></body>
</html>
`;
	return new Response(page, { status, headers: { "content-type": "text/html" } });
}

interface Service {
	facts: MachineFacts;
	now: () => number;
	/** Token -> when it ends. */
	tokens: Map<string, number>;
	interruptAt: number | null;
	rebalanceAt: number | null;
}

function giveToken({ tokens, now }: Service, request: Request): Response {
	if (request.method !== "PUT") return refuse(405);
	// A proxy in between would hand tokens to whoever asks it (IMDSv2's own rule).
	if (request.headers.has("x-forwarded-for")) return refuse(403);
	const ttl = request.headers.get(TTL_HEADER) ?? "";
	if (!/^[1-9]\d{0,4}$/.test(ttl) || Number(ttl) > MAX_TTL_SECONDS) return refuse(400);
	const token = randomBytes(40).toString("base64");
	tokens.set(token, now() + Number(ttl) * 1000);
	return new Response(token, { headers: { "content-type": "text/plain", [TTL_HEADER]: ttl } });
}

function answer(service: Service, request: Request): Response {
	const { pathname } = new URL(request.url);
	if (pathname === TOKEN_PATH) return giveToken(service, request);
	if (request.method !== "GET" && request.method !== "HEAD") return refuse(405);
	const endsAt = service.tokens.get(request.headers.get("x-aws-ec2-metadata-token") ?? "") ?? 0;
	if (endsAt <= service.now()) return refuse(401);
	const [, version = "", path] = /^\/([^/]+)\/?(.*?)\/?$/.exec(pathname) ?? [];
	if (path === undefined || !VERSIONS.includes(version)) return refuse(404);
	const documents = documentsOf(service.facts, service.interruptAt, service.rebalanceAt);
	const found = documents.get(path) ?? listing(documents, path);
	return found === null ? refuse(404) : new Response(found, { headers: { "content-type": "text/plain" } });
}

/** Starts the metadata service of one instance. `onRequest` is told of each request before it is answered. */
export function startImds(facts: MachineFacts, now: () => number = Date.now, onRequest: (path: string) => void = () => {}): Imds {
	const service: Service = { facts, now, tokens: new Map(), interruptAt: null, rebalanceAt: null };
	const server = Bun.serve({
		hostname: "127.0.0.1",
		port: 0,
		fetch(request) {
			onRequest(new URL(request.url).pathname);
			return answer(service, request);
		},
	});
	return {
		url: server.url.origin,
		announceInterruption(at) {
			service.interruptAt = at;
		},
		recommendRebalance(at) {
			service.rebalanceAt = at;
		},
		stop: () => server.stop(true),
	};
}
