// The compiled program at its front door: what it says to people, what it refuses, and that it ends with its last lines brought away.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readyGateway } from "../../build/ready.ts";
import { startImds } from "../agent/servers.ts";

setDefaultTimeout(120_000);
const INSTANCE = "i-0123456789abcdef0";
const FOLDER = "meta-data/iam/security-credentials/";
const KEYS = { AccessKeyId: "AK", SecretAccessKey: "secret", Token: "token", Expiration: "2099-01-01T00:00:00Z" };
const USER_DATA = `MAYFLY_STACK=one
MAYFLY_REGION=eu-west-1
MAYFLY_ZONE=eu-west-1a
MAYFLY_ROUTE_TABLES=eu-west-1a=rtb-0a
MAYFLY_LOG_GROUP=/mayfly/one/proxy
`;

let program: string;
let folder: string;
/** Messages by log group; the mailbox and EC2 have nothing to say. */
const came: Record<string, string[]> = {};
const aws = Bun.serve({
	...{ hostname: "127.0.0.1", port: 0 },
	async fetch(request) {
		if (!request.headers.has("x-amz-target")) return new Response("", { status: 404 });
		const { logGroupName, logEvents = [] } = (await request.json()) as { logGroupName: string; logEvents?: { message: string }[] };
		came[logGroupName] = [...(came[logGroupName] ?? []), ...logEvents.map(({ message }) => message)];
		return Response.json({});
	},
});
const imds = startImds({
	"user-data": USER_DATA,
	"meta-data/instance-id": INSTANCE,
	[FOLDER]: "role",
	[`${FOLDER}role`]: JSON.stringify(KEYS),
});
beforeAll(async () => {
	program = await readyGateway();
	folder = mkdtempSync(join(tmpdir(), "mayfly-gateway-"));
});
afterAll(async () => {
	rmSync(folder, { recursive: true, force: true });
	await Promise.all([aws.stop(true), imds.stop()]);
});

function start(args: string[], env: Record<string, string> = {}) {
	return Bun.spawn([program, ...args], {
		...{ cwd: folder, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
		env: { PATH: process.env.PATH ?? "", MAYFLY_IMDS_URL: imds.url, ...env },
	});
}
async function end(child: ReturnType<typeof start>) {
	const [stdout, stderr, status] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	return { stdout, stderr, status };
}

describe("mayfly-gateway", () => {
	test("says which one it is and what it reads", async () => {
		const [version, help] = await Promise.all([end(start(["--version"])), end(start(["--help"]))]);
		expect([version.status, version.stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
		expect([help.status, help.stderr]).toEqual([0, ""]);
		for (const name of USER_DATA.matchAll(/^MAYFLY_\w+/gm)) expect(help.stdout).toContain(name[0]);
	});

	test("refuses other arguments with 2", async () => {
		expect(await end(start(["--loud"]))).toMatchObject({ status: 2, stdout: "" });
	});

	test("names what is wrong with its settings, and exits with 2", async () => {
		const { status, stderr } = await end(start([], { MAYFLY_ZONE: "eu-west-1z", MAYFLY_MAILBOX_URL: aws.url.origin }));
		expect([status, stderr]).toEqual([2, "mayfly-gateway: MAYFLY_ROUTE_TABLES: has no table for MAYFLY_ZONE\n"]);
		expect(await end(start([]))).toMatchObject({ status: 2, stderr: "mayfly-gateway: MAYFLY_MAILBOX_URL: is required\n" });
	});

	test("fails with 1 where there is no metadata service, for systemd to try again", async () => {
		const { status, stderr } = await end(start([], { MAYFLY_IMDS_URL: "http://127.0.0.1:9" }));
		expect([status, stderr]).toEqual([1, "mayfly-gateway: IMDS api/token: no answer\n"]);
	});

	test("executes nothing that lies where it stands, and ends by a signal with its last lines brought away", async () => {
		const taken = join(folder, "taken");
		writeFileSync(join(folder, "preload.ts"), `require("node:fs").writeFileSync(${JSON.stringify(taken)}, "")`);
		writeFileSync(join(folder, "bunfig.toml"), `preload = ["./preload.ts"]\n`);
		writeFileSync(join(folder, ".env"), "MAYFLY_STACK=another\n");
		const url = aws.url.origin;
		const places = { MAYFLY_MAILBOX_URL: url, MAYFLY_EC2_URL: url, MAYFLY_LOGS_URL: url, MAYFLY_FOLDER: join(folder, "installed") };
		const free = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
		const port = free.port;
		free.stop();
		const child = start([], { ...places, MAYFLY_SYSLOG_PORT: String(port) });
		const events = () => (came["/mayfly/one/gateway"] ?? []).map((text) => (JSON.parse(text) as { event: string }).event);
		while (!events().includes("lists-refused")) await Bun.sleep(20);
		child.kill("SIGTERM");
		expect((await end(child)).status).toBe(0);
		expect(events().at(0)).toBe("started");
		expect(events().at(-1)).toBe("ended");
		expect(came["/mayfly/one/gateway"]?.[0]).toContain(`"instanceId":"${INSTANCE}"`);
		expect(existsSync(taken)).toBe(false);
	});
});
