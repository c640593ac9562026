// A deployment that is answered, interrupted or fails: what is left behind, and what is said.
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { DeleteObjectCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { EGRESS_KEY } from "../../contract/egress.ts";
import { type AwsAccount, CREDENTIALS, EXAMPLE, endOf, NEEDED, REGION, startAwsAccount, UNVALIDATED } from "./account.ts";
import { cloudFormationOf, outputsOf } from "./resources.ts";
import { answering } from "./terminal.ts";

const MINUTES = 60_000;
// Each test is a process or several, on a machine that others use.
setDefaultTimeout(3 * MINUTES);
const STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/mayfly/0";
let account: AwsAccount;
beforeAll(async () => {
	account = await startAwsAccount();
	account.intervene(UNVALIDATED);
}, 10 * MINUTES);
afterAll(() => account?.stop());
afterEach(() => {
	account.intervene(UNVALIDATED);
	account.takeCalls();
});

const ARGV = ["--region", REGION, "--config", EXAMPLE, ...NEEDED];
const CLOUDFORMATION = "cloudformation ";
const xml = (action: string, body: string) =>
	new Response(`<${action}Response><${action}Result>${body}</${action}Result></${action}Response>`, {
		headers: { "content-type": "text/xml" },
	});
const stackIn = (status: string) =>
	xml(
		"DescribeStacks",
		`<Stacks><member><StackName>mayfly</StackName><StackId>${STACK_ID}</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus></member></Stacks>`,
	);
const atTerminal = (answer: string, ...argv: string[]) => answering(account.url, answer, argv);
const s3 = () => new S3Client({ endpoint: account.url, region: REGION, credentials: CREDENTIALS, forcePathStyle: true });
const changes = () =>
	account
		.takeCalls()
		.filter((call) => /(Create|Execute|Delete)(ChangeSet|Stack)$/.test(call))
		.map((call) => call.replace(CLOUDFORMATION, ""));

describe("the question", () => {
	test("answered with no takes back what was made for it", async () => {
		const { status, out } = await atTerminal("no\n", ...ARGV);
		expect(status).toBe(1);
		expect(out).toContain("nothing was changed");
		expect(out).toContain("\u001b[32m+ add");
		expect(changes()).toEqual(["CreateStack", "CreateChangeSet", "DeleteChangeSet", "DeleteStack"]);
	});

	test("answered with Ctrl-C as well", async () => {
		const { status, out } = await atTerminal("\u0003", ...ARGV);
		expect(status).toBe(130);
		expect(out).toContain("interrupted: nothing was changed");
		expect(changes()).toEqual(["CreateChangeSet", "DeleteChangeSet", "DeleteStack"]);
	});

	test("without a terminal is left to a review: the change set waits, and how to look at it is said", async () => {
		const { status, err } = await account.deploy(ARGV);
		expect(status).toBe(2);
		expect(err).toMatch(
			/the change set waits for review \(aws cloudformation describe-change-set --change-set-name arn:.*deploy-\d{8}T\d{6}.*\)/,
		);
		expect(changes()).toEqual(["CreateChangeSet"]);
	});

	test("answered with no leaves another change set to its review", async () => {
		expect((await atTerminal("no\n", ...ARGV)).status).toBe(1);
		expect(changes()).toEqual(["CreateChangeSet", "DeleteChangeSet"]);
	});

	test("answered with yes carries it out", async () => {
		const { status, out } = await atTerminal("yes\n", ...ARGV);
		expect(status).toBe(0);
		expect(out).toContain("deployed");
		expect(changes()).toEqual(["CreateChangeSet", "ExecuteChangeSet"]);
	});
});

describe("a mailbox that is behind a stack that is not", () => {
	const lost = async () => {
		const mailbox = (await outputsOf(cloudFormationOf(account.url), "mayfly")).MailboxBucket ?? "";
		await s3().send(new DeleteObjectCommand({ Bucket: mailbox, Key: EGRESS_KEY }));
		account.takeCalls();
		return `s3 PUT /${mailbox}/${EGRESS_KEY}`;
	};

	test("is left so by nobody's yes", async () => {
		const put = await lost();
		const { status, out, err } = await account.deploy(ARGV);
		expect([status, err]).toEqual([2, "nobody is here to be asked: deploy again with --yes to bring the mailbox up to date\n"]);
		expect(out).toContain("> upload  s3://");
		expect(account.takeCalls()).not.toContain(put);
	});

	test("is brought up to date by a yes", async () => {
		const put = await lost();
		const { status } = await account.deploy([...ARGV, "--yes"]);
		expect(status).toBe(0);
		const calls = account.takeCalls();
		expect(calls).toContain(put);
		expect(calls.filter((call) => call.endsWith("ExecuteChangeSet"))).toEqual([]);
	});
});

/** With Ctrl-C once it has come so far; a process that ends before tells by how. */
async function interrupted(child: ReturnType<AwsAccount["start"]>, reached: Promise<void>) {
	await Promise.race([reached, child.exited]);
	child.kill("SIGINT");
	return endOf(child);
}

/** In the middle of a call, which is answered with what makes the command ask again. */
async function interruptAt(call: string, answer: () => Response, argv: string[]) {
	const reached = Promise.withResolvers<void>();
	account.intervene((name) => {
		if (name !== CLOUDFORMATION + call) return UNVALIDATED(name);
		reached.resolve();
		return answer();
	});
	return interrupted(account.start([...argv, "--yes"]), reached.promise);
}

describe("an interruption", () => {
	test("before the change takes the change set back, and leaves the stack", async () => {
		const pending = () => xml("DescribeChangeSet", "<Status>CREATE_IN_PROGRESS</Status>");
		const { status, err } = await interruptAt("DescribeChangeSet", pending, [...ARGV, "--set", "Zones=3"]);
		expect([status, err]).toEqual([130, "interrupted: nothing was changed\n"]);
		expect(changes()).toEqual(["CreateChangeSet", "DeleteChangeSet"]);
	});

	test("during the change leaves CloudFormation alone, and says how to watch it", async () => {
		let executed = false;
		account.takeCalls();
		const reached = Promise.withResolvers<void>();
		account.intervene((name) => {
			if (name === "cloudformation ExecuteChangeSet") {
				executed = true;
				return xml("ExecuteChangeSet", "");
			}
			if (!executed || name !== "cloudformation DescribeStacks") return UNVALIDATED(name);
			reached.resolve();
			return stackIn("UPDATE_IN_PROGRESS");
		});
		const child = account.start([...ARGV, "--set", "Zones=3", "--yes"]);
		await reached.promise;
		child.kill("SIGINT");
		const { status, err } = await endOf(child);
		expect(status).toBe(130);
		expect(err).toContain(
			"CloudFormation goes on without this command. Watch it: aws cloudformation describe-stack-events --stack-name mayfly",
		);
		expect(changes()).toEqual(["CreateChangeSet", "ExecuteChangeSet"]);
	});
});

test("a dry run says that a stack in the state that it is in would be refused", async () => {
	account.intervene((name) => (name === `${CLOUDFORMATION}DescribeStacks` ? stackIn("ROLLBACK_COMPLETE") : UNVALIDATED(name)));
	const { status, out } = await account.deploy([...ARGV, "--dry-run"]);
	expect(status).toBe(0);
	expect(out).toContain("this would be refused: mayfly was never made (ROLLBACK_COMPLETE)");
	expect(out).not.toContain("this would change it");
});

describe("a change that fails", () => {
	const event = (id: string, logical: string, type: string, status: string, reason: string) =>
		`<member><StackId>${STACK_ID}</StackId><EventId>${id}</EventId><StackName>mayfly</StackName><LogicalResourceId>${logical}</LogicalResourceId><PhysicalResourceId>x</PhysicalResourceId><ResourceType>${type}</ResourceType><Timestamp>2099-01-01T00:00:0${id}Z</Timestamp><ResourceStatus>${status}</ResourceStatus><ResourceStatusReason>${reason}</ResourceStatusReason></member>`;
	const EVENTS = [
		event("4", "Egress", "AWS::CloudFormation::Stack", "UPDATE_FAILED", "Embedded stack x was not successfully updated"),
		event("3", "Role", "AWS::IAM::Role", "UPDATE_FAILED", "Resource update cancelled"),
		event("2", "GatewayC", "AWS::EC2::Instance", "CREATE_FAILED", "You have requested more vCPU capacity than your current limit"),
	];

	test("ends with the first reason, and puts the gateways' list back", async () => {
		const mailbox = (await outputsOf(cloudFormationOf(account.url), "mayfly")).MailboxBucket;
		const s3 = new S3Client({ endpoint: account.url, region: REGION, credentials: CREDENTIALS, forcePathStyle: true });
		const list = async () => (await s3.send(new GetObjectCommand({ Bucket: mailbox, Key: EGRESS_KEY }))).Body?.transformToString();
		const before = await list();
		account.takeCalls();
		let executed = false;
		account.intervene((name) => {
			if (name === "cloudformation ExecuteChangeSet") executed = true;
			if (executed && name === "cloudformation ExecuteChangeSet") return xml("ExecuteChangeSet", "");
			if (executed && name === "cloudformation DescribeStacks") return stackIn("UPDATE_ROLLBACK_COMPLETE");
			if (executed && name === "cloudformation DescribeStackEvents")
				return xml("DescribeStackEvents", `<StackEvents>${EVENTS.join("")}</StackEvents>`);
			return UNVALIDATED(name);
		});
		const { status, out, err } = await account.deploy([...ARGV, "--set", "EgressMode=observe", "--yes"]);
		expect(status).toBe(1);
		expect(err).toBe(
			"the stack mayfly is UPDATE_ROLLBACK_COMPLETE; first failed GatewayC (AWS::EC2::Instance): You have requested more vCPU capacity than your current limit\n",
		);
		expect(out).toContain("00:00:02 CREATE_FAILED                mayfly/GatewayC AWS::EC2::Instance: You have requested");
		const puts = account.takeCalls().filter((call) => call === `s3 PUT /${mailbox}/${EGRESS_KEY}`);
		expect(puts).toHaveLength(2);
		expect(await list()).toBe(before as string);
	});
});

describe("a change that CloudFormation refuses to begin", () => {
	const refusing = (status: number, code: string) => (name: string) =>
		name === `${CLOUDFORMATION}ExecuteChangeSet`
			? new Response(`<ErrorResponse><Error><Code>${code}</Code><Message>not now</Message></Error></ErrorResponse>`, {
					status,
					headers: { "content-type": "text/xml" },
				})
			: UNVALIDATED(name);
	const mailbox = async () => (await outputsOf(cloudFormationOf(account.url), "mayfly")).MailboxBucket;

	test("is taken back, with the gateways' list", async () => {
		const put = `s3 PUT /${await mailbox()}/${EGRESS_KEY}`;
		account.takeCalls();
		account.intervene(refusing(403, "AccessDenied"));
		const { status, err } = await account.deploy([...ARGV, "--set", "EgressMode=observe", "--yes"]);
		expect(status).toBe(1);
		expect(err).toContain("ExecuteChangeSet");
		expect(err).not.toContain("the change was begun");
		const calls = account.takeCalls();
		expect(calls.filter((call) => call === put)).toHaveLength(2);
		expect(calls).toContain(`${CLOUDFORMATION}DeleteChangeSet`);
	});

	test("but not where CloudFormation failed in answering: it may have begun", async () => {
		account.intervene(refusing(500, "InternalFailure"));
		const { status, err } = await account.deploy([...ARGV, "--set", "EgressMode=observe", "--yes"]);
		expect(status).toBe(1);
		expect(err).toContain("the change was begun");
		expect(account.takeCalls()).not.toContain(`${CLOUDFORMATION}DeleteChangeSet`);
	});
});
