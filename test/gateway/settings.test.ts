// What a gateway is told and what it makes of it: its user data, its role's keys, the lists of the mailbox.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { readConfig, readUserData } from "../../gateway/config.ts";
import { createInstance } from "../../gateway/imds.ts";
import { decideSync, installed, NOTHING_YET } from "../../gateway/sync.ts";

const USER_DATA = `MAYFLY_STACK=build
MAYFLY_REGION=eu-west-1
MAYFLY_ZONE=eu-west-1a
# zones in the order of the ring
MAYFLY_ROUTE_TABLES=eu-west-1a=rtb-0a,eu-west-1b=rtb-0b
MAYFLY_MAILBOX_URL=https://bucket.s3.eu-west-1.amazonaws.com/
MAYFLY_LOG_GROUP=/mayfly/build/proxy
`;

describe("settings", () => {
	test("are the user data's, with AWS's own places", () => {
		const read = readConfig(USER_DATA, {});
		expect(read).toMatchObject({ ok: true, config: { stack: "build", zone: "eu-west-1a", ownLogGroup: "/mayfly/build/gateway" } });
		expect(read).toMatchObject({
			config: {
				...{ mailboxUrl: "https://bucket.s3.eu-west-1.amazonaws.com", logsUrl: "https://logs.eu-west-1.amazonaws.com", ec2Url: null },
				...{ routeTables: { "eu-west-1a": "rtb-0a", "eu-west-1b": "rtb-0b" }, resolver: "169.254.169.253:53", pollMs: 15_000 },
			},
		});
	});

	test("may be changed by the environment, and take nothing else from either", () => {
		expect(readConfig(USER_DATA, { MAYFLY_POLL_MS: "500", PATH: "/bin" })).toMatchObject({ ok: true, config: { pollMs: 500 } });
		expect(readUserData("export A=b\nPATH=/evil\n MAYFLY_ZONE=x \nMAYFLY_=\n")).toEqual({ MAYFLY_ZONE: "x" });
	});

	test("that are wrong are all named, without their values", () => {
		const read = readConfig(USER_DATA.replace("rtb-0a", "secret").replace("MAYFLY_STACK=build\n", ""), { MAYFLY_POLL_MS: "soon" });
		expect(read).toEqual({
			ok: false,
			problems: [
				"MAYFLY_STACK: is required",
				"MAYFLY_ROUTE_TABLES: is not zone=rtb-… pairs with commas between them",
				"MAYFLY_POLL_MS: is not a positive number",
			],
		});
		expect(readConfig(USER_DATA.replace("ZONE=eu-west-1a", "ZONE=eu-west-1c"), {})).toEqual({
			...{ ok: false, problems: ["MAYFLY_ROUTE_TABLES: has no table for MAYFLY_ZONE"] },
		});
	});
});

describe("the keys of the role", () => {
	const KEYS = { AccessKeyId: "AK", SecretAccessKey: "secret", Token: "token" };
	const instanceWith = (documents: Record<string, string>, now: () => number) => {
		const asked: string[] = [];
		const read = async (path: string) => {
			asked.push(path);
			return documents[path] ?? null;
		};
		return { instance: createInstance({ read }, now), asked };
	};
	const folder = "meta-data/iam/security-credentials/";

	test("are asked for once, and again five minutes before they end", async () => {
		let now = Date.parse("2026-11-29T12:00:00Z");
		const documents = { [folder]: "role\n", [`${folder}role`]: JSON.stringify({ ...KEYS, Expiration: "2026-11-29T18:00:00Z" }) };
		const { instance, asked } = instanceWith(documents, () => now);
		expect(await instance.credentials()).toMatchObject({ accessKeyId: "AK", sessionToken: "token" });
		now += 5 * 3_600_000;
		await instance.credentials();
		expect(asked).toHaveLength(2);
		now += 56 * 60_000;
		await instance.credentials();
		expect(asked).toHaveLength(4);
	});

	test("that cannot be used are refused without showing them", async () => {
		for (const documents of [
			{},
			{ [folder]: "role" },
			{ [folder]: "role", [`${folder}role`]: JSON.stringify({ ...KEYS, Expiration: "soon" }) },
		]) {
			const { instance } = instanceWith(documents as Record<string, string>, Date.now);
			const error = await instance.credentials().catch((thrown: Error) => thrown);
			expect(error).toMatchObject({ name: "InstanceError" });
			expect(String(error)).not.toContain("secret");
		}
	});
});

describe("an answer of the mailbox", () => {
	const text = readFileSync(new URL("../contract/golden/egress-document.enforce.json", import.meta.url), "utf8");
	const good = installed(text, '"1"');

	test("with lists has them installed, unless they are those that are", () => {
		expect(decideSync(NOTHING_YET, { kind: "document", text, etag: '"1"' }).install).toMatchObject({
			etag: '"1"',
			document: { mode: "enforce" },
		});
		expect(decideSync(good, { kind: "document", text, etag: '"2"' })).toEqual({ state: installed(text, '"2"'), install: null, say: null });
		expect(decideSync(good, { kind: "same" })).toEqual({ state: good, install: null, say: null });
	});

	test.each([
		["that there is none", { kind: "none" }, "there are no lists in the mailbox"],
		["of an error", { kind: "failed", reason: "status 500" }, "the mailbox did not answer: status 500"],
		["of another form", { kind: "document", text: "[]", etag: null }, "the lists in the mailbox are refused: "],
		["that is no JSON", { kind: "document", text: "{", etag: null }, "the lists in the mailbox are refused: it is not JSON"],
	] as const)("%s changes nothing and is said once", (_, fetched, reason) => {
		const first = decideSync(good, fetched);
		expect(first.install).toBeNull();
		expect(first.say).toStartWith(reason);
		expect(first.say).toEndWith("the last good lists stay");
		expect([first.state.text, first.state.etag]).toEqual([text, '"1"']);
		expect(decideSync(first.state, fetched).say).toBeNull();
		expect(decideSync(NOTHING_YET, fetched).say).toEndWith("nothing passes");
		// Once it was well in between it is said again.
		expect(decideSync(decideSync(first.state, { kind: "same" }).state, fetched).say).toStartWith(reason);
	});
});
