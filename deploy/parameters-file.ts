// The file of --parameters: names and values, as YAML or JSON, or the list that the aws command reads and writes. Pure.
import { parseDocument } from "yaml";

export type ParametersReading = { ok: true; values: Record<string, string> } | { ok: false; reason: string };

const isValue = (value: unknown): value is string | number | boolean => ["string", "number", "boolean"].includes(typeof value);
/** A list of texts stands for one text with commas, as CloudFormation has it. */
const written = (value: unknown): string | null => {
	if (Array.isArray(value)) return value.every(isValue) ? value.map(String).join(",") : null;
	return isValue(value) ? String(value) : null;
};

export function readParametersFile(text: string): ParametersReading {
	const document = parseDocument(text, { prettyErrors: false, logLevel: "error" });
	const [first] = document.errors;
	if (first) return { ok: false, reason: `line ${text.slice(0, first.pos[0]).split("\n").length}: ${first.message}` };
	const value: unknown = document.toJS();
	const entries = Array.isArray(value) ? value.map(entryOf) : Object.entries(Object(value));
	if (value === null || typeof value !== "object" || entries.includes(null))
		return { ok: false, reason: "is neither {Parameter: value} nor a list of {ParameterKey, ParameterValue}" };
	const pairs = (entries as [string, unknown][]).map(([name, given]) => [name, written(given)] as const);
	const wrong = pairs.filter(([, given]) => given === null).map(([name]) => name);
	if (wrong.length > 0) return { ok: false, reason: `${wrong.join(", ")}: not a text, a number or a list of them` };
	return { ok: true, values: Object.fromEntries(pairs) as Record<string, string> };
}

function entryOf(entry: unknown): [string, unknown] | null {
	const { ParameterKey, ParameterValue } = Object(entry) as Record<string, unknown>;
	return typeof ParameterKey === "string" ? [ParameterKey, ParameterValue] : null;
}
