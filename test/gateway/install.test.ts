// Lists that pass the checks and are then not taken up: the program keeps what was good, by real files and HAProxy's own check. What reloads HAProxy
// and loads nftables' rules is the test's, and says what it would have read.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startImds } from "../agent/servers.ts";
import { eventually } from "../egress/scene.ts";

setDefaultTimeout(60_000);
const folder = mkdtempSync(join(tmpdir(), "mayfly-install-"));
const root = join(folder, "installed");
const document = (...hosts: string[]) =>
	JSON.stringify({
		version: 1,
		mode: "enforce",
		gateways: ["10.77.0.0/23"],
		lists: [{ name: "build", sources: ["10.77.16.0/20"], hosts }],
	});
const [GOOD, BAD] = [document("good.example"), document("bad.example")];
/** Nothing is reloaded while this is there. */
const JAM = join(folder, "jam");
const RELOADS = join(folder, "reloads");
const RULES = join(folder, "rules");

let mailbox = "";
let count = 0;
const events: Record<string, string>[] = [];
const aws = Bun.serve({
	...{ hostname: "127.0.0.1", port: 0 },
	async fetch(request) {
		if (request.method === "GET")
			return mailbox === "" ? new Response("", { status: 404 }) : new Response(mailbox, { headers: { etag: `"${count}"` } });
		if (!request.headers.has("x-amz-target")) return new Response("", { status: 404 });
		const { logEvents = [] } = (await request.json()) as { logEvents?: { message: string }[] };
		events.push(...logEvents.map(({ message }) => JSON.parse(message) as Record<string, string>));
		return Response.json({});
	},
});
const ROLE = "meta-data/iam/security-credentials/";
const imds = startImds({
	...{ "user-data": "", "meta-data/instance-id": "i-0123456789abcdef0", [ROLE]: "role" },
	[`${ROLE}role`]: JSON.stringify({ AccessKeyId: "AK", SecretAccessKey: "secret", Token: "token", Expiration: "2099-01-01T00:00:00Z" }),
});
let child: Bun.Subprocess;

beforeAll(() => {
	const names = `${root}/current/lists/build.names`;
	writeFileSync(join(folder, "reload"), `cat ${names} >>${RELOADS}\n[ ! -e ${JAM} ] && ! grep -q bad ${names}\n`);
	writeFileSync(join(folder, "nft"), `#!/bin/sh\n[ "$1" = -c ] || dirname "$2" >>${RULES}\n`, { mode: 0o755 });
	const free = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
	const port = String(free.port);
	free.stop();
	const url = aws.url.origin;
	child = Bun.spawn([process.execPath, join(import.meta.dir, "..", "..", "gateway", "main.ts")], {
		...{ stdin: "ignore", stdout: "ignore", stderr: "inherit" },
		env: {
			...{ PATH: `${folder}:${process.env.PATH}`, MAYFLY_IMDS_URL: imds.url, MAYFLY_STACK: "one", MAYFLY_REGION: "eu-west-1" },
			...{ MAYFLY_ZONE: "eu-west-1a", MAYFLY_ROUTE_TABLES: "eu-west-1a=rtb-0a", MAYFLY_LOG_GROUP: "/mayfly/one/proxy" },
			...{ MAYFLY_MAILBOX_URL: url, MAYFLY_EC2_URL: url, MAYFLY_LOGS_URL: url, MAYFLY_FOLDER: root, MAYFLY_SYSLOG_PORT: port },
			...{ MAYFLY_POLL_MS: "100", MAYFLY_RELOAD: `sh ${join(folder, "reload")}` },
		},
	});
});
afterAll(async () => {
	child.kill("SIGTERM");
	await child.exited;
	await Promise.all([aws.stop(true), imds.stop()]);
	rmSync(folder, { recursive: true, force: true });
});

const publish = (text: string) => {
	[mailbox, count] = [text, count + 1];
	return events.length;
};
const said = (event: string, after: number) => eventually(() => events.slice(after).find((line) => line.event === event), 300, 50);
const last = (file: string) => readFileSync(file, "utf8").trim().split("\n").at(-1);
const current = () => join(root, readlinkSync(join(root, "current")));

test("lists that HAProxy does not take up when there are none before them are not left as if they were installed", async () => {
	publish(BAD);
	const refused = () => events.find(({ reason }) => reason?.includes("exit 1"));
	expect((await eventually(refused, 300, 50)).reason).toEndWith(": nothing passes");
	expect(await eventually(() => (existsSync(join(root, "current")) ? undefined : true))).toBe(true);
});

test("lists that HAProxy does not take up give way to those before them, which it reads again", async () => {
	await said("lists-installed", publish(GOOD));
	const good = current();
	const { reason } = await said("lists-refused", publish(BAD));
	expect(reason).toEndWith(": the last good lists stay");
	expect(await eventually(() => (current() === good && last(RELOADS) === "good.example" ? true : undefined))).toBe(true);
	expect(last(RULES)).toBe(good);
	// They are tried again, and each time taken back.
	publish(GOOD);
	await Bun.sleep(500);
	expect([current(), last(RELOADS), last(RULES)]).toEqual([good, "good.example", good]);
});

test("lists that could not be put back are installed anew once they lie in the mailbox again", async () => {
	writeFileSync(JAM, "");
	const { reason } = await said("lists-refused", publish(BAD));
	expect(reason).toContain("the lists before them were not put back");
	const before = publish(GOOD);
	rmSync(JAM);
	await said("lists-installed", before);
	expect([readFileSync(join(current(), "document.json"), "utf8"), last(RELOADS)]).toEqual([GOOD, "good.example"]);
});
