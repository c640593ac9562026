// What of the bill is decided by the templates and the poller: counted there, so that the table does not grow old. Pure.
import { METRICS, type MetricName } from "../poller/emf.ts";
import type { Counts } from "./cost-items.ts";

/** Written every minute by whoever serves. */
const STEADY: MetricName[] = ["Heartbeat", "OldestQueuedSeconds", "JitCallsLeft", "Ec2CallsLeft", "GitHubRateLeft", "Machines"];
/** How many values of its dimension a metric has in an hour with jobs: some classes of errors, not all thirteen. */
const PARTS = { Source: 1, Market: 2, Class: 4 };

/** Each metric is billed once as a whole and once for each value of its dimension. Filters' metrics only in hours in which something matched. */
function metricsOf(template: string): Pick<Counts, "steadyMetrics" | "jobMetrics"> {
	const names = Object.keys(METRICS) as MetricName[];
	const steady = names.filter((name) => STEADY.includes(name) || name === ("RunnerDaysLeft" as string));
	const parts = names.map((name) => METRICS[name].by).map((by) => (by === null ? 0 : PARTS[by]));
	const filters = (template.match(/^ {4}Type: AWS::Logs::MetricFilter$/gm) ?? []).length;
	const rare = 1; // RunnerDeprecated
	return {
		steadyMetrics: steady.length,
		jobMetrics: names.length - steady.length - rare + parts.reduce((sum, much) => sum + much, 0) + filters,
	};
}

/** Counts in observability.yaml and alarms.yaml, as text: an alarm or a dashboard is one resource. */
export function countsOf(template: string): Counts {
	const resources = template.split(/^ {2}(?=[A-Z][A-Za-z0-9]*:$)/m);
	const alarms = resources.filter((text) => text.includes("Type: AWS::CloudWatch::Alarm"));
	return {
		alarms: alarms.filter((text) => !/^Gateway(One|Two|Three)Down:/.test(text)).length,
		dashboards: resources.filter((text) => text.includes("Type: AWS::CloudWatch::Dashboard")).length,
		...metricsOf(template),
	};
}
