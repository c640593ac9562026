// What the command refuses, through its front door, and how little it asked of AWS before.
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AwsAccount, EXAMPLE, NEEDED, REGION, startAwsAccount, UNVALIDATED } from "./account.ts";

const MINUTES = 60_000;
// Each test is a process or several, on a machine that others use.
setDefaultTimeout(3 * MINUTES);
let account: AwsAccount;
let folder: string;
beforeAll(async () => {
	account = await startAwsAccount();
	folder = await mkdtemp(join(tmpdir(), "mayfly-deploy-"));
}, 10 * MINUTES);
afterAll(async () => {
	await account?.stop();
	await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
	account.intervene(UNVALIDATED);
	account.takeCalls();
});

const IN = ["--region", REGION, "--config", EXAMPLE];
const LOOKS = ["sts GetCallerIdentity", "cloudformation DescribeStacks"];
/** A file in place of what the operator has. */
function written(name: string, text: string | Uint8Array): string {
	writeFileSync(join(folder, name), text);
	return join(folder, name);
}
const example = () => readFile(EXAMPLE, "utf8");

describe("before AWS is asked anything", () => {
	test.each<[what: string, argv: string[], reasons: string[]]>([
		["a region that is none", ["--region", "Frankfurt", "--config", EXAMPLE], ['"Frankfurt" is not a region like eu-west-1']],
		["no region at all", ["--config", EXAMPLE], ["the region is missing: --region eu-west-1, or AWS_REGION"]],
		["a stack's name that is none", [...IN, "--stack", "my stack"], ['"my stack" is not a stack\'s name']],
		["the stack of the artifacts", [...IN, "--stack", "mayfly-artifacts"], ["mayfly-artifacts is another stack's name"]],
		["the stack of the service role", [...IN, "--stack", "mayfly-service-role"], ["mayfly-service-role is another stack's name"]],
		["a role that is none", [...IN, "--role-arn", "admin"], ['"admin" is not a role\'s ARN']],
		["a word that stands alone", [...IN, "prod"], ['"prod" stands alone']],
		["an unknown option", [...IN, "--force"], ["Unknown option '--force'"]],
		["a value without a name", [...IN, "--set", "=42"], ['--set "=42" is not Parameter=value']],
		["a value given twice", [...IN, "--set", "AppId=1", "--set", "AppId=2"], ["--set gives AppId twice"]],
		[
			"a file that is not there",
			["--region", REGION, "--config", "/nonexistent/mayfly.yml"],
			["--config /nonexistent/mayfly.yml cannot be read: ENOENT"],
		],
		["a folder for a file", ["--region", REGION, "--config", tmpdir()], [`--config ${tmpdir()} is not a file`]],
		[
			"parameters that are not there",
			[...IN, "--parameters", "/nonexistent/p.yml"],
			["--parameters /nonexistent/p.yml cannot be read: ENOENT"],
		],
		["an unknown parameter", [...IN, ...NEEDED, "--set", "Regoin=x"], ["--set Regoin: there is no such parameter; there are RelayUrl"]],
		["a value that cannot be", [...IN, ...NEEDED, "--set", "Zones=7"], ['Zones: "7" is none of 1, 2, 3']],
	])("%s", async (_, argv, reasons) => {
		const { status, err, out } = await account.deploy(argv);
		expect(status).toBe(2);
		for (const reason of reasons) expect(err).toContain(reason);
		expect(out).toBe("");
		expect(account.takeCalls()).toEqual([]);
	});

	test("a mayfly.yml with problems, all of them at once with path and line, as lint tells them", async () => {
		const text = (await example())
			.replace("cpu: 2\n    ram: 4+8", "cpu: two\n    ram: 4+8")
			.replace("groups: [github]", "groups: [gitlab]");
		const file = written("broken.yml", text.replace("requireApproval: true", "requireAproval: true"));
		const { status, err } = await account.deploy(["--region", REGION, "--config", file, ...NEEDED]);
		expect(status).toBe(2);
		expect(err).toMatch(/broken\.yml:\d+:\d+: error: presets\.small\.cpu: .* \[config\]/);
		expect(err).toMatch(/broken\.yml:\d+:\d+: error: tiers\.deploy\.requireAproval: unknown key \[config\]/);
		expect(account.takeCalls()).toEqual([]);
	});

	test("six tiers, a group that there is not and a tier called as a list of the gateways'", async () => {
		const tiers = ["a", "b", "c", "d", "none"].map(
			(name) => `  ${name}: { allow: {}, egress: { groups: [${name === "a" ? "gitlab" : "github"}] } }\n`,
		);
		const file = written("tiers.yml", (await example()).replace(/\ntiers:\n/, `\ntiers:\n${tiers.join("")}`));
		const { status, err } = await account.deploy(["--region", REGION, "--config", file, ...NEEDED]);
		expect(status).toBe(2);
		expect(err).toMatch(/tiers\.yml:\d+:\d+: error: tiers: 7 tiers/);
		expect(err).toMatch(/tiers\.yml:\d+:\d+: error: tiers\.a\.egress\.groups\.0: there is no group gitlab/);
		expect(err).toMatch(/tiers\.yml:\d+:\d+: error: tiers\.none: /);
		expect(account.takeCalls()).toEqual([]);
	});

	test("bytes that are no text", async () => {
		const { status, err } = await account.deploy([
			"--region",
			REGION,
			"--config",
			written("bytes.yml", new Uint8Array([0xff, 0xfe, 0, 1])),
		]);
		expect([status, err]).toEqual([2, `--config ${join(folder, "bytes.yml")} is not a text: it holds a NUL\n`]);
	});

	test("for a program as one JSON object", async () => {
		const { status, out } = await account.deploy(["--json", ...IN, "--set", "Zones=7"]);
		expect(status).toBe(2);
		expect(JSON.parse(out)).toMatchObject({ ok: false, outcome: "refused", problems: [expect.stringContaining("Zones")] });
	});
});

describe("after a look at AWS and nothing else", () => {
	test("missing values, each with its name, what it is and how to give it", async () => {
		const { status, err } = await account.deploy([...IN, "--set", "AppId=42"]);
		expect(status).toBe(2);
		expect(err.trim().split("\n")).toEqual([
			expect.stringMatching(
				/^RelayUrl is missing \(Where the relay is.*\): --set RelayUrl=\.\.\., or RelayUrl in the file of --parameters$/,
			),
			expect.stringMatching(/^SecretArn is missing /),
		]);
		expect(account.takeCalls()).toEqual(LOOKS);
	});

	test("an impossible combination, in the template's words", async () => {
		const { status, err } = await account.deploy([...IN, ...NEEDED, "--set", "DnsFirewall=off"]);
		expect(status).toBe(2);
		expect(err).toContain("DnsFirewall is off only for a VPC that others share");
		expect(account.takeCalls()).toEqual(LOOKS);
	});

	test("a region that the secret is not in", async () => {
		const { status, err } = await account.deploy(["--region", "eu-west-1", "--config", EXAMPLE, ...NEEDED]);
		expect(status).toBe(2);
		expect(err).toContain("the secret is in us-east-1, the stack would be in eu-west-1");
		expect(account.takeCalls()).toEqual(LOOKS);
	});

	test("a stack that is in no state to be changed", async () => {
		const state = "<StackName>mayfly</StackName><StackId>arn:x</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime>";
		const xml = `<DescribeStacksResponse><DescribeStacksResult><Stacks><member>${state}<StackStatus>ROLLBACK_COMPLETE</StackStatus></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
		account.intervene((call) => (call.endsWith("DescribeStacks") ? new Response(xml) : undefined));
		const { status, err } = await account.deploy([...IN, ...NEEDED, "--yes"]);
		expect(status).toBe(2);
		expect(err).toContain("aws cloudformation delete-stack --stack-name mayfly --region us-east-1, then deploy again");
		expect(account.takeCalls()).toEqual(LOOKS);
	});

	test("credentials that are missing or wrong, with what to do", async () => {
		const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
		const missing = await account.deploy([...IN, ...NEEDED], none);
		expect(missing.status).toBe(2);
		expect(missing.err).toContain("there are no AWS credentials that work: aws sso login, AWS_PROFILE");
		const refusal = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>";
		account.intervene(() => new Response(refusal, { status: 403 }));
		const expired = await account.deploy([...IN, ...NEEDED]);
		expect([expired.status, expired.err]).toEqual([2, expect.stringContaining("GetCallerIdentity us-east-1: ExpiredToken (403) expired")]);
	});

	test(
		"an endpoint where nothing answers, as of a region that there is not",
		async () => {
			const { status, err } = await account.deploy([...IN, ...NEEDED], { AWS_ENDPOINT_URL: "http://127.0.0.1:1" });
			expect(status).toBe(1);
			expect(err).toContain("nothing answered: is us-east-1 the region's right name");
		},
		MINUTES,
	);

	test("an artifacts bucket that is somebody else's", async () => {
		account.intervene((call) => (call.startsWith("s3 HEAD") ? new Response(null, { status: 403 }) : UNVALIDATED(call)));
		const { status, err } = await account.deploy([...IN, ...NEEDED, "--yes"]);
		expect(status).toBe(1);
		expect(err).toContain("the bucket mayfly-artifacts-123456789012-us-east-1 cannot be used: it is in another account");
		expect(account.takeCalls()).toEqual([...LOOKS, "s3 HEAD /mayfly-artifacts-123456789012-us-east-1/"]);
	});
});

describe("--dry-run", () => {
	test("writes dist/stack/ alone, and says what would be uploaded, with which parameters, to which stack", async () => {
		const { status, out, err } = await account.deploy([...IN, ...NEEDED, "--dry-run"]);
		expect([status, err]).toEqual([0, ""]);
		expect(out).toMatch(/\d+ bytes {2}[0-9a-f]{16} {2}s3:\/\/mayfly-artifacts-123456789012-us-east-1\/code\/poller-[0-9a-f]{32}\.zip/);
		expect(out).toContain("s3://(mailbox)/dist/egress/current.json");
		expect(out).toMatch(/RelayUrl +--set +https:\/\/relay\.example\.com/);
		expect(out).toMatch(/Zones +the default +2/);
		expect(out).toContain("the stack mayfly of account 123456789012 is not there: this would make it");
		expect(account.takeCalls()).toEqual(LOOKS);
		expect(
			await Array.fromAsync(new Bun.Glob("artifacts/templates/root-*.yaml").scan(join(import.meta.dir, "..", "..", "dist", "stack"))),
		).toHaveLength(1);
	});

	test("works without credentials, and says that nothing was looked at", async () => {
		const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
		const { status, out } = await account.deploy([...IN, ...NEEDED, "--dry-run", "--json"], none);
		expect(status).toBe(0);
		const { notes, plan } = JSON.parse(out);
		expect(notes[0]).toContain(
			"the account was not looked at, 000000000000 stands for it (GetCallerIdentity us-east-1: CredentialsProviderError",
		);
		expect(plan.parameters).toContainEqual({ name: "AppId", value: "42", from: "--set" });
		expect(account.takeCalls()).toEqual([]);
	});
});

test("--help shows how", async () => {
	const { status, out } = await account.deploy(["--help"]);
	expect(status).toBe(0);
	for (const word of ["usage: bun run deploy", "--dry-run", "examples:", "exit status:"]) expect(out).toContain(word);
});
