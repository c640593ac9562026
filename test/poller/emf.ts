// Reads lines of the Embedded Metric Format as CloudWatch would, and says what is wrong with them.
import Ajv from "ajv";
import schema from "./emf-schema.json";

interface Document {
	_aws: {
		Timestamp: number;
		CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }[];
	};
	[member: string]: unknown;
}
/** One value as CloudWatch would store it. */
export interface Datum {
	name: string;
	unit: string;
	/** `Stack=test,Source=webhook`. */
	dimensions: string;
	value: number;
}

const isDocument = new Ajv({ strict: true, allErrors: true, strictTypes: false }).compile(schema);
const EVENT_BYTES = 256 * 1024;

/** Why CloudWatch would not take a line, or take less of it than was meant. */
export function problemsOf(line: string): string[] {
	if (line.includes("\n")) return ["more than one line"];
	if (Buffer.byteLength(line) > EVENT_BYTES) return ["longer than a log event"];
	const read = JSON.parse(line) as Document;
	if (!isDocument(read)) return (isDocument.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
	return read._aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) => {
		const names = Metrics.map(({ Name }) => Name);
		const doubled = names.filter((name, at) => names.indexOf(name) !== at);
		const unnamed = Dimensions.flat().filter((name) => typeof read[name] !== "string");
		const valueless = names.filter((name) => typeof read[name] === "string" || read[name] === undefined);
		return [...doubled.map((it) => `${it} twice`), ...unnamed.map((it) => `no ${it}`), ...valueless.map((it) => `no value of ${it}`)];
	});
}

/** What CloudWatch would store. */
export function dataOf(lines: readonly string[]): Datum[] {
	return lines.flatMap((line) => {
		const read = JSON.parse(line) as Document;
		return read._aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) =>
			Dimensions.flatMap((set) =>
				Metrics.flatMap(({ Name: name, Unit: unit }) =>
					[read[name]].flat().map((value) => ({
						...{ name, unit, value: value as number },
						dimensions: set.map((dimension) => `${dimension}=${read[dimension]}`).join(","),
					})),
				),
			),
		);
	});
}

/** The values of one metric in one set of dimensions. */
export function valuesOf(lines: readonly string[], name: string, dimensions: string): number[] {
	return dataOf(lines).flatMap((datum) => (datum.name === name && datum.dimensions === dimensions ? [datum.value] : []));
}
