// An AWS account for a deployment: moto behind a server that writes down every call and can answer some itself; and `bun run deploy` as a process.
import { join } from "node:path";
import { installMoto, startMoto } from "../fakes/moto.ts";

/** moto's zones are those of this one wherever a template leaves the region to AWS. */
export const REGION = "us-east-1";
export const ACCOUNT = "123456789012";
const CHECKOUT = join(import.meta.dir, "..", "..");
export const EXAMPLE = join(CHECKOUT, "docs", "mayfly.example.yml");
/** One of the images that moto begins with. */
export const IMAGE = "ami-12c6146b";
export const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" };
export const NEEDED = [
	...["--set", "RelayUrl=https://relay.example.com", "--set", "AppId=42"],
	...["--set", `SecretArn=arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:mayfly/prod-AbCdEf`],
];

export interface Ended {
	status: number;
	out: string;
	err: string;
}
/** What is to be answered in place of moto. A call is its service and what it asks: `cloudformation DescribeStacks`, `s3 PUT /bucket/key`. */
export type Intervene = (call: string) => Response | Promise<Response> | undefined;

async function nameOf(request: Request, body: string): Promise<string> {
	const [, service = "unknown"] = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.get("authorization") ?? "") ?? [];
	const action = new URLSearchParams(body).get("Action");
	return service === "s3" ? `s3 ${request.method} ${new URL(request.url).pathname}` : `${service} ${action}`;
}

export async function startAwsAccount() {
	await installMoto();
	const moto = await startMoto({ cloudFormation: true });
	const calls: string[] = [];
	let intervene: Intervene = () => undefined;
	const server = Bun.serve({
		port: 0,
		hostname: "127.0.0.1",
		idleTimeout: 0,
		async fetch(request) {
			const body = await request.arrayBuffer();
			const call = await nameOf(request, request.method === "POST" ? new TextDecoder().decode(body) : "");
			calls.push(call);
			const own = await intervene(call);
			if (own) return own;
			const { pathname, search } = new URL(request.url);
			const headers = new Headers(request.headers);
			headers.delete("accept-encoding");
			return fetch(`${moto.url}${pathname}${search}`, { method: request.method, headers, ...(body.byteLength > 0 && { body }) });
		},
	});
	const url = `http://127.0.0.1:${server.port}`;
	for (const name of ["runner-x64", "runner-arm64", "gateway-arm64"]) await putParameter(url, `/mayfly/images/${name}`, IMAGE);
	calls.length = 0;
	const env = { AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

	function start(argv: string[], more: Record<string, string | undefined> = {}) {
		return Bun.spawn([process.execPath, join(CHECKOUT, "deploy", "main.ts"), ...argv], {
			cwd: CHECKOUT,
			env: {
				PATH: process.env.PATH,
				HOME: "/nonexistent",
				BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
				AWS_EC2_METADATA_DISABLED: "true",
				NO_COLOR: "1",
				...env,
				...more,
			},
			stdin: "ignore",
			stdout: "pipe",
			stderr: "pipe",
		});
	}
	return {
		url,
		start,
		/** Every call since the last time that this was asked. */
		takeCalls: () => calls.splice(0),
		intervene(with_: Intervene) {
			intervene = with_;
		},
		async deploy(argv: string[], more?: Record<string, string | undefined>): Promise<Ended> {
			return endOf(start(argv, more));
		},
		async stop() {
			await server.stop(true);
			await moto.stop();
		},
	};
}
export type AwsAccount = Awaited<ReturnType<typeof startAwsAccount>>;

export async function endOf(child: Bun.Subprocess<"ignore", "pipe", "pipe">): Promise<Ended> {
	const [out, err, status] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	return { out, err, status };
}

/** moto puts every template to cfn-lint, which takes half a minute for all of them: once is enough. */
export const UNVALIDATED: Intervene = (call) =>
	call === "cloudformation ValidateTemplate"
		? new Response("<ValidateTemplateResponse><ValidateTemplateResult/></ValidateTemplateResponse>", {
				headers: { "content-type": "text/xml" },
			})
		: undefined;

/** Without the SDK's client for one call. */
async function putParameter(url: string, Name: string, Value: string): Promise<void> {
	const answer = await fetch(url, {
		method: "POST",
		headers: {
			authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/ssm/aws4_request`,
			"content-type": "application/x-amz-json-1.1",
			"x-amz-target": "AmazonSSM.PutParameter",
		},
		body: JSON.stringify({ Name, Value, Type: "String" }),
	});
	if (!answer.ok) throw new Error(`PutParameter ${Name}: ${answer.status} ${await answer.text()}`);
}
