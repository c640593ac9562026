// A CloudFormation template as text and as values: its short tags in their long form, and values put in without touching the rest of it. Pure.
import { type CollectionTag, isNode, parse, parseDocument, type ScalarTag } from "yaml";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface TemplateParameter {
	Type: string;
	Default?: string | number;
	Description?: string;
	AllowedPattern?: string;
	AllowedValues?: (string | number)[];
	ConstraintDescription?: string;
	MinLength?: number;
	MaxLength?: number;
	MinValue?: number;
	MaxValue?: number;
	NoEcho?: boolean | string;
}
export interface TemplateResource {
	Type: string;
	Properties?: Record<string, Json>;
}
/** A rule holds when its condition does not, or all of its assertions do. */
export interface TemplateRule {
	RuleCondition?: Json;
	Assertions: { Assert: Json; AssertDescription?: string }[];
}
export interface Template {
	Parameters?: Record<string, TemplateParameter>;
	Rules?: Record<string, TemplateRule>;
	Mappings?: Record<string, Record<string, Record<string, Json>>>;
	Resources: Record<string, TemplateResource>;
}

/** What the packaging meets in a template that it cannot work with: a fault of ours, not of the operator. */
export class TemplateError extends Error {
	constructor(template: string, reason: string) {
		super(`${template}: ${reason}`);
		this.name = "TemplateError";
	}
}

const FUNCTIONS = [
	...["Ref", "Condition", "Sub", "GetAtt", "ImportValue", "If", "Not", "And", "Or", "Equals", "Join", "Select", "Split", "Cidr"],
	...["FindInMap", "GetAZs", "Base64", "Contains", "EachMemberIn", "EachMemberEquals", "RefAll", "ValueOf", "ValueOfAll"],
];
const long = (name: string) => (name === "Ref" || name === "Condition" ? name : `Fn::${name}`);

const TAGS = FUNCTIONS.flatMap((name): (ScalarTag | CollectionTag)[] => [
	{ tag: `!${name}`, resolve: (text) => ({ [long(name)]: name === "GetAtt" ? text.split(".") : text }) },
	...(["seq", "map"] as const).map(
		(collection): CollectionTag => ({
			tag: `!${name}`,
			collection,
			resolve: (node) => ({ [long(name)]: (node as unknown as { toJSON(): Json }).toJSON() }) as never,
		}),
	),
]);

/** A template's values. Throws a TemplateError for a text that is none. */
export function readTemplate(name: string, text: string): Template {
	let value: unknown;
	try {
		value = parse(text, { customTags: TAGS, logLevel: "error" });
	} catch (error) {
		throw new TemplateError(name, error instanceof Error ? error.message : String(error));
	}
	if (typeof value !== "object" || value === null || !("Resources" in value)) throw new TemplateError(name, "has no Resources");
	return value as Template;
}

export interface Edit {
	path: string[];
	value: Json;
}

/** The same text with other values at some places. JSON is YAML, in a flow and in a block. Throws a TemplateError for a place that is not there. */
export function withValues(name: string, text: string, edits: readonly Edit[]): string {
	const document = parseDocument(text, { logLevel: "silent" });
	const places = edits.map(({ path, value }) => {
		const node = document.getIn(path, true);
		const range = isNode(node) ? node.range : null;
		if (!range) throw new TemplateError(name, `there is no ${path.join(".")}`);
		return { from: range[0], to: range[1], value };
	});
	return places
		.toSorted((one, other) => other.from - one.from)
		.reduce((whole, { from, to, value }) => `${whole.slice(0, from)}${JSON.stringify(value)}${whole.slice(to)}`, text);
}
