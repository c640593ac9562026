// Webhooks that the relay did not take are sent again: in what order, how often, and how many at a time.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { GitHubError } from "../../poller/github-error.ts";
import { redeliveriesAt } from "../../poller/points.ts";
import type { Delivery, Ports } from "../../poller/ports.ts";
import { RelayError } from "../../poller/relay.ts";
import { runSession } from "../../poller/session.ts";
import { failedDeliveries, sweepDeliveries } from "../../poller/sweep.ts";
import { handClock } from "../local/github-client.ts";
import { NOW } from "./facts.ts";
import { type Hook, startHook } from "./hook.ts";

setDefaultTimeout(60_000);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const guids = (count: number, name = "guid") => Array.from({ length: count }, (_, at) => `${name}-${at}`);

let hook: Hook;
afterEach(() => hook?.stop());

/** How long sessions serve, each taken over by the next one, and how long they may live. */
const SERVES_MS = 14 * MINUTE;
const LIVES_MS = 15 * MINUTE;

/** Looks as sessions make them until it is over, each followed by what a launch reads. Gives the longest that one of these waited. */
async function lookUntil(isOver: () => boolean, clock: ReturnType<typeof handClock>, meanwhile: () => void = () => undefined) {
	let longest = 0;
	while (!isOver()) {
		const life = { begunAt: clock(), endsAt: clock() + LIVES_MS };
		const ports = { github: hook.session(life.endsAt), log: LOG, now: clock } as unknown as Ports;
		const asked = new Map<string, number>();
		while (clock() < life.begunAt + SERVES_MS && !isOver()) {
			await sweepDeliveries(ports, asked, redeliveriesAt(clock(), life));
			const begun = clock();
			await ports.github.run({ repository: "octo-org/octo-repo", installationId: 7 }, 1);
			longest = Math.max(longest, clock() - begun);
			meanwhile();
			clock.pass(MINUTE);
		}
	}
	return longest;
}

describe("after an outage", () => {
	test("of a moment a thousand failed webhooks are all sent again, once each, within two hours and a half of the six that are looked at", async () => {
		const clock = handClock(NOW);
		hook = startHook(clock);
		hook.takes = false;
		hook.deliver(...guids(1000));
		hook.takes = true;
		let others = 0;
		// Some hundreds of jobs an hour go on meanwhile.
		const longest = await lookUntil(
			() => hook.again.length >= 1000 || clock() - NOW > 6 * HOUR,
			clock,
			() => hook.deliver(...guids(20, `other-${++others}`)),
		);
		expect(hook.again.toSorted()).toEqual(guids(1000).toSorted());
		expect(clock() - NOW).toBeLessThan(2.5 * HOUR);
		expect(longest).toBe(0);
	});

	test("the oldest of what a session has read is sent again first, and a page that was read is not asked for again", async () => {
		const clock = handClock(NOW);
		hook = startHook(clock);
		hook.takes = false;
		hook.deliver(...guids(1000));
		hook.takes = true;
		const life = { begunAt: NOW - 5 * MINUTE, endsAt: NOW + 10 * MINUTE };
		const ports = { github: hook.session(life.endsAt), log: LOG, now: clock } as unknown as Ports;
		const asked = new Map<string, number>();
		await sweepDeliveries(ports, asked, 10);
		expect(hook.again).toEqual(guids(10));
		const pages = () => hook.asked.filter(({ request }) => request === "GET /app/hook/deliveries").length;
		expect(pages()).toBe(10);
		clock.pass(MINUTE);
		await sweepDeliveries(ports, asked, 10);
		expect(hook.again).toEqual(guids(20));
		expect(pages()).toBe(11);
	});

	test("what a webhook's receiver refuses again and again is sent four times in all", async () => {
		const clock = handClock(NOW);
		hook = startHook(clock);
		hook.takes = false;
		hook.deliver(...guids(20));
		await lookUntil(() => clock() - NOW > 3 * HOUR, clock);
		expect(hook.again).toHaveLength(3 * 20);
	});
});

const tried = (id: number, guid: string, more: Partial<Delivery> = {}): Delivery => {
	return { id, guid, deliveredAt: NOW - 5 * HOUR + id, isOver: false, event: "workflow_job", ...more };
};
const agesOf = (...minutes: number[]) => minutes.map((age, at) => tried(at, "a", { deliveredAt: NOW - age * MINUTE }));

describe("a delivery is sent again", () => {
	test.each<[what: string, deliveries: Delivery[], ids: number[]]>([
		["that failed", [tried(1, "a")], [1]],
		["but not one of which a try was taken", [tried(1, "a"), tried(2, "a", { isOver: true })], []],
		["by its newest try", [tried(1, "a"), tried(2, "a")], [2]],
		["that failed at once", agesOf(0), [0]],
		["that failed twice ten minutes later", agesOf(200, 10), [1]],
		["that failed twice not before", agesOf(200, 9), []],
		["that failed three times an hour later", agesOf(200, 100, 60), [2]],
		["that failed three times not before", agesOf(200, 100, 59), []],
		["but not one that failed four times", agesOf(300, 250, 200, 100), []],
		["but not of another event", [tried(1, "a", { event: "ping" })], []],
		["but not one that was asked for a moment ago", [tried(1, "asked")], []],
		["the longest wait first, whatever the order of the list", [tried(3, "c"), tried(1, "a"), tried(4, "a"), tried(2, "b")], [2, 3, 4]],
	])("%s", (_, deliveries, ids) => {
		expect(failedDeliveries(deliveries, new Map([["asked", NOW - MINUTE]]), NOW).map(({ id }) => id)).toEqual(ids);
	});

	test("though GitHub will not send another one", async () => {
		const sent: number[] = [];
		const redeliver = async (id: number) => {
			if (id === 1) throw new GitHubError("POST attempts", 404, "Not Found", null);
			sent.push(id);
		};
		const github = { deliveriesSince: async () => [tried(1, "a"), tried(2, "b")], redeliver };
		await sweepDeliveries({ github, log: LOG, now: () => NOW } as unknown as Ports, new Map(), 10);
		expect(sent).toEqual([2]);
	});

	test("only so often in a minute, however often it is looked", async () => {
		const sent: number[] = [];
		const github = {
			deliveriesSince: async () => guids(40).map((guid, at) => tried(at, guid)),
			redeliver: async (id: number) => sent.push(id),
		};
		const asked = new Map<string, number>();
		for (const at of [0, 1000, 59_000, MINUTE])
			await sweepDeliveries({ github, log: LOG, now: () => NOW + at } as unknown as Ports, asked, 10);
		expect(sent).toEqual(Array.from({ length: 20 }, (_, at) => at));
	});
});

/** Ids that one session has sent again, with a relay whose leases say so much. */
async function sessionWith(lease: () => Promise<object>): Promise<number[]> {
	let now = NOW;
	const sent: number[] = [];
	const pass = async (ms: number) => {
		now += ms;
		await Bun.sleep(0);
	};
	const ports = {
		...{ log: LOG, config: { owners: [] }, now: () => now, sleep: pass, endsAt: NOW + 12 * MINUTE, stack: "test" },
		metrics: { flush: () => undefined, machines: () => undefined },
		ec2: { withTag: async () => [] },
		relay: {
			lease: () => pass(20_000).then(lease),
			observe: async () => ({ machines: [], active: [] }),
		},
		github: { deliveriesSince: async () => [tried(1, "a"), tried(2, "b")], redeliver: async (id: number) => sent.push(id) },
	};
	await runSession(ports as unknown as Ports, "s", MINUTE);
	return sent;
}

describe("while the relay", () => {
	const answer = { work: [], budgets: { jitCalls: 0, ec2Calls: 0, onDemandOnly: false, paused: false, alarm: null } };
	const gone = () => Promise.reject(new RelayError("/lease", 502, "gone"));
	test.each<[what: string, leases: (() => Promise<object>)[], ids: number[]]>([
		["is full or draining nothing is sent again", [async () => ({ ...answer, room: 0 })], []],
		["has room for one more job one is", [async () => ({ ...answer, room: 1 }), gone], [1]],
		["has room all are", [async () => ({ ...answer, room: 4000 }), gone], [1, 2]],
		["does not say so all are", [async () => answer, gone], [1, 2]],
		// Later looks would find both due again.
		["is gone nothing is", [gone], []],
	])("%s", async (_, leases, ids) => {
		expect(await sessionWith(() => (leases.length > 1 ? leases.shift() : leases[0])?.() ?? gone())).toEqual(ids);
	});
});
