// A CloudFormation template as CloudFormation reads it: its short tags, and what it comes to for given parameters (functions.ts), nested stacks with it.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type CollectionTag, parse, type ScalarTag } from "yaml";
import { carryOut, type Json, NOTHING } from "./functions.ts";

export interface Parameter {
	Type: string;
	Default?: Json;
	AllowedPattern?: string;
	AllowedValues?: Json[];
	MinValue?: number;
	MaxValue?: number;
}
export interface Resource {
	Type: string;
	Properties?: Record<string, Json>;
	Condition?: string;
	[key: string]: unknown;
}
export interface Template {
	Description: string;
	Metadata?: Record<string, unknown>;
	Parameters: Record<string, Parameter>;
	Rules?: Record<string, { RuleCondition?: Json; Assertions: { Assert: Json; AssertDescription: string }[] }>;
	Mappings?: Record<string, Record<string, Record<string, Json>>>;
	Conditions?: Record<string, Json>;
	Resources: Record<string, Resource>;
	Outputs?: Record<string, { Value: Json; Condition?: string }>;
}
export interface Rendered {
	resources: Template["Resources"];
	outputs: Record<string, Json>;
	/** Nested stacks by the names of their resources. */
	stacks: Record<string, Rendered>;
}

const FOLDER = join(import.meta.dir, "..", "..", "cloudformation");
const SCALARS = ["Ref", "Sub", "GetAtt", "Condition", "ImportValue", "GetAZs"];
const LISTS = ["Sub", "If", "Not", "And", "Or", "Equals", "Join", "Select", "Split", "Cidr", "FindInMap", "GetAZs", "Contains"];
const long = (name: string) => (name === "Ref" || name === "Condition" ? name : `Fn::${name}`);

const scalarTags = SCALARS.map(
	(name): ScalarTag => ({
		tag: `!${name}`,
		resolve: (text) => ({ [long(name)]: name === "GetAtt" ? text.split(".") : text }),
	}),
);
const listTags = LISTS.map(
	(name): CollectionTag => ({
		tag: `!${name}`,
		collection: "seq",
		resolve: (seq) => ({ [long(name)]: (seq as unknown as { toJSON(): Json }).toJSON() }) as never,
	}),
);

const read = new Map<string, Template>();

/** A template by its name in cloudformation/. The same object each time: whoever changes it takes a copy. */
export function readTemplate(name: string): Template {
	const text = () => readFileSync(join(FOLDER, `${name}.yaml`), "utf8");
	const template = read.get(name) ?? (parse(text(), { customTags: [...scalarTags, ...listTags] }) as Template);
	read.set(name, template);
	return template;
}

/** What stands for the stack and its account. */
export const PSEUDO: Record<string, Json> = {
	"AWS::Partition": "aws",
	"AWS::Region": "eu-west-1",
	"AWS::AccountId": "111122223333",
	"AWS::URLSuffix": "amazonaws.com",
	"AWS::StackName": "mayfly",
};

function valuesOf(template: Template, given: Record<string, Json>): Record<string, Json> {
	const strays = Object.keys(given).filter((name) => !Object.hasOwn(template.Parameters, name));
	if (strays.length > 0) throw new Error(`there is no parameter ${strays.join(", ")}`);
	return Object.fromEntries(
		Object.entries(template.Parameters).map(([name, { Type, Default }]) => {
			const value = given[name] ?? Default;
			if (value === undefined) throw new Error(`the parameter ${name} has no value`);
			return [name, /List/.test(Type) && typeof value === "string" ? value.split(",") : value];
		}),
	);
}

/**
 * A template with every function carried out. A resource is known by its name, with its nested stack's before it, and its attributes as
 * `<name>.<attribute>`. Throws for what CloudFormation would not take: an unknown function, a reference to nothing or to what a condition leaves out.
 */
export function render(template: Template, given: Record<string, Json>, within = ""): Rendered {
	const parameters = valuesOf(template, given);
	const stacks: Record<string, Rendered> = {};
	const isKept = ({ Condition }: { Condition?: string }) => Condition === undefined || isTrue(Condition);
	const resourceOf = (name: string): Resource => {
		const resource = template.Resources[name];
		if (!resource || !isKept(resource)) throw new Error(`${within || "the template"} refers to ${name}, which is not there`);
		return resource;
	};
	const isTrue = (name: string): boolean => {
		const condition = template.Conditions?.[name];
		if (condition === undefined) throw new Error(`there is no condition ${name}`);
		return Boolean(value(condition));
	};
	const stackOf = (name: string): Rendered => {
		const { TemplateURL, Parameters = {} } = resourceOf(name).Properties ?? {};
		const nested = readTemplate(basename(String(TemplateURL), ".yaml"));
		stacks[name] ??= render(nested, value(Parameters) as Record<string, Json>, `${within}${name}-`);
		return stacks[name];
	};
	const scope = {
		isTrue,
		ref(name: string): Json | typeof NOTHING {
			if (name === "AWS::NoValue") return NOTHING;
			const known = parameters[name] ?? PSEUDO[name];
			return known ?? (resourceOf(name) && `${within}${name}`);
		},
		attribute(name: string, path: string): Json {
			if (resourceOf(name).Type !== "AWS::CloudFormation::Stack") return `${within}${name}.${path}`;
			const output = stackOf(name).outputs[path.replace(/^Outputs\./, "")];
			if (output === undefined) throw new Error(`${name} has no ${path}`);
			return output;
		},
		find(map: string, first: string, second: string): Json {
			const found = template.Mappings?.[map]?.[first]?.[second];
			if (found === undefined) throw new Error(`${map} has no ${first}.${second}`);
			return found;
		},
	};
	const value = (node: Json): unknown => carryOut(node, scope);
	const kept = Object.entries(template.Resources).filter(([, resource]) => isKept(resource));
	const outputs = Object.entries(template.Outputs ?? {}).filter(([, output]) => isKept(output));
	const resources = Object.fromEntries(kept.map(([name, resource]) => [name, value(resource as unknown as Json)])) as Template["Resources"];
	for (const [name, { Type }] of kept) if (Type === "AWS::CloudFormation::Stack") stackOf(name);
	return { resources, stacks, outputs: Object.fromEntries(outputs.map(([name, { Value }]) => [name, value(Value) as Json])) };
}
