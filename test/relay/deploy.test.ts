// A new version of the relay is deployed: what was under way fails, memory is lost, the storage stays (FACTS 5.1).
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { version } from "../../package.json";
import { createDice, seedOfRun } from "../dice.ts";
import { changedRelay, delivery, payloadOf, type RelayUnderTest, relayUnderTest, SECRETS } from "./relay-under-test.ts";

const NEXT = `${version}-next`;
const DEPLOYS = 20;
/** No lease runs out within the test: work that comes twice was handed out twice. */
const CLOCKS = JSON.stringify({ firstLease: 600_000, lease: 600_000 });

/** The same call until it is answered, as GitHub's redelivery and the poller make it. */
async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
	for (;;) {
		const answer = await call().catch(() => null);
		if (answer !== null) return answer;
		await Bun.sleep(5);
	}
}

async function sendUntilTaken(relay: RelayUnderTest, id: number): Promise<number> {
	const sent = delivery(payloadOf(id, "queued"), { "x-github-delivery": `deploy-${id}` });
	return untilAnswered(async () => {
		const { status } = await relay.call("/webhook", sent);
		return status === 202 ? id : null;
	}) as Promise<number>;
}

async function versionOf(relay: RelayUnderTest): Promise<unknown> {
	return ((await (await relay.call("/health")).json()) as { version: unknown }).version;
}

/** Polls without a pause until nothing comes any more. Returns the jobs handed out, each as often as it was. */
async function poll(relay: RelayUnderTest, isSent: () => boolean): Promise<number[]> {
	const handed: number[] = [];
	for (let asked = 1; ; asked++) {
		const isLast = isSent();
		const { work } = await untilAnswered(() => relay.lease({ requestId: `poll-${asked}`, waitSeconds: isLast ? 0 : 1 }));
		handed.push(...work.map((item) => (item.kind === "launch" ? item.job.id : 0)));
		if (isLast && work.length === 0) return handed;
	}
}

function nextRelay(relay: RelayUnderTest): Promise<string> {
	return changedRelay(join(relay.folder, "next.js"), { [`"${version}"`]: `"${NEXT}"` });
}

describe("a deploy", () => {
	test("in the middle of a long poll loses nothing: the poller asks again under the same id and gets each job once", async () => {
		await using relay = await relayUnderTest({ CLOCKS });
		const next = await nextRelay(relay);
		const seed = seedOfRun();
		const dice = createDice(seed);
		process.stderr.write(`deploys: FC_SEED=${seed}\n`);
		let isSent = false;
		const polled = poll(relay, () => isSent);
		const jobs: number[] = [];
		for (let deploy = 1; deploy <= DEPLOYS; deploy++) {
			// Some reach the old version, some nobody, some the new one; and what the old one hands out last may be lost with its answer.
			const sent = [1, 2, 3, 4].map(async (n) => {
				await Bun.sleep(dice.below(100));
				return sendUntilTaken(relay, 10 * deploy + n);
			});
			await Bun.sleep(dice.below(100));
			await relay.deploy(deploy % 2 === 1 ? next : undefined);
			expect(await versionOf(relay)).toBe(deploy % 2 === 1 ? NEXT : version);
			jobs.push(...(await Promise.all(sent)));
		}
		isSent = true;
		expect((await polled).toSorted((a, b) => a - b)).toEqual(jobs.toSorted((a, b) => a - b));
	}, 60_000);

	test("does not lose what the old version handed out to a connection that was gone: the same request has it from the new one", async () => {
		await using relay = await relayUnderTest({ CLOCKS });
		const body = { session: "s", requestId: "cut", max: 10, waitSeconds: 20 };
		const cut = new AbortController();
		const lost = relay.call("/lease", { ...relay.bearer(SECRETS.POLLER_TOKEN, body), signal: cut.signal }).catch(() => null);
		await Bun.sleep(20);
		cut.abort();
		expect(await lost).toBeNull();
		await sendUntilTaken(relay, 1);
		while (!(await relay.log()).includes('"at":"lease"')) await Bun.sleep(5);
		await relay.deploy(await nextRelay(relay));
		expect((await relay.lease({ requestId: "another" })).work).toEqual([]);
		expect((await relay.lease(body)).work.map(({ workId }) => workId)).toEqual(["launch-1"]);
	});

	test("between an intent and its launch goes on with that intent, and an answer that was lost is the same from the new version", async () => {
		await using relay = await relayUnderTest({ CLOCKS });
		await sendUntilTaken(relay, 1);
		const first = await relay.lease({ requestId: "lost" });
		const { workId, leaseId } = first.work[0] ?? {};
		const intent = { token: "token-1", members: [1], request: { type: "instant" } };
		await relay.settle({ workId, leaseId, outcome: "launching", ...intent });
		await relay.deploy(await nextRelay(relay));
		expect(await relay.lease({ requestId: "lost" })).toEqual(first);
		expect(await relay.settle({ workId, leaseId, outcome: "launching", ...intent })).toEqual({
			settled: { "launch-1": { state: "launching" } },
			stale: {},
		});
	});
});
