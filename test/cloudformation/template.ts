// A CloudFormation template as CloudFormation reads it: its short tags, and what they come to for given parameters. Knows the functions that ours use.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CollectionTag, parse, type ScalarTag } from "yaml";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export interface Template {
	Parameters: Record<string, { Type: string; Default?: Json }>;
	Conditions?: Record<string, Json>;
	Resources: Record<string, { Type: string; Properties?: Record<string, Json>; Condition?: string; [key: string]: unknown }>;
	Outputs?: Record<string, { Value: Json }>;
}

const FOLDER = join(import.meta.dir, "..", "..", "cloudformation");
const SCALARS = ["Ref", "Sub", "GetAtt", "Condition", "ImportValue"];
const LISTS = ["Sub", "If", "Not", "And", "Or", "Equals", "Join", "Select", "Split", "Cidr", "FindInMap", "GetAZs"];
const long = (name: string) => (name === "Ref" || name === "Condition" ? name : `Fn::${name}`);

const scalarTags = [...SCALARS, "GetAZs"].map(
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

/** A template by its name in cloudformation/. */
export function readTemplate(name: string): Template {
	return parse(readFileSync(join(FOLDER, `${name}.yaml`), "utf8"), { customTags: [...scalarTags, ...listTags] }) as Template;
}

/** What stands for the stack and its account. */
export const PSEUDO: Record<string, Json> = {
	"AWS::Partition": "aws",
	"AWS::Region": "eu-west-1",
	"AWS::AccountId": "111122223333",
	"AWS::URLSuffix": "amazonaws.com",
	"AWS::StackName": "mayfly",
};
const NOTHING = Symbol("AWS::NoValue");

/** Parts of a template with every function carried out. Attributes of resources become `<resource>.<attribute>`, and references to them their names. Throws for a function it does not know. */
export function render(template: Template, given: Record<string, Json>): { resources: Template["Resources"] } {
	const parameters: Record<string, Json> = Object.fromEntries(
		Object.entries(template.Parameters).map(([name, { Type, Default }]) => {
			const value = given[name] ?? Default;
			if (value === undefined) throw new Error(`the parameter ${name} has no value`);
			return [name, /List/.test(Type) && typeof value === "string" ? value.split(",") : value];
		}),
	);
	const ref = (name: string): Json | typeof NOTHING => {
		if (name === "AWS::NoValue") return NOTHING;
		const value = parameters[name] ?? PSEUDO[name];
		if (value !== undefined) return value;
		if (Object.hasOwn(template.Resources, name)) return name;
		throw new Error(`!Ref ${name} refers to nothing`);
	};
	const isTrue = (name: string): boolean => Boolean(value(template.Conditions?.[name] ?? false));
	const functions: Record<string, (argument: Json) => unknown> = {
		Ref: (name) => ref(String(name)),
		Condition: (name) => isTrue(String(name)),
		"Fn::Sub": (text) =>
			String(text)
				.replace(/\$\{([^}!]+)\}/g, (_, name: string) => (name.includes(".") ? name : String(ref(name))))
				.replaceAll("${!", "${"),
		"Fn::GetAtt": (path) => (path as Json[]).join("."),
		"Fn::If": (all) => {
			const [condition, yes, no] = all as [string, Json, Json];
			return value(isTrue(condition) ? yes : no);
		},
		"Fn::Not": (all) => !value((all as Json[])[0] ?? false),
		"Fn::And": (all) => (all as Json[]).every((it) => value(it)),
		"Fn::Or": (all) => (all as Json[]).some((it) => value(it)),
		"Fn::Equals": (all) => {
			const [one, other] = (all as Json[]).map(value);
			return JSON.stringify(one) === JSON.stringify(other);
		},
		"Fn::Base64": (text) => value(text),
		"Fn::Join": (all) => {
			const [between, parts] = all as [string, Json];
			return (value(parts) as Json[]).join(between);
		},
		"Fn::Select": (all) => {
			const [at, list] = all as [Json, Json];
			return (value(list) as Json[])[Number(value(at))];
		},
		"Fn::Split": (all) => {
			const [between, text] = all as [string, Json];
			return String(value(text)).split(between);
		},
	};
	function value(node: Json): unknown {
		if (Array.isArray(node)) return node.map(value).filter((it) => it !== NOTHING);
		if (typeof node !== "object" || node === null) return node;
		const [[name, argument] = ["", null], ...more] = Object.entries(node);
		if (more.length === 0 && (name === "Ref" || name === "Condition" || name.startsWith("Fn::"))) {
			const carryOut = functions[name];
			// IAM's own Condition is a mapping, CloudFormation's a name.
			if (carryOut && !(name === "Condition" && typeof argument === "object")) return carryOut(argument);
			if (name !== "Condition") throw new Error(`${name} is not known here`);
		}
		return Object.fromEntries(
			Object.entries(node)
				.map(([key, part]) => [key, value(part)] as const)
				.filter(([, part]) => part !== NOTHING),
		);
	}
	const kept = Object.entries(template.Resources).filter(([, { Condition }]) => Condition === undefined || isTrue(Condition));
	return {
		resources: Object.fromEntries(kept.map(([name, resource]) => [name, value(resource as unknown as Json)])) as Template["Resources"],
	};
}
