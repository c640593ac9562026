// What is watched: every alarm against the code that writes its figure, and its page in the runbook; the dashboard.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { JOB_STATES } from "../../contract/job.ts";
import { parseSwitchChange } from "../../contract/switches.ts";
import { METRICS } from "../../poller/emf.ts";
import { GIVEN, namesOf, propertiesOf, resources, resourcesOf } from "./watched.ts";

interface Dimension {
	Name: string;
	Value: string;
}
interface Figure {
	Namespace: string;
	MetricName: string;
	Dimensions?: Dimension[];
}
/** The figures that an alarm reads. */
function figuresOf(alarm: string): Figure[] {
	const { Metrics, Namespace, MetricName, Dimensions } = propertiesOf(alarm);
	if (!Metrics) return [{ Namespace, MetricName, Dimensions }];
	return (Metrics as { MetricStat?: { Metric: Figure } }[]).flatMap(({ MetricStat }) => (MetricStat ? [MetricStat.Metric] : []));
}
const alarms = namesOf("AWS::CloudWatch::Alarm");
const counted = namesOf("AWS::Logs::MetricFilter").map((name) => propertiesOf(name).MetricTransformations[0].MetricName as string);

const root = join(import.meta.dir, "..", "..");
const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const anchor = (heading: string) =>
	heading
		.toLowerCase()
		.replace(/[^a-z0-9 -]/g, "")
		.replaceAll(" ", "-");
const CLASSES = [...read("docs", "watching.md").matchAll(/^\| ((?:`[a-z0-9-]+`,? ?)+) *\|/gm)].flatMap(([, cell]) =>
	[...(cell ?? "").matchAll(/`([a-z0-9-]+)`/g)].map((match) => String(match[1])),
);

describe("the alarms", () => {
	test("there is one for each thing that issue and design name", () => {
		expect(alarms.toSorted()).toEqual(
			[
				...["TooManyLaunches", "PollerSilent", "RelaySilent", "JobsWait", "JobsDied", "JobsRefused", "BootsFail"],
				...["Ec2Quota", "Ec2Throttled", "Ec2Refused", "Ec2Unknown", "EgressCut", "DnsCut", "MailboxGrows", "RunnerOld", "RunnerDeprecated"],
				...[
					"GitHubLow",
					"GatewayOneDown",
					"GatewayTwoDown",
					"GatewayThreeDown",
					"GatewayReplaced",
					"GatewayRefuses",
					"PollerFails",
					"PollerCutOff",
				],
			].toSorted(),
		);
		expect(namesOf("AWS::Budgets::Budget")).toHaveLength(1);
	});

	test.each(alarms)("%s tells the topic, and reads a figure that somebody writes", (name) => {
		expect(propertiesOf(name).AlarmActions).toEqual(["Topic"]);
		for (const { Namespace, MetricName, Dimensions = [] } of figuresOf(name)) {
			const by = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));
			if (Namespace === "Mayfly/prod") {
				expect(counted).toContain(MetricName);
				expect(by).toEqual({});
			} else if (Namespace === "Mayfly") {
				expect(Object.keys(METRICS)).toContain(MetricName);
				const { Stack, ...parts } = by;
				expect(Stack).toBe("prod");
				const part = METRICS[MetricName as keyof typeof METRICS].by;
				expect([[], [part]]).toContainEqual(Object.keys(parts) as never);
				if (part === "Class") expect(CLASSES).toContain(parts.Class ?? "");
			} else
				expect(Object.keys(by)).toContain(
					{ "AWS/S3": "BucketName", "AWS/EC2": "InstanceId", "AWS/Lambda": "FunctionName" }[Namespace] ?? "",
				);
		}
	});

	test("silence of the poller and of a gateway is an alarm, and of nothing else", () => {
		const silent = alarms.filter((name) => propertiesOf(name).TreatMissingData === "breaching");
		expect(silent.toSorted()).toEqual(["GatewayOneDown", "GatewayThreeDown", "GatewayTwoDown", "PollerSilent"]);
		for (const name of alarms) expect(["breaching", "notBreaching"]).toContain(propertiesOf(name).TreatMissingData);
	});

	test("their bars are the operator's, in the units that he gives them", () => {
		expect(propertiesOf("TooManyLaunches")).toMatchObject({ Threshold: 500, Period: 3600, Statistic: "Sum" });
		expect(propertiesOf("JobsWait").Threshold).toBe(10);
		expect(propertiesOf("JobsWait").Metrics[0]).toMatchObject({ Expression: "oldest / 60", ReturnData: true });
		expect(propertiesOf("RunnerOld")).toMatchObject({ Threshold: 9, ComparisonOperator: "LessThanThreshold" });
	});

	test("an open egress has no alarms about what is cut, and a stack without mail, budget or gateways none of those", () => {
		const bare = resourcesOf({ ...GIVEN, EgressMode: "open", AlarmEmail: "", DailyBudgetUsd: 0, GatewayOne: "", GatewayThree: "" });
		const gone = Object.keys(resources).filter((name) => !(name in bare));
		expect(gone.toSorted()).toEqual(["DailyBudget", "DnsCut", "EgressCut", "GatewayOneDown", "GatewayThreeDown", "Mail"]);
	});
});

describe("the runbook", () => {
	const text = read("docs", "operate.md");
	const section = text.slice(text.indexOf("\n## Alarms"), text.indexOf("\n## Routine"));
	const headings = [...section.matchAll(/^### (.+)$/gm)].map(([, heading]) => anchor(heading ?? ""));
	const linked = alarms.map((name) => /docs\/operate\.md#([a-z0-9-]+)$/.exec(propertiesOf(name).AlarmDescription)?.[1] ?? name);
	const budget = propertiesOf("DailyBudget").Budget.BudgetName.replace("prod-eu-west-1-", "");

	test("has a heading for every alarm, and no heading without one", () => {
		expect(headings).not.toHaveLength(0);
		expect([...new Set([...linked, budget])].toSorted()).toEqual(headings.toSorted());
	});

	test("is found by an alarm's name as well", () => {
		const names = alarms.map((name) => (propertiesOf(name).AlarmName as string).replace(/^prod-/, "").replace(/-[1-3]$/, ""));
		expect(names).toEqual(linked);
	});

	test("says under every heading what to look at, by a command, and what to do", () => {
		const parts = section.split(/^### /m).slice(1);
		for (const part of parts) {
			expect(part).toMatch(/\n```sh\n/);
			expect([part.split("\n")[0], part.includes("\n**Look**"), part.includes("**Do**")]).toEqual([part.split("\n")[0], true, true]);
		}
	});
});

describe("the runbook's commands", () => {
	const text = read("docs", "operate.md");
	const sources = readdirSync(join(root, "poller"))
		.filter((name) => name.endsWith(".ts"))
		.map((name) => read("poller", name))
		.join("");

	test("are what a shell can read", () => {
		const blocks = [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map((match) => match[1] ?? "");
		expect(blocks.length).toBeGreaterThan(alarms.length);
		for (const block of blocks) {
			const { exitCode, stderr } = Bun.spawnSync(["bash", "-n"], { stdin: Buffer.from(block) });
			expect([exitCode, stderr.toString()]).toEqual([0, ""]);
		}
	});

	test("look for messages that the poller writes", () => {
		const messages = [...text.matchAll(/\$\.msg = "([^"]+)"/g)].map((match) => match[1] ?? "");
		expect(messages.length).toBeGreaterThan(5);
		expect(messages.filter((message) => !sources.includes(`"${message}"`))).toEqual([]);
	});

	test("call what the relay has", () => {
		const routes = read("relay", "routes.ts");
		const calls = [...text.matchAll(/relay '?\/([a-z]+)/g)].map((match) => match[1] ?? "");
		expect(calls.length).toBeGreaterThan(5);
		expect([...new Set(calls)].filter((call) => !routes.includes(`"/${call}`))).toEqual([]);
		const states = [...text.matchAll(/state=([a-z]+)/g)].map((match) => match[1]);
		expect(states.filter((state) => !(JOB_STATES as readonly unknown[]).includes(state))).toEqual([]);
		const turned = [...text.matchAll(/\/switches -d '(\{.*?\})'/g)].map((match) => parseSwitchChange(JSON.parse(match[1] ?? "")).ok);
		expect(turned).toEqual(turned.map(() => true));
	});
});

describe("the topic", () => {
	test("takes messages from this account's alarms and budget, and mails them", () => {
		const [statement, ...more] = propertiesOf("TopicPolicy").PolicyDocument.Statement;
		expect(more).toEqual([]);
		expect(statement).toMatchObject({
			Principal: { Service: ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] },
			Action: "sns:Publish",
			Resource: "Topic",
			Condition: { StringEquals: { "aws:SourceAccount": "111122223333" } },
		});
		expect(propertiesOf("Mail")).toEqual({ TopicArn: "Topic", Protocol: "email", Endpoint: "ops@example.com" });
	});

	test("hears of the day's money, counted by the stack's tag", () => {
		const { Budget, NotificationsWithSubscribers } = propertiesOf("DailyBudget");
		expect(Budget).toMatchObject({ TimeUnit: "DAILY", BudgetLimit: { Amount: 50, Unit: "USD" } });
		expect(Budget.CostFilters).toEqual({ Region: ["eu-west-1"], TagKeyValue: ["user:mayfly:stack$prod"] });
		expect(NotificationsWithSubscribers[0].Subscribers).toEqual([{ SubscriptionType: "SNS", Address: "Topic" }]);
	});
});

describe("the dashboard", () => {
	const body = JSON.parse(propertiesOf("Dashboard").DashboardBody) as { widgets: { type: string; properties: Record<string, unknown> }[] };

	test("is JSON once its names are filled in, and shows figures that somebody writes", () => {
		const named = body.widgets.flatMap(({ properties }) => (properties.metrics ?? []) as unknown[][]);
		for (const [namespace, metric, dimension] of named) {
			if (namespace === "Mayfly") expect([Object.hasOwn(METRICS, String(metric)), dimension, metric]).toEqual([true, "Stack", metric]);
			if (namespace === "Mayfly/prod") expect(counted).toContain(metric as string);
		}
		expect(JSON.stringify(body)).not.toContain("${");
	});

	test("shows every figure of the poller", () => {
		const text = JSON.stringify(body);
		const hidden = Object.keys(METRICS).filter((name) => !text.includes(`"${name}"`) && !text.includes(`\\"${name}\\"`));
		expect(hidden).toEqual(["RunnerDeprecated"]);
	});

	test("has few enough figures to be free", () => {
		expect(body.widgets.flatMap(({ properties }) => (properties.metrics ?? []) as unknown[]).length).toBeLessThan(50);
	});
});
