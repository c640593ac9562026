// What of AWS two gateways need, as small as it can be. `metadata`: IMDS by the address that asks. `aws`: the mailbox, EC2 whose ReplaceRoute really
// leads a runner's namespace to another gateway, CloudWatch Logs. How things are is read from world.json for each request; what is asked is said on
// stdout, one JSON object a line. usage: bun stand-ins.ts metadata|aws FOLDER PREFIX
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "./zones-lab.ts";

const [what, folder = ".", prefix = ""] = process.argv.slice(2);
const world = () => JSON.parse(readFileSync(join(folder, "world.json"), "utf8")) as World;
const say = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);

/** Keys that end so soon that they are exchanged while the lab is up. */
const keys = () => ({
	...{ Code: "Success", Type: "AWS-HMAC", AccessKeyId: "AKIAMAYFLYLAB", SecretAccessKey: "secret", Token: `token-${Date.now()}` },
	Expiration: new Date(Date.now() + 305_000).toISOString(),
});

function metadata(request: Request, address: string): Response {
	const path = new URL(request.url).pathname.replace("/latest/", "");
	if (path === "api/token")
		return new Response(request.method === "PUT" ? "the-token" : "", { status: request.method === "PUT" ? 200 : 405 });
	if (request.headers.get("x-aws-ec2-metadata-token") !== "the-token") return new Response("", { status: 401 });
	const found = Object.entries(world().instances).find(([, { privateIp }]) => privateIp === address);
	const documents: Record<string, string> = {
		"meta-data/instance-id": found?.[0] ?? "",
		"user-data": found?.[1].userData ?? "",
		"meta-data/iam/security-credentials/": "mayfly-gateway",
		"meta-data/iam/security-credentials/mayfly-gateway": JSON.stringify(keys()),
	};
	return path in documents ? new Response(documents[path]) : new Response("", { status: 404 });
}

function mailbox(request: Request): Response {
	try {
		const text = readFileSync(join(folder, new URL(request.url).pathname), "utf8");
		const etag = `"${Bun.hash(text)}"`;
		return request.headers.get("if-none-match") === etag ? new Response(null, { status: 304 }) : new Response(text, { headers: { etag } });
	} catch {
		return new Response("", { status: 403 });
	}
}

const tag = (name: string, text: string) => `<${name}>${text}</${name}>`;
/** Where the routes lead; EC2's own memory. */
const routes = new Map(Object.entries(world().routes));

function instancesXml(): string {
	const items = Object.entries(world().instances)
		.filter(([, { state }]) => state === "running")
		.map(([id, { privateIp, zone }]) => {
			const tags =
				tag("item", tag("key", "mayfly:gateway") + tag("value", "lab")) + tag("item", tag("key", "mayfly:zone") + tag("value", zone));
			const its =
				tag("instanceId", id) + tag("privateIpAddress", privateIp) + tag("launchTime", "2026-11-29T00:00:00Z") + tag("tagSet", tags);
			return tag("item", tag("instancesSet", tag("item", its)));
		});
	return tag("DescribeInstancesResponse", tag("reservationSet", items.join("")));
}

function tablesXml(): string {
	const items = [...routes].map(([table, instance]) => {
		const route = tag("destinationCidrBlock", "0.0.0.0/0") + tag("instanceId", instance) + tag("state", "active");
		return tag("item", tag("routeTableId", table) + tag("routeSet", tag("item", route)));
	});
	return tag("DescribeRouteTablesResponse", tag("routeTableSet", items.join("")));
}

function replaceRoute(form: URLSearchParams): string {
	const [table, id] = [form.get("RouteTableId") ?? "", form.get("InstanceId") ?? ""];
	const { instances, runners } = world();
	execFileSync("ip", ["-n", `${prefix}-${runners[table]}`, "route", "replace", "default", "via", instances[id]?.privateIp ?? ""]);
	routes.set(table, id);
	say({ replaced: table, to: id });
	return tag("ReplaceRouteResponse", tag("return", "true"));
}

async function ec2(request: Request): Promise<Response> {
	const form = new URLSearchParams(await request.text());
	const answers: Record<string, () => string> = {
		DescribeInstances: instancesXml,
		DescribeRouteTables: tablesXml,
		ReplaceRoute: () => replaceRoute(form),
	};
	const answer = answers[form.get("Action") ?? ""];
	return answer ? new Response(answer(), { headers: { "content-type": "text/xml" } }) : new Response("", { status: 400 });
}

const streams = new Set<string>();

async function logs(request: Request): Promise<Response> {
	const body = (await request.json()) as { logGroupName: string; logStreamName: string; logEvents?: { message: string }[] };
	const stream = `${body.logGroupName} ${body.logStreamName}`;
	if (!/^AWS4-HMAC-SHA256 .*\/logs\/aws4_request/.test(request.headers.get("authorization") ?? ""))
		return new Response("", { status: 403 });
	if (request.headers.get("x-amz-target")?.endsWith(".CreateLogStream")) streams.add(stream);
	else if (!streams.has(stream)) return Response.json({ __type: "ResourceNotFoundException" }, { status: 400 });
	for (const { message } of body.logEvents ?? []) say({ group: body.logGroupName, stream: body.logStreamName, message });
	return Response.json({});
}

function aws(request: Request): Response | Promise<Response> {
	const { pathname } = new URL(request.url);
	if (pathname.startsWith("/ec2")) return ec2(request);
	return pathname.startsWith("/logs") ? logs(request) : mailbox(request);
}

if (what === "metadata")
	Bun.serve({
		hostname: "169.254.169.254",
		port: 80,
		fetch: (request, server) => metadata(request, server.requestIP(request)?.address ?? ""),
	});
else Bun.serve({ hostname: "11.0.0.50", port: 8080, fetch: aws });
say({ ready: true });
