import { describe, expect, test } from "bun:test";
import { DEFAULT_CLOCKS as clocks } from "../../relay/clocks.ts";
import { admit } from "../../relay/sessions.ts";

const NOW = 1_000_000;
const MINUTE = 60_000;
const serving = (endsAt: number, leasedAt = NOW) => ({ session: "old", endsAt, leasedAt });

describe("who serves", () => {
	test("is the first, while it has time left and leases", () => {
		expect(admit(serving(NOW + 10 * MINUTE), { session: "new", endsAt: NOW + 15 * MINUTE }, NOW, clocks).superseded).toBeTrue();
	});

	test("is a newcomer once the first nears its end, and the first is superseded then", () => {
		const taken = admit(serving(NOW + clocks.seatEnding), { session: "new", endsAt: NOW + 15 * MINUTE }, NOW, clocks);
		expect([taken.superseded, taken.serving?.session]).toEqual([false, "new"]);
		expect(admit(taken.serving, { session: "old", endsAt: NOW + clocks.seatEnding }, NOW + 1, clocks).superseded).toBeTrue();
	});

	test("changes without a gap: of newcomers a minute apart one comes before the last lease, 45 s before the end", () => {
		for (let first = 0; first < MINUTE; first += 1000) {
			const endsAt = NOW + 15 * MINUTE;
			const starts = Array.from({ length: 15 }, (_, at) => NOW + first + at * MINUTE);
			const admitted = starts.find(
				(at) => !admit(serving(endsAt, at), { session: "new", endsAt: at + 15 * MINUTE }, at, clocks).superseded,
			);
			expect(admitted).toBeLessThanOrEqual(endsAt - 45_000);
		}
	});

	test("is a newcomer when the first has not leased for a while", () => {
		const silent = serving(NOW + 10 * MINUTE, NOW - clocks.seatIdle - 1);
		expect(admit(silent, { session: "new", endsAt: NOW + 15 * MINUTE }, NOW, clocks).superseded).toBeFalse();
	});

	test("is not asked of a session that names no end", () => {
		const held = serving(NOW + 10 * MINUTE);
		expect(admit(held, { session: "new" }, NOW, clocks)).toEqual({ serving: held, superseded: false });
	});
});
