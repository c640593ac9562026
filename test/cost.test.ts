// `bun run cost`, as it is run, and docs/cost.md, which shows its table.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { monthlyCost } from "../bench/poller/monthly-cost.ts";
import { countsOf } from "../build/cost-counts.ts";
import table from "../build/cost-prices.json";
import { METRICS } from "../poller/emf.ts";

const root = join(import.meta.dir, "..");
const templates = ["observability", "alarms"].map((name) => readFileSync(join(root, "cloudformation", `${name}.yaml`), "utf8"));

async function cost(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
	const child = Bun.spawn([process.execPath, join(root, "build", "cost.ts"), ...argv], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	return { code, out, err };
}
interface Item {
	name: string;
	usd: number;
	free: number;
}
interface Answer {
	stack: Item[];
	jobs: Item[];
	total: { stack: number; idle: number; jobs: number; free: number };
}
async function bill(...argv: string[]): Promise<Answer> {
	return JSON.parse((await cost("--json", ...argv)).out) as Answer;
}
const usdOf = ({ stack, jobs }: Answer, name: string) => [...stack, ...jobs].find((it) => it.name.startsWith(name))?.usd ?? Number.NaN;

describe("the table", () => {
	test("in docs/cost.md is the one that the command prints", async () => {
		const text = readFileSync(join(root, "docs", "cost.md"), "utf8");
		const shown = /<!-- bun run cost --markdown -->\n\n([\s\S]*?)\n\n<!-- the end of it -->/.exec(text)?.[1];
		expect(shown).toBe((await cost("--markdown")).out.trimEnd());
	});

	test("adds up", async () => {
		const { stack, jobs, total } = await bill();
		const sum = (items: Item[]) => items.reduce((all, { usd }) => all + usd, 0);
		expect(total.stack).toBeCloseTo(sum(stack), 6);
		expect(total.jobs).toBeCloseTo(sum(jobs), 6);
		expect(total.idle).toBeLessThan(total.stack);
		for (const { usd, free } of stack) expect(free).toBeLessThanOrEqual(usd);
	});

	test("has the poller at what decision 0009 says", async () => {
		const answer = await bill();
		expect(usdOf(answer, "Poller")).toBeCloseTo(21.91, 2);
		expect(usdOf(answer, "Poller")).toBeCloseTo(monthlyCost(640), 6);
		expect(answer.stack[0]?.free).toBeCloseTo(5.33, 1);
	});
});

describe("the figures", () => {
	test("are nothing for machines without jobs, and the stack's all the same", async () => {
		const answer = await bill("--jobs-per-month", "0");
		expect(answer.total.jobs).toBe(0);
		expect(answer.total.idle).toBeCloseTo(answer.total.stack, 6);
		expect(answer.total.stack).toBeGreaterThan(40);
	});

	test("grow with the zones by a gateway, an address and an alarm each", async () => {
		const [one, two, three] = await Promise.all(["1", "2", "3"].map((zones) => bill("--zones", zones)));
		if (!one || !two || !three) throw new Error("no answer");
		for (const name of ["Egress gateways", "Public addresses", "Alarms"])
			expect(usdOf(three, name) - usdOf(two, name)).toBeCloseTo(usdOf(two, name) - usdOf(one, name), 6);
		expect(usdOf(two, "Public addresses")).toBeCloseTo(7.3, 6);
	});

	test("are of the types, minutes and region that are asked for", async () => {
		const [home, away] = await Promise.all([bill(), bill("--region", "eu-west-1", "--minutes", "12", "--job-type", "m8g.large")]);
		expect(usdOf(away, "Machines") / usdOf(home, "Machines")).toBeCloseTo(2 * 1.117, 2);
		expect(usdOf(await bill("--jobs-per-month", "200000"), "Relay")).toBe(5);
		expect(usdOf(await bill("--jobs-per-month", "200000", "--cloudflare", "free"), "Relay")).toBe(0);
	});

	test("count the alarms that the template has and the metrics that the poller writes", () => {
		const types = templates.flatMap((text) =>
			Object.values((parseDocument(text, { logLevel: "silent" }).toJS() as { Resources: object }).Resources),
		);
		const alarms = types.filter((it: { Type: string }) => it.Type === "AWS::CloudWatch::Alarm").length;
		const counts = countsOf(templates.join("\n"));
		expect(counts.alarms + 3).toBe(alarms);
		expect(counts.dashboards).toBe(1);
		expect(counts.steadyMetrics + counts.jobMetrics).toBeGreaterThan(Object.keys(METRICS).length);
	});
});

describe("the prices", () => {
	test("say where each was read, and which were not", () => {
		for (const { usd, source, read } of Object.values(table.prices)) {
			expect(["vendor", "third", "memory"]).toContain(read);
			expect(usd).toBeGreaterThanOrEqual(0);
			expect(source === "none").toBe(read === "memory");
		}
	});

	test("that nobody read are named below the table", async () => {
		const { out } = await cost();
		const remembered = Object.entries(table.prices).filter(([, { read }]) => read === "memory");
		for (const [name] of remembered) expect(out).toContain(name);
	});
});

describe("the command", () => {
	test.each([
		[["--zones", "4"], "--zones is 1, 2 or 3, not 4"],
		[["--zones", "0"], "zones"],
		[["--gateway-type", "t9g.small"], "gateway-type"],
		[["--job-type", ""], "job-type"],
		[["--jobs-per-month", "-1"], "jobs-per-month"],
		[["--minutes", "NaN"], "minutes"],
		[["--region", "mars-north-1"], "region"],
		[["--cloudflare", "pro"], "cloudflare"],
		[["--json", "--markdown"], "--markdown"],
		[["--nothing"], "nothing"],
		[["extra"], "extra"],
	])("refuses %j and says why", async (argv, word) => {
		const { code, out, err } = await cost(...argv);
		expect([code, out]).toEqual([2, ""]);
		expect(err).toContain(word);
	});

	test("shows how it is used", async () => {
		const { code, out } = await cost("--help");
		expect(code).toBe(0);
		expect(out).toContain("usage: bun run cost");
	});
});
