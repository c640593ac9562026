// CloudFormation's functions, those that our templates use. Pure.
import { cidrText, readCidr } from "../../contract/cidr.ts";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export const NOTHING = Symbol("AWS::NoValue");

/** What names stand for in a template. */
export interface Scope {
	ref(name: string): Json | typeof NOTHING;
	attribute(name: string, path: string): Json;
	isTrue(condition: string): boolean;
	find(map: string, first: string, second: string): Json;
}

/** `count` ranges of 2^bits addresses each, from the first address on. */
function cidrs(range: string, count: number, bits: number): string[] {
	const whole = readCidr(range);
	if (whole === null) throw new Error(`${range} is no range`);
	if (count * 2 ** bits > whole.size) throw new Error(`${range} has no ${count} parts of ${bits} bits`);
	return Array.from({ length: count }, (_, at) => cidrText({ first: whole.first + at * 2 ** bits, size: 2 ** bits }));
}

function substituted(text: string, names: Record<string, Json>, scope: Scope): string {
	return text
		.replace(/\$\{([^}!]+)\}/g, (_, name: string) => {
			if (Object.hasOwn(names, name)) return String(names[name]);
			const [resource = "", ...path] = name.split(".");
			return String(path.length > 0 ? scope.attribute(resource, path.join(".")) : scope.ref(name));
		})
		.replaceAll("${!", "${");
}

/** A part of a template with every function in it carried out. What is `AWS::NoValue` is not there. Throws for a function it does not know. */
export function carryOut(node: Json, scope: Scope): unknown {
	const value = (part: Json) => carryOut(part, scope);
	if (Array.isArray(node)) return node.map(value).filter((it) => it !== NOTHING);
	if (typeof node !== "object" || node === null) return node;
	const [[name, argument] = ["", null], ...more] = Object.entries(node);
	// IAM's own Condition is a mapping, CloudFormation's a name.
	const isCall = name === "Ref" || name.startsWith("Fn::") || (name === "Condition" && typeof argument === "string");
	if (more.length === 0 && isCall) return call(name, argument as Json, value, scope);
	return Object.fromEntries(
		Object.entries(node)
			.map(([key, part]) => [key, value(part)] as const)
			.filter(([, part]) => part !== NOTHING),
	);
}

function call(name: string, argument: Json, value: (part: Json) => unknown, scope: Scope): unknown {
	const all = Array.isArray(argument) ? argument : [argument];
	const at = (place: number) => value(all[place] ?? null);
	switch (name) {
		case "Ref":
			return scope.ref(String(argument));
		case "Condition":
			return scope.isTrue(String(argument));
		case "Fn::Sub":
			return substituted(String(all[0]), (value(all[1] ?? {}) ?? {}) as Record<string, Json>, scope);
		case "Fn::GetAtt":
			return scope.attribute(String(all[0]), all.slice(1).join("."));
		case "Fn::If":
			return at(scope.isTrue(String(all[0])) ? 1 : 2);
		case "Fn::Not":
			return !at(0);
		case "Fn::And":
			return all.every(value);
		case "Fn::Or":
			return all.some(value);
		case "Fn::Equals":
			return String(at(0)) === String(at(1));
		case "Fn::Contains":
			return (at(0) as Json[]).map(String).includes(String(at(1)));
		case "Fn::Base64":
			return value(argument);
		case "Fn::Join":
			return (at(1) as Json[]).join(String(at(0)));
		case "Fn::Select": {
			const chosen = (at(1) as Json[])[Number(at(0))];
			if (chosen === undefined) throw new Error(`there is no part ${at(0)} of ${JSON.stringify(at(1))}`);
			return chosen;
		}
		case "Fn::Split":
			return String(at(1)).split(String(at(0)));
		case "Fn::FindInMap":
			return scope.find(String(at(0)), String(at(1)), String(at(2)));
		case "Fn::GetAZs":
			return ["a", "b", "c", "d"].map((zone) => `${at(0) || scope.ref("AWS::Region")}${zone}`);
		case "Fn::Cidr":
			return cidrs(String(at(0)), Number(at(1)), Number(at(2)));
		default:
			throw new Error(`${name} is not known here`);
	}
}
