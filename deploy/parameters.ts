// Which value each parameter of the root template gets, and from where. Pure.
import { addressProblems } from "../egress/cidr-checks.ts";
import { brokenRules } from "./rules.ts";
import type { Template, TemplateParameter } from "./template.ts";

export type Source = "--set" | "the file" | "the stack" | "the default";
export interface Chosen {
	name: string;
	value: string;
	source: Source;
	/** Whose value is never printed. */
	secret: boolean;
}
export interface Given {
	set: Record<string, string>;
	file: Record<string, string>;
}
export interface Decision {
	chosen: Chosen[];
	/** Parameters without any value. */
	missing: string[];
	problems: string[];
}

/** `previous` is what the stack has now; null: there is none, or it is not known yet. */
export function decideParameters(template: Template, given: Given, previous: Record<string, string> | null): Decision {
	const declared = template.Parameters ?? {};
	const decided = Object.entries(declared).map(([name, parameter]) => ({ name, parameter, ...firstOf(name, parameter, given, previous) }));
	const chosen = decided.flatMap(({ name, parameter, value, source }) =>
		value === undefined || source === undefined ? [] : [{ name, value, source, secret: isSecret(parameter) }],
	);
	const values = Object.fromEntries(chosen.map(({ name, value }) => [name, value]));
	const missing = decided.filter(({ value }) => value === undefined).map(({ name }) => name);
	const problems = [
		...unknown(declared, given),
		// A secret of the stack comes back as stars.
		...chosen.flatMap(({ name, value, source, secret }) =>
			secret && source === "the stack" ? [] : refusals(name, value, declared[name] as TemplateParameter),
		),
	];
	const rules = missing.length > 0 || problems.length > 0 ? [] : brokenRules(template.Rules ?? {}, values);
	return { chosen, missing, problems: [...problems, ...rules, ...wrongAddresses(values, problems)] };
}

/** What no pattern can tell of ranges: where they begin, and that they overlap. What a pattern refuses already is not told twice. */
function wrongAddresses({ Cidr, SshCidr }: Record<string, string>, problems: readonly string[]): string[] {
	if (Cidr === undefined) return [];
	return addressProblems({ cidr: Cidr, sshCidr: SshCidr })
		.filter(({ path }) => !problems.some((problem) => problem.startsWith(`${path}: `)))
		.map(({ path, reason }) => `${path}: ${reason}`);
}

function firstOf(
	name: string,
	{ Default }: TemplateParameter,
	{ set, file }: Given,
	previous: Record<string, string> | null,
): { value?: string; source?: Source } {
	if (Object.hasOwn(set, name)) return { value: set[name], source: "--set" };
	if (Object.hasOwn(file, name)) return { value: file[name], source: "the file" };
	if (previous && Object.hasOwn(previous, name)) return { value: previous[name], source: "the stack" };
	return Default === undefined ? {} : { value: String(Default), source: "the default" };
}

const isSecret = ({ NoEcho }: TemplateParameter) => String(NoEcho ?? false) === "true";

function unknown(declared: Record<string, TemplateParameter>, { set, file }: Given): string[] {
	const names = Object.keys(declared);
	const strange = (given: Record<string, string>, where: string) =>
		Object.keys(given)
			.filter((name) => !names.includes(name))
			.map((name) => `${where} ${name}: there is no such parameter${nearest(name, names)}`);
	return [...strange(set, "--set"), ...strange(file, "the file's")];
}

function nearest(name: string, names: string[]): string {
	const same = names.find((known) => known.toLowerCase() === name.toLowerCase());
	return same ? `, but ${same}` : `; there are ${names.join(", ")}`;
}

/** What CloudFormation would refuse in a value, as far as it needs no account. */
function refusals(name: string, value: string, parameter: TemplateParameter): string[] {
	const { Type, AllowedPattern, AllowedValues, ConstraintDescription, MinLength, MaxLength, MinValue, MaxValue } = parameter;
	const shown = isSecret(parameter) ? "its value" : JSON.stringify(value);
	const refuse = (reason: string) => [`${name}: ${shown} ${ConstraintDescription ? `is refused: ${ConstraintDescription}` : reason}`];
	if (Type === "Number") {
		const number = Number(value);
		if (!/^-?[0-9]+(\.[0-9]+)?$/.test(value)) return [`${name}: ${shown} is not a number`];
		if (number < (MinValue ?? number) || number > (MaxValue ?? number))
			return refuse(`is not from ${MinValue ?? "-∞"} to ${MaxValue ?? "∞"}`);
	}
	if (AllowedValues && !AllowedValues.map(String).includes(value)) return refuse(`is none of ${AllowedValues.join(", ")}`);
	if (value.length < (MinLength ?? 0) || value.length > (MaxLength ?? value.length))
		return refuse(`has ${value.length} characters, not from ${MinLength ?? 0} to ${MaxLength ?? "any number"}`);
	// CloudFormation's patterns hold for the whole value.
	if (AllowedPattern && !new RegExp(`^(?:${AllowedPattern})$`).test(value)) return refuse(`does not match ${AllowedPattern}`);
	return [];
}
