// An image belongs to no account: where it says `user-data`, the mailbox is the one that the launch template's user data names.
import { describe, expect, test } from "bun:test";
import { mailboxUrlIn } from "../../agent/imds.ts";
import { REPOSITORY } from "./documents.ts";
import { runMachine } from "./machine.ts";

const JOB = { GITHUB_REPOSITORY: REPOSITORY, GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main" };
const env = { MAYFLY_MAILBOX_URL: "user-data" };

describe("the mailbox", () => {
	test("is found in the user data", async () => {
		const end = await runMachine({ runner: "success", job: JOB, env });
		expect(end.phases).toEqual(["claimed", "listening", "running", "finished", "off"]);
		expect(end).toMatchObject({ code: 0, offs: 1 });
	}, 60_000);

	test.each([["names none"], ["MAYFLY_MAILBOX_URL=\n"], ["MAYFLY_MAILBOX_URL=file:///etc/passwd\n"]])(
		"is not found in %p, and the machine goes off",
		async (userData) => {
			const end = await runMachine({ runner: "success", job: JOB, env, imds: { "user-data": userData } });
			expect(end).toMatchObject({ phases: [], offs: 1 });
			expect(end.out + end.err).toContain("the user data names no mailbox");
		},
		60_000,
	);

	test("is one line among others, without slashes behind it", () => {
		expect(mailboxUrlIn("# Mayfly\nMAYFLY_MAILBOX_URL=https://b.s3.eu-west-1.amazonaws.com/\nOTHER=1\n")).toBe(
			"https://b.s3.eu-west-1.amazonaws.com",
		);
		expect(mailboxUrlIn("XMAYFLY_MAILBOX_URL=https://b\n")).toBeNull();
		expect(mailboxUrlIn("MAYFLY_MAILBOX_URL=https://b c\n")).toBeNull();
		expect(mailboxUrlIn("")).toBeNull();
	});
});
