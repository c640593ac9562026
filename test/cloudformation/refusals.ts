// What CloudFormation would say of an operator's values before it makes anything: the bounds of each parameter, then the rules.
import { carryOut, type Json } from "./functions.ts";
import type { Parameter, Template } from "./template.ts";

function refuses({ Type, AllowedPattern, AllowedValues, MinValue, MaxValue }: Parameter, value: Json): boolean {
	if (AllowedValues && !AllowedValues.map(String).includes(String(value))) return true;
	// Of a list each member is held against it (CloudFormation User Guide, "Parameters"). Whoever takes the whole for it must come to the same.
	const members = Type === "CommaDelimitedList" ? [value, ...String(value).split(",")] : [value];
	if (AllowedPattern && !members.every((member) => new RegExp(AllowedPattern).test(String(member)))) return true;
	if (Type === "Number" && !/^-?[0-9]+(\.[0-9]+)?$/.test(String(value))) return true;
	return (MinValue !== undefined && Number(value) < MinValue) || (MaxValue !== undefined && Number(value) > MaxValue);
}

/** Names of parameters that are missing or out of bounds, and what broken rules say. */
export function refusals({ Parameters, Rules = {} }: Template, given: Record<string, Json>): string[] {
	const values = Object.fromEntries(Object.entries(Parameters).map(([name, { Default }]) => [name, given[name] ?? Default]));
	const wrong = Object.entries(Parameters).filter(([name, parameter]) => {
		const value = values[name];
		return value === undefined || refuses(parameter, value);
	});
	// Rules know parameters, and nothing of conditions, mappings and resources.
	const unknown = (): never => {
		throw new Error("a rule can only refer to parameters");
	};
	const scope = {
		ref(name: string): Json {
			const value = values[name];
			if (value === undefined) return unknown();
			return /List/.test(Parameters[name]?.Type ?? "") ? String(value).split(",") : value;
		},
		...{ attribute: unknown, isTrue: unknown, find: unknown },
	};
	const broken = Object.values(Rules).flatMap(({ RuleCondition = true, Assertions }) =>
		carryOut(RuleCondition, scope) === true ? Assertions.filter(({ Assert }) => carryOut(Assert, scope) !== true) : [],
	);
	return [...wrong.map(([name]) => name), ...broken.map(({ AssertDescription }) => AssertDescription)];
}
