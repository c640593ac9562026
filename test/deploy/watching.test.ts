// What is told of a change: its nested parts before it, its events while it happens, its first reason when it fails.
import { describe, expect, test } from "bun:test";
import { changeSetName, makeChangeSet } from "../../deploy/change-set.ts";
import { type Change, changeCounts, changeLines } from "../../deploy/changes.ts";
import { type ChangeSetNow, type ChangeSetRequest, createCloudFormation } from "../../deploy/cloudformation.ts";
import { eventLine, firstFailure, type StackEvent, watch } from "../../deploy/events.ts";
import { wayTo } from "../../deploy/stack-state.ts";

const ROOT = "arn:aws:cloudformation:eu-west-1:111122223333:stack/mayfly/1";
const NESTED = "arn:aws:cloudformation:eu-west-1:111122223333:stack/mayfly-Egress-1ABC/2";
const STACK = "AWS::CloudFormation::Stack";
let count = 0;
function event(at: number, over: Partial<StackEvent>): StackEvent {
	const id = `e${count++}`;
	return {
		id,
		at,
		stackId: ROOT,
		logicalId: "X",
		physicalId: "x",
		type: "AWS::EC2::VPC",
		status: "CREATE_COMPLETE",
		reason: null,
		...over,
	};
}

describe("events", () => {
	test("are told in order, nested ones from the nested stack's first to its end, none twice, none of before", async () => {
		const old = event(1, { logicalId: "Old" });
		const pages: Record<string, StackEvent[][]> = {
			[ROOT]: [
				[
					event(11, { logicalId: "Egress", physicalId: NESTED, type: STACK, status: "UPDATE_IN_PROGRESS" }),
					event(10, { logicalId: "First" }),
					old,
				],
				[],
				[event(30, { logicalId: "Last" })],
			],
			[NESTED]: [
				[event(12, { stackId: NESTED, logicalId: "Gateway" }), event(2, { stackId: NESTED, logicalId: "Earlier" })],
				[event(20, { stackId: NESTED, logicalId: "mayfly-Egress", physicalId: NESTED, type: STACK, status: "UPDATE_COMPLETE" })],
			],
		};
		const seen: Record<string, StackEvent[]> = { [ROOT]: [], [NESTED]: [] };
		const asked: string[] = [];
		let pauses = 0;
		const told: string[] = [];
		const end = await watch(
			ROOT,
			new Set([old.id]),
			{
				events: async (id) => {
					asked.push(id);
					seen[id] = [...(pages[id]?.shift() ?? []), ...(seen[id] ?? [])];
					return seen[id] ?? [];
				},
				status: async () => (pauses < 3 ? "UPDATE_IN_PROGRESS" : "UPDATE_COMPLETE"),
				sleep: async () => void pauses++,
			},
			({ logicalId }) => told.push(logicalId),
		);
		expect(told).toEqual(["First", "Egress", "Gateway", "mayfly-Egress", "Last"]);
		expect([end.status, end.events.length]).toEqual(["UPDATE_COMPLETE", 5]);
		// Twice, and never again after its own end.
		expect(asked.filter((id) => id === NESTED)).toHaveLength(2);
	});

	test("are lines with time, state, place and reason", () => {
		expect(eventLine(event(Date.UTC(2026, 10, 29, 12, 1, 7), { stackId: NESTED, status: "CREATE_FAILED", reason: "no" }))).toBe(
			"12:01:07 CREATE_FAILED                mayfly-Egress-1ABC/X AWS::EC2::VPC: no",
		);
	});

	test("name the one that the others failed of", () => {
		const failed = (at: number, logicalId: string, type: string, reason: string) =>
			event(at, { logicalId, type, reason, status: "CREATE_FAILED" });
		const all = [
			failed(3, "Egress", STACK, "Embedded stack arn:x was not successfully created: The following resource(s) failed to create: [B]"),
			failed(2, "A", "AWS::IAM::Role", "Resource creation cancelled"),
			failed(2, "B", "AWS::EC2::Instance", "no capacity"),
			failed(4, "C", "AWS::EC2::EIP", "limit"),
		];
		expect(firstFailure(all)?.logicalId).toBe("B");
		expect(firstFailure(all.slice(0, 1))?.logicalId).toBe("Egress");
		expect(firstFailure([event(1, {})])).toBe(null);
	});
});

describe("changes", () => {
	const change = (over: Partial<Change>): Change => ({
		within: [],
		action: "Modify",
		logicalId: "A",
		type: "AWS::EC2::VPC",
		replacement: null,
		isOpened: false,
		...over,
	});
	const CHANGES = [
		change({ action: "Add", logicalId: "New" }),
		change({ logicalId: "Egress", type: STACK, replacement: "False" }),
		change({ within: ["Egress"], logicalId: "GatewayA", type: "AWS::EC2::Instance", replacement: "True" }),
		change({ within: ["Egress"], logicalId: "B", replacement: "Conditional" }),
		change({ action: "Remove", logicalId: "Old" }),
	];

	test("are lines with what happens, nested ones by their path", () => {
		expect(changeLines(CHANGES, false)).toEqual([
			"  + add                      New              AWS::EC2::VPC",
			"  ~ modify                   Egress           AWS::CloudFormation::Stack",
			"  ~ replace                  Egress/GatewayA  AWS::EC2::Instance",
			"  ~ modify, perhaps replace  Egress/B         AWS::EC2::VPC",
			"  - remove                   Old              AWS::EC2::VPC",
		]);
		expect(changeCounts(CHANGES)).toBe("1 to add, 1 to modify, 1 to replace, 1 to modify, perhaps replace, 1 to remove");
	});

	test("that replace or remove are red", () => {
		const red = changeLines(CHANGES, true).filter((line) => line.includes("\u001b[31m"));
		expect(red.map((line) => /(GatewayA|Old)/.exec(line)?.[0])).toEqual(["GatewayA", "Old"]);
	});

	test("are read from all pages and all nested change sets", async () => {
		const own = (logical: string, more = "") =>
			`<member><Type>Resource</Type><ResourceChange><Action>Modify</Action><LogicalResourceId>${logical}</LogicalResourceId><ResourceType>T</ResourceType>${more}</ResourceChange></member>`;
		const pages: Record<string, string> = {
			root: `<Changes>${own("A")}</Changes><NextToken>2</NextToken><Status>CREATE_COMPLETE</Status>`,
			"root 2": `<Changes>${own("Egress", "<ChangeSetId>nested</ChangeSetId>")}</Changes><Status>CREATE_COMPLETE</Status><StackId>s</StackId>`,
			nested: `<Changes>${own("Inner", "<ChangeSetId>deep</ChangeSetId>")}${own("B")}</Changes><Status>CREATE_COMPLETE</Status>`,
			deep: `<Changes>${own("C", "<Replacement>True</Replacement>")}</Changes><Status>CREATE_COMPLETE</Status>`,
		};
		const server = Bun.serve({
			port: 0,
			async fetch(request) {
				const asked = new URLSearchParams(await request.text());
				const key = [asked.get("ChangeSetName"), asked.get("NextToken")].filter(Boolean).join(" ");
				const body = `<DescribeChangeSetResponse><DescribeChangeSetResult>${pages[key]}</DescribeChangeSetResult></DescribeChangeSetResponse>`;
				return new Response(body, { headers: { "content-type": "text/xml" } });
			},
		});
		const before = { ...process.env };
		Object.assign(process.env, { AWS_ENDPOINT_URL: `http://127.0.0.1:${server.port}`, AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" });
		const { changes, stackId } = await createCloudFormation("eu-west-1", new AbortController().signal).changeSet("root");
		for (const name of ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
			if (before[name] === undefined) delete process.env[name];
			else process.env[name] = before[name];
		}
		await server.stop(true);
		expect(changes.map(({ within, logicalId }) => [...within, logicalId].join("/"))).toEqual([
			"A",
			"Egress",
			"Egress/Inner",
			"Egress/Inner/C",
			"Egress/B",
		]);
		expect(stackId).toBe("s");
	});
});

describe("a change set", () => {
	const request = { stack: "mayfly", name: "d", type: "UPDATE", templateUrl: "u", parameters: {}, roleArn: null } as const;
	const SOME: Change = { within: [], action: "Add", logicalId: "A", type: "T", replacement: null, isOpened: false };
	const NESTED: Change = { ...SOME, action: "Modify", type: STACK, isOpened: true };
	async function made(...states: [status: string, reason: string | null, changes?: readonly Change[]][]) {
		const deleted: string[] = [];
		const begun: string[] = [];
		const said: string[] = [];
		const port = {
			createChangeSet: async ({ name, nested }: ChangeSetRequest) => `${name} ${nested ? "nested" : "plain"}`,
			changeSet: async (id: string): Promise<ChangeSetNow> => {
				const [status = "", reason = null, changes = [SOME]] = states.shift() ?? [];
				return { id, stackId: "s", status, reason, changes: [...changes] };
			},
			deleteChangeSet: async (id: string) => void deleted.push(id),
		};
		const end = await makeChangeSet(port, request, {
			sleep: async () => {},
			begun: (id) => begun.push(id),
			say: (line) => said.push(line),
		});
		return { kind: end.kind, reason: "reason" in end ? end.reason : null, deleted, begun, said };
	}

	test("is waited for", async () => {
		expect(await made(["CREATE_PENDING", null], ["CREATE_IN_PROGRESS", null], ["CREATE_COMPLETE", null])).toMatchObject({
			...{ kind: "ready", deleted: [], begun: ["d nested"], said: [] },
		});
	});

	test.each<[what: string, state: [string, string | null, (readonly Change[])?]]>([
		["by its reason", ["FAILED", "The submitted information didn't contain changes. Submit different information to create a change set."]],
		["by an update's reason", ["FAILED", "No updates are to be performed."]],
		["by nested stacks that are listed with nothing in them", ["CREATE_COMPLETE", null, [NESTED, NESTED]]],
	])("without changes is known %s, and gone", async (_, state) => {
		expect(await made(state)).toMatchObject({ kind: "unchanged", deleted: ["d nested"] });
	});

	test("with a change in a nested stack is none without", async () => {
		expect(await made(["CREATE_COMPLETE", null, [NESTED, { ...SOME, within: ["A"] }]])).toMatchObject({ kind: "ready" });
	});

	test("of outputs alone is one all the same", async () => {
		expect(await made(["CREATE_COMPLETE", null, []])).toMatchObject({ kind: "ready" });
		expect(changeCounts([])).toBe("no resource changes, outputs or descriptions do");
	});

	test("that CloudFormation cannot foresee is made without the nested stacks' changes, which is said", async () => {
		const unforeseen = "Template error: Fn::Select cannot select nonexistent value at index 1";
		expect(await made(["FAILED", unforeseen], ["CREATE_COMPLETE", null])).toMatchObject({
			...{ kind: "ready", deleted: ["d nested"], begun: ["d nested", "d-root plain"] },
			said: [`what would change inside nested stacks cannot be shown: ${unforeseen}`],
		});
	});

	test("that cannot be made either way is told by the second's reason", async () => {
		const reason = "Parameter validation failed: parameter value for GatewayImage does not exist";
		expect(await made(["FAILED", "nested"], ["FAILED", reason])).toMatchObject({
			kind: "failed",
			reason,
			deleted: ["d nested", "d-root plain"],
		});
	});

	test("has a name that CloudFormation takes", () => {
		expect(changeSetName(Date.UTC(2026, 10, 29, 12, 0, 5))).toBe("deploy-20261129T120005");
	});
});

describe("a stack", () => {
	const stack = (status: string) => ({ id: ROOT, status, reason: null, parameters: {}, outputs: {} });
	test.each<[status: string | null, way: string]>([
		[null, "CREATE"],
		["REVIEW_IN_PROGRESS", "CREATE"],
		["CREATE_COMPLETE", "UPDATE"],
		["UPDATE_COMPLETE", "UPDATE"],
		["UPDATE_ROLLBACK_COMPLETE", "UPDATE"],
		["ROLLBACK_COMPLETE", "delete-stack"],
		["CREATE_FAILED", "delete-stack"],
		["UPDATE_ROLLBACK_FAILED", "continue-update-rollback"],
		["DELETE_FAILED", "delete-stack"],
		["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "something else is changing"],
		["DELETE_IN_PROGRESS", "something else is changing"],
	])("that is %p: %s", (status, said) => {
		const way = wayTo("mayfly", "eu-west-1", status === null ? null : stack(status));
		expect("type" in way ? way.type : way.refused).toContain(said);
	});
});
