// Lines that are checked once for all of a shape get the verdict that each would get by itself.
import { expect, test } from "bun:test";
import { emfLines } from "../../poller/emf.ts";
import { problemsOf } from "../poller/emf.ts";
import { createLineCheck } from "./metric-lines.ts";

const NOTES = [
	{ name: "QueueTime" as const, value: 1200, as: "webhook" },
	{ name: "QueueTime" as const, value: 0.5, as: "webhook" },
	{ name: "Machines" as const, value: 3 },
];
const linesAt = (now: number) => emfLines(NOTES, "test", now);
/** What could be wrong with a line, each beside numbers that a good line may have. */
const FAULTS: ((line: string) => string)[] = [
	(line) => line,
	(line) => line.replace(/"Timestamp":[0-9]+/, '"Timestamp":9000000000000'),
	(line) => line.replace(/"Timestamp":[0-9]+/, '"Timestamp":1400000000000'),
	(line) => line.replace(/"Timestamp":([0-9]+)/, '"Timestamp":$1.5'),
	(line) => line.replace('"Unit":"Count"', '"Unit":"Count","StorageResolution":7'),
	(line) => line.replace('"Unit":"Count"', '"Unit":"12"'),
	(line) => line.replace('"Machines":3', '"Machines":"3"'),
	(line) => line.replace('"Machines":3', '"Machines":[]'),
	(line) => line.replace('"Machines":3', `"Machines":[${Array.from({ length: 101 }, (_, n) => n)}]`),
	(line) => line.replace('"Machines":3', '"Machines":null'),
	(line) => line.replace('"Stack":"test"', '"Stack":7'),
	(line) => line.replace('"Stack":"test"', '"Stack":""'),
	(line) => line.replace("}", "}\n"),
];

test("a line gets the verdict that it gets by itself, whatever was checked before", () => {
	const check = createLineCheck();
	for (const now of [1_780_000_000_000, 1_780_000_060_000])
		for (const line of linesAt(now)) for (const fault of FAULTS) expect(check(fault(line))).toEqual(problemsOf(fault(line)));
});

test("what is no JSON is not taken for a line that was", () => {
	const check = createLineCheck();
	const [line = ""] = linesAt(1_780_000_000_000);
	expect(check(line)).toEqual([]);
	for (const number of ["01", "1.2.3", "-", "1e", "NaN"]) expect(() => check(line.replace("1200", number))).toThrow();
});
