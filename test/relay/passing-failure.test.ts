// A queue that fails for a moment, as a deploy makes it: asked once more, and only then.
import { describe, expect, test } from "bun:test";
import { parseConfig } from "../../relay/config.ts";
import { readRateLimits } from "../../relay/rate-limits.ts";
import { createRoutes } from "../../relay/routes.ts";
import type { QueueCalls } from "../../relay/surroundings.ts";
import { delivery, OWNERS, payloadOf, SECRETS } from "./relay-under-test.ts";

/** Sends a webhook to a relay whose queue fails these times, one connection for each. */
async function statusAfter(...failures: unknown[]) {
	let connections = 0;
	const sent: unknown[] = [];
	const queue = () => {
		const failure = failures[connections++];
		const receive: QueueCalls["receive"] = async (one) => {
			sent.push(one);
			if (failure !== undefined) throw failure;
			return "accepted";
		};
		return { receive } as QueueCalls;
	};
	const app = createRoutes(parseConfig({ ...SECRETS, OWNERS }), {
		queue,
		now: Date.now,
		log: () => {},
		limits: readRateLimits({}),
		version: "0",
	});
	const { status } = await app.request("/webhook", delivery(payloadOf(1, "queued")));
	expect(sent).toEqual(Array(connections).fill(sent[0]));
	return { status, connections };
}

const failure = (marks: Record<string, unknown>) => Object.assign(new Error("the object was reset"), marks);
const passing = failure({ retryable: true });

describe("a call of the queue", () => {
	test("that failed for a moment is made again with the same delivery, on a fresh connection", async () => {
		expect(await statusAfter(passing)).toEqual({ status: 202, connections: 2 });
	});

	test("that fails again is not made a third time", async () => {
		expect(await statusAfter(passing, passing, passing)).toEqual({ status: 503, connections: 2 });
	});

	const final: [name: string, failure: unknown][] = [
		["on an overloaded object", failure({ retryable: true, overloaded: true })],
		["with an error of our own", failure({})],
		["with a word instead of an answer", failure({ retryable: "true" })],
		["with no error at all", null],
	];
	for (const [name, thrown] of final)
		test(`that fails ${name} is made once`, async () => {
			expect(await statusAfter(thrown)).toEqual({ status: 503, connections: 1 });
		});
});
