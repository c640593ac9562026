// The end of a registration before its machine's: what was read of it may be old by the time that GitHub is asked to delete it.
import { describe, expect, test } from "bun:test";
import type { GitHub, RunnerScope } from "../../poller/ports.ts";
import { deleteRunner } from "../../poller/runners.ts";

const SCOPE: RunnerScope = { repository: "octo-org/octo-repo", installationId: 1, endpoint: "org" };
const NAME = "mayfly-i-0abc-1";

/** GitHub with registrations under one name, one after the other: each is there when it is looked for, and `absent` ones are gone when they are deleted. */
function gitHubWith(answers: ("deleted" | "absent" | "busy")[]): { github: GitHub; asked: number[] } {
	const asked: number[] = [];
	const github = {
		findRunner: async () => (asked.length < answers.length ? { id: 137 + asked.length, online: true, busy: false } : null),
		deleteRunner: async (_: unknown, id: number) => answers[asked.push(id) - 1] ?? "absent",
	} as unknown as GitHub;
	return { github, asked };
}

describe("a runner is deleted by its name", () => {
	test.each<[what: string, answers: ("deleted" | "absent" | "busy")[], end: "gone" | "busy", asked: number[]]>([
		["none of that name is gone", [], "gone", []],
		["an idle one is deleted", ["deleted"], "gone", [137]],
		["a busy one stays", ["busy"], "busy", [137]],
		["one that was replaced meanwhile by a busy one stays", ["absent", "busy"], "busy", [137, 138]],
		["one that was replaced meanwhile by an idle one is deleted", ["absent", "deleted"], "gone", [137, 138]],
		["one that went away by itself is gone", ["absent"], "gone", [137]],
		["one that is replaced again and again is in use", ["absent", "absent", "absent", "absent"], "busy", [137, 138, 139]],
	])("%s", async (_, answers, end, ids) => {
		const { github, asked } = gitHubWith(answers);
		expect(await deleteRunner(github, SCOPE, NAME)).toBe(end);
		expect(asked).toEqual(ids);
	});
});
