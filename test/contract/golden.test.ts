// Every message that crosses a process boundary, as JSON on disk: what one version wrote, the next must still read.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { parseBootDocument } from "../../contract/boot.ts";
import { parseEgressDocument } from "../../contract/egress.ts";
import { parseHealth } from "../../contract/health.ts";
import { JOB_STATES, parseJobDetail, parseJobEvent, parseJobList, parseRefusal, parseWebhookAnswer } from "../../contract/job.ts";
import { parseLeaseAnswer, parseLeaseRequest } from "../../contract/lease.ts";
import { parseObserveAnswer, parseObserveRequest } from "../../contract/observe.ts";
import type { Parsed } from "../../contract/parse.ts";
import { parseReport, REPORT_PHASES } from "../../contract/report.ts";
import { parseGrant, parseRule } from "../../contract/rule.ts";
import { Outcome, parseSettleAnswer, parseSettleRequest } from "../../contract/settle.ts";
import { parseStartList } from "../../contract/start.ts";
import { parseStats } from "../../contract/stats.ts";
import { parseSwitchChange, parseSwitches } from "../../contract/switches.ts";

const folder = new URL("./golden/", import.meta.url);
const parsers: Record<string, (input: unknown) => Parsed<unknown>> = {
	"job-event": parseJobEvent,
	"webhook-answer": parseWebhookAnswer,
	refusal: parseRefusal,
	"job-list": parseJobList,
	"job-detail": parseJobDetail,
	"lease-request": parseLeaseRequest,
	"lease-answer": parseLeaseAnswer,
	"settle-request": parseSettleRequest,
	"settle-answer": parseSettleAnswer,
	"observe-request": parseObserveRequest,
	"observe-answer": parseObserveAnswer,
	report: parseReport,
	"start-list": parseStartList,
	stats: parseStats,
	switches: parseSwitches,
	"switch-change": parseSwitchChange,
	health: parseHealth,
	rule: parseRule,
	grant: parseGrant,
	"boot-document": parseBootDocument,
	"egress-document": parseEgressDocument,
};
const names = readdirSync(folder).map((name) => name.replace(/\.json$/, ""));
const read = (name: string): Record<string, unknown> => JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
const parserFor = (name: string) => parsers[name.split(".")[0] ?? ""];

describe("golden examples", () => {
	for (const name of names) {
		test(`${name} is read whole and unchanged`, () => {
			const example = read(name);
			expect(parserFor(name)?.(example)).toEqual({ ok: true, value: example });
		});

		test(`${name} is read with a field that this build does not know, which is dropped`, () => {
			const example = read(name);
			expect(parserFor(name)?.({ ...example, addedLater: { by: "a newer version" } })).toEqual({ ok: true, value: example });
		});
	}

	test("what a version before wrote, without the source of a job and the price of a machine, is read as it was meant", () => {
		const lease = read("lease-answer.launch") as { work: Record<string, unknown>[] };
		const [{ source: _, ...item } = {}] = lease.work;
		expect(parseLeaseAnswer({ ...lease, work: [item] })).toMatchObject({ ok: true, value: { work: [{ source: "webhook" }] } });
		const { cost: __, ...detail } = read("job-detail.running");
		const { usdPerHour: ___, ...machine } = detail.machine as Record<string, unknown>;
		const older = parseJobDetail({ ...detail, machine });
		expect(older.ok && [older.value.cost, older.value.machine]).toEqual([null, machine as never]);
	});

	test("every message has an example", () => {
		const shown = new Set(names.map((name) => name.split(".")[0]));
		expect(Object.keys(parsers).filter((name) => !shown.has(name))).toEqual([]);
	});

	test("every outcome, work item kind and report phase has an example", () => {
		const outcomes = Outcome.options.map((option) => option.entries.outcome.literal);
		const settled = names
			.filter((name) => name.startsWith("settle-request."))
			.map((name) => (read(name) as { results: { outcome: string }[] }).results[0]?.outcome);
		expect(settled.toSorted()).toEqual(outcomes.toSorted());
		const kinds = names
			.filter((name) => name.startsWith("lease-answer."))
			.flatMap((name) => (read(name) as { work: { kind: string }[] }).work.map((item) => item.kind));
		expect([...new Set(kinds)].toSorted()).toEqual(["check", "launch", "rerun", "terminate"]);
		const phases = names.filter((name) => name.startsWith("report.")).map((name) => read(name).phase);
		expect(phases.toSorted()).toEqual([...REPORT_PHASES].toSorted());
		expect(JOB_STATES).toHaveLength(8);
	});
});
