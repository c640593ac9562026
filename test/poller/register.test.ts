// How long a machine waits for its registration, and what must be known before it may be ended.
import { describe, expect, test } from "bun:test";
import { GitHubError } from "../../poller/github-error.ts";
import type { Ports, Runner, Still } from "../../poller/ports.ts";
import { register } from "../../poller/register.ts";
import { createRegistrationHolds, heldOn } from "../../poller/registration-holds.ts";
import { handClock } from "../local/github-client.ts";

const NOW = 1_795_000_000_000;
const HOUR = 3_600_000;
const failure = (status: number | null, retryAt: number | null = null) => new GitHubError("POST /generate-jitconfig", status, "", retryAt);

interface Case {
	/** What each try throws. */
	throws: (now: number) => GitHubError;
	/** What each look finds; the last one repeats. */
	runners?: (Runner | null)[];
	deletion?: "deleted" | "absent" | "busy";
	replayed?: boolean;
	since?: number;
	endsAt?: number;
	isLeased?: boolean;
}

/** A registration that GitHub does not make, on a clock that only pauses pass. */
async function registered({ throws, runners = [null], deletion = "deleted", isLeased = true, ...it }: Case) {
	const { replayed = false, since = NOW, endsAt = NOW + HOUR } = it;
	const clock = handClock(NOW);
	const asked: string[] = [];
	let looks = 0;
	const told = <T>(call: string, answer: () => T) => {
		asked.push(call);
		return answer();
	};
	const ports = {
		...{ now: clock, endsAt, sleep: async (ms: number) => clock.pass(ms), mailbox: { has: async () => false } },
		github: {
			createRunner: async (_scope: unknown, _request: unknown, still: Still) => {
				if (!(await still())) return "let go";
				return told("create", () => {
					throw throws(clock());
				});
			},
			findRunner: async () => told("find", () => runners[Math.min(looks++, runners.length - 1)]),
			deleteRunner: async () => told("delete", () => deletion),
		},
	} as unknown as Ports;
	const end = await register(ports, {
		scope: { repository: "octo-org/octo-repo", installationId: 1, endpoint: "org" },
		request: { name: "mayfly-i-0abc-1", runner_group_id: 1, labels: ["a"], work_folder: "_work" },
		...{
			instanceId: "i-0abc",
			privateIp: "10.0.0.4",
			replayed,
			since,
			lease: { extend: async () => isLeased, lasts: async () => isLeased },
		},
	});
	return { kind: end.kind, waited: clock() - NOW, asked: asked.filter((call) => call !== "create"), tries: asked.length };
}

const IDLE: Runner = { id: 7, online: false, busy: false };
const BUSY: Runner = { ...IDLE, busy: true };
const failing = () => failure(502);
const lostFirst = (now: number) => failure(now === NOW ? null : 422);
const limited = (ms: number) => (now: number) => failure(403, now + ms);

describe("a machine whose registration GitHub does not make", () => {
	test("waits in vain after about a minute", async () => {
		const { kind, waited } = await registered({ throws: failing });
		expect(kind).toBe("vain");
		expect(waited).toBeGreaterThanOrEqual(60_000);
		expect(waited).toBeLessThan(75_000);
	});

	test.each<[what: string, it: Case, kind: string, asked: string[]]>([
		["with no runner of its name", { throws: failing }, "vain", ["find"]],
		["with a runner that a lost answer left, which is deleted first", { throws: failing, runners: [IDLE] }, "vain", ["find", "delete"]],
		[
			"with a runner that was gone by then",
			{ throws: failing, runners: [IDLE, null], deletion: "absent" },
			"vain",
			["find", "delete", "find"],
		],
		[
			"with a runner that took a job while GitHub did not find it",
			{ throws: failing, runners: [IDLE, BUSY], deletion: "absent" },
			"alive",
			["find", "delete", "find"],
		],
		["with a runner that took a job: it stays", { throws: failing, runners: [IDLE], deletion: "busy" }, "alive", ["find", "delete"]],
		["with a runner that is online: it stays", { throws: failing, runners: [{ ...IDLE, online: true }] }, "alive", ["find"]],
		["which refused every try and so has no runner", { throws: limited(90_000) }, "vain", []],
		["which refused the tries of this session", { throws: limited(90_000), replayed: true, runners: [BUSY] }, "alive", ["find"]],
		["which refuses it for good", { throws: () => failure(422) }, "refused", []],
		[
			"which refuses it after an answer was lost, with the runner of that one",
			{ throws: lostFirst, runners: [IDLE] },
			"refused",
			["find", "delete"],
		],
		[
			"which refuses it after an answer was lost, whose runner took a job: it stays",
			{ throws: lostFirst, runners: [BUSY] },
			"alive",
			["find"],
		],
		[
			"which refuses to a second session what the first one has",
			{ throws: () => failure(404), replayed: true, runners: [BUSY] },
			"alive",
			["find"],
		],
	])("%s", async (_, it, kind, asked) => {
		expect(await registered(it)).toMatchObject({ kind, asked });
	});

	test("and that waited for a poller before is given three tries", async () => {
		expect(await registered({ throws: failing, since: NOW - HOUR })).toMatchObject({ kind: "vain", tries: 4, waited: 6_000 });
	});

	test("whose launch another session has is left to that one, with no question to GitHub", async () => {
		expect(await registered({ throws: failing, isLeased: false })).toMatchObject({ kind: "let go", tries: 0 });
	});

	test("while the session ends is left to the next one", async () => {
		expect(await registered({ throws: failing, endsAt: NOW + 20_000 })).toMatchObject({ kind: "unsure", asked: [] });
	});

	test("for as long as a limit says waits that long, if it is a minute at most", async () => {
		const first = (now: number) => (now === NOW ? failure(403, NOW + 60_000) : failure(422));
		expect(await registered({ throws: first })).toMatchObject({ kind: "refused", waited: 60_000 });
	});
});

describe("while registrations of an owner fail", () => {
	const problem = { reason: "502 Bad Gateway", retryAt: null };
	const putOff = { what: "registration", reason: problem.reason } as const;
	const of = (owner: string, awaits?: typeof putOff) => ({ job: { owner }, awaits, receivedAt: NOW - HOUR });

	test("its launches wait, but for one now and then; others go on", () => {
		const clock = handClock(NOW);
		const holds = createRegistrationHolds(clock);
		const until = holds.failed("Octo-Org", problem);
		expect(holds.whyHeld(of("octo-org"))).toEqual({ notBefore: until, reason: "502 Bad Gateway" });
		expect(holds.whyHeld(of("other-org"))).toBeNull();
		clock.pass(until - NOW);
		expect(holds.whyHeld(of("octo-org"))).toBeNull();
		expect(holds.whyHeld(of("octo-org"))?.notBefore).toBe(until + 75_000);
	});

	test("one that is made lets all of them go on", () => {
		const holds = createRegistrationHolds(handClock(NOW));
		holds.failed("octo-org", problem);
		holds.made("octo-org");
		expect(holds.whyHeld(of("octo-org"))).toBeNull();
		expect(holds.whyHeld(of("octo-org", putOff))).toBeNull();
	});

	test("a new session knows it from the jobs that the one before put off, and lets one of them find out", () => {
		const holds = createRegistrationHolds(handClock(NOW));
		expect(holds.whyHeld(of("octo-org", putOff))).toBeNull();
		expect(holds.whyHeld(of("octo-org", putOff))).toEqual({ notBefore: NOW + 75_000, reason: "502 Bad Gateway" });
		expect(holds.whyHeld(of("octo-org"))?.notBefore).toBe(NOW + 75_000);
	});
});

describe("registrations that fail", () => {
	const MINUTE = 60_000;
	test.each([
		["the first time are tried again in seconds", null, null, 15_000],
		["for ten minutes, after a quarter of that", 10 * MINUTE, null, 150_000],
		["for hours, every three minutes", 300 * MINUTE, null, 3 * MINUTE],
		["when GitHub says it", null, 5 * MINUTE, 5 * MINUTE],
	])("%s", (_, age, retryIn, pause) => {
		const before = age === null ? null : { since: NOW - age, until: NOW - 1, reason: "before" };
		const hold = heldOn(before, { reason: "502", retryAt: retryIn === null ? null : NOW + retryIn }, NOW);
		expect(hold).toEqual({ since: before?.since ?? NOW, until: NOW + pause, reason: "502" });
	});
	test("never shorten what is waited for already", () => {
		expect(heldOn({ since: NOW, until: NOW + MINUTE, reason: "" }, { reason: "", retryAt: null }, NOW).until).toBe(NOW + MINUTE);
	});
});
