// The relay's rows in maps are SQLite's: whatever is asked of both, both answer the same.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { SCHEMA, STATEMENTS } from "../../relay/statements.ts";
import { openRows } from "./rows.ts";
import { simulate } from "./simulate.ts";
import { openSqlite, type Storage } from "./storage.ts";

type Name = keyof typeof STATEMENTS;
type Step = { name: Name; values: (string | number | null)[] } | { within: Step[]; fails: boolean };

const id = fc.integer({ min: -2, max: 12 });
const moment = fc.integer({ min: 0, max: 20 });
const limit = fc.oneof(fc.integer({ min: -1, max: 5 }), fc.constant(100_000));
const doc = fc.nat({ max: 999 }).map((n) => JSON.stringify({ n }));
const ended = fc.constantFrom(null, "done", "refused", "dead");
const seat = fc.constantFrom(null, "launch-1", "launch-10", "i-1", "i-2");
const token = fc.constantFrom("", "a", "a-1", "b", "B");
const task = fc.constantFrom("rerun-", "rerun-1", "rerun-10", "rerun-9", "rerun.", "terminate-i-1", "terminate-i-2");
const setting = fc.constantFrom("switches", "lease-0", "lease-1");

/** What each statement is asked with. */
const VALUES: Record<Name, fc.Arbitrary<string | number | null>[]> = {
	...{ openJobs: [], highestJob: [], jobById: [id], jobBySeat: [seat], jobBySpare: [seat], saveDoc: [doc, id] },
	...{ saveEndedDoc: [doc, id, ended, seat, seat], saveJob: [id, ended, seat, seat, doc], dropJob: [id] },
	...{ newestJobs: [limit], newestDone: [limit], newestRefused: [limit], newestDead: [limit], jobsAfter: [id, limit] },
	...{ intent: [token], saveIntent: [token, moment, doc], intentsAfter: [token, limit], dropIntent: [token] },
	...{ task: [task], saveTask: [task, fc.option(moment), doc], dropTask: [task], dueTasks: [moment, limit], nextTask: [], reruns: [limit] },
	...{ saveStart: [moment, moment, doc], lastStart: [], newestStarts: [limit], queueTimes: [limit], oldestStarts: [limit] },
	...{ dropStart: [id], setting: [setting], saveSetting: [setting, doc] },
};
const statement: fc.Arbitrary<Step> = fc
	.constantFrom(...(Object.keys(VALUES) as Name[]))
	.chain((name) => fc.tuple(...VALUES[name]).map((values) => ({ name, values })));
const { steps } = fc.letrec<{ steps: Step[] }>((tie) => ({
	steps: fc.array(
		fc.oneof(
			{ weight: 12, arbitrary: statement },
			{ weight: 1, arbitrary: fc.record({ within: tie("steps"), fails: fc.boolean() }) as fc.Arbitrary<Step> },
		),
		{ maxLength: 60, size: "max", depthIdentifier: "steps" },
	),
}));

/** Every answer, in order. A transaction that fails is rolled back, and what comes after it is asked of what was before. */
function answersOf(storage: Storage, asked: readonly Step[]): unknown[] {
	return asked.map((step) => {
		if ("name" in step) return [step.name, storage.sql(STATEMENTS[step.name], ...step.values)];
		const within: unknown[] = [];
		try {
			storage.transact(() => {
				within.push(...answersOf(storage, step.within));
				if (step.fails) throw new Error("rolled back");
			});
		} catch (error) {
			within.push(String(error));
		}
		return within;
	});
}

/** All that lies in the rows. */
const EVERYTHING: Step[] = [
	...(["openJobs", "highestJob", "nextTask", "lastStart"] as const).map((name): Step => ({ name, values: [] })),
	...(["newestJobs", "newestDone", "newestRefused", "newestDead", "newestStarts", "queueTimes", "oldestStarts", "reruns"] as const).map(
		(name): Step => ({ name, values: [-1] }),
	),
	...["launch-1", "launch-10", "i-1", "i-2"].flatMap((key): Step[] => [
		{ name: "jobBySeat", values: [key] },
		{ name: "jobBySpare", values: [key] },
	]),
	...[
		{ name: "jobsAfter" as const, values: [-3, -1] },
		{ name: "intentsAfter" as const, values: ["", -1] },
	],
	...[{ name: "dueTasks" as const, values: [100, -1] }],
];

function opened(open: () => Storage): Storage {
	const storage = open();
	for (const text of SCHEMA) storage.sql(text);
	return storage;
}

test("whatever statements are run, within transactions that fail or not, the maps answer as SQLite does", () => {
	let asked = new Set<Name>();
	fc.assert(
		fc.property(steps, (run) => {
			const all = [...run, ...EVERYTHING];
			for (const step of run) if ("name" in step) asked = asked.add(step.name);
			expect(answersOf(opened(openRows), all)).toEqual(answersOf(opened(openSqlite), all));
		}),
		{ numRuns: 300 },
	);
	expect([...asked].toSorted()).toEqual((Object.keys(STATEMENTS) as Name[]).toSorted());
}, 120_000);

test("a statement that is not the relay's is refused", () => {
	expect(() => openRows().sql("SELECT * FROM jobs")).toThrow("no answer to the statement SELECT * FROM jobs");
});

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8])
	test(`day ${seed} on maps is day ${seed} on SQLite, line by line`, async () => {
		const [maps, sqlite] = [await simulate(seed, { trace: true }), await simulate(seed, { trace: true, storage: openSqlite() })];
		expect(maps.trace.length).toBeGreaterThan(1000);
		expect(maps.trace.join("\n") === sqlite.trace.join("\n")).toBe(true);
		expect({ ...maps, trace: [] }).toEqual({ ...sqlite, trace: [] });
	}, 60_000);
