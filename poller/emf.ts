// Figures as CloudWatch reads them out of a log: the Embedded Metric Format
// (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html). Pure.

const NAMESPACE = "Mayfly";
/** Values of one metric in one document; metrics of one directive. */
const MOST_VALUES = 100;
const MOST_METRICS = 100;

/** What is told of a minute. `takes`: every value, their sum, the lowest, or the last; `by`: the dimension that parts it, beside the whole. */
export const METRICS = {
	QueueTime: { unit: "Milliseconds", takes: "each", by: "Source" },
	Launches: { unit: "Count", takes: "sum", by: "Market" },
	Errors: { unit: "Count", takes: "sum", by: "Class" },
	CapacityFallbacks: { unit: "Count", takes: "sum", by: null },
	RunnerDeprecated: { unit: "Count", takes: "last", by: null },
	RunnerDaysLeft: { unit: "None", takes: "least", by: null },
	JitCallsLeft: { unit: "Count", takes: "least", by: null },
	Ec2CallsLeft: { unit: "Count", takes: "least", by: null },
	GitHubRateLeft: { unit: "Count", takes: "least", by: null },
	Machines: { unit: "Count", takes: "last", by: null },
	OldestQueuedSeconds: { unit: "Seconds", takes: "last", by: null },
	Heartbeat: { unit: "Count", takes: "sum", by: null },
} as const;
export type MetricName = keyof typeof METRICS;

/** One thing that happened. `as` is the value of the metric's dimension, where it has one. */
export interface Note {
	name: MetricName;
	value: number;
	as?: string;
}
interface Figure {
	name: MetricName;
	values: number[];
}

function taken(name: MetricName, values: number[]): number[] {
	switch (METRICS[name].takes) {
		case "each":
			return values;
		case "sum":
			return [values.reduce((sum, value) => sum + value, 0)];
		case "least":
			return [Math.min(...values)];
		case "last":
			return values.slice(-1);
	}
}

function figuresOf(notes: readonly Note[]): Figure[] {
	const named = new Map<MetricName, number[]>();
	for (const { name, value } of notes) {
		if (!Number.isFinite(value)) continue;
		const values = named.get(name);
		if (values) values.push(value);
		else named.set(name, [value]);
	}
	return [...named].flatMap(([name, values]) => inParts(taken(name, values), MOST_VALUES).map((part) => ({ name, values: part })));
}

function inParts<T>(all: readonly T[], most: number): T[][] {
	return Array.from({ length: Math.ceil(all.length / most) }, (_, at) => all.slice(at * most, (at + 1) * most));
}

/** Figures for as many documents as the most often named one needs: a document has room for one of each name. */
function inDocuments(figures: readonly Figure[]): Figure[][] {
	const documents: Figure[][] = [];
	for (const figure of figures) {
		const free = documents.find((its) => its.length < MOST_METRICS && !its.some(({ name }) => name === figure.name));
		if (free) free.push(figure);
		else documents.push([figure]);
	}
	return documents;
}

interface Dimension {
	by: string;
	as: string;
}
function dimensionOf(name: MetricName, as: string): Dimension | null {
	const { by } = METRICS[name];
	return by === null ? null : { by, as };
}

function lineOf(figures: readonly Figure[], dimension: Dimension | null, stack: string, now: number): string {
	const Dimensions = [["Stack"], ...(dimension ? [["Stack", dimension.by]] : [])];
	const Metrics = figures.map(({ name }) => ({ Name: name, Unit: METRICS[name].unit }));
	return JSON.stringify({
		_aws: { Timestamp: now, CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions, Metrics }] },
		Stack: stack,
		...(dimension && { [dimension.by]: dimension.as }),
		...Object.fromEntries(figures.map(({ name, values: [first, ...more] }) => [name, more.length > 0 ? [first, ...more] : first])),
	});
}

/** The lines that tell these notes: one for all that is not parted, and one for each value of a dimension, since a document holds one value of each. */
export function emfLines(notes: readonly Note[], stack: string, now: number): string[] {
	const keyOf = ({ name, as }: Note) => (as === undefined || METRICS[name].by === null ? "" : `${METRICS[name].by} ${as}`);
	return [...Map.groupBy(notes, keyOf).values()].flatMap((its) => {
		const { name, as } = its[0] as Note;
		const dimension = as === undefined ? null : dimensionOf(name, as);
		return inDocuments(figuresOf(its)).map((figures) => lineOf(figures, dimension, stack, now));
	});
}
