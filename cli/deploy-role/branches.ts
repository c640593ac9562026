// A template's value under every choice of its conditions: `Fn::If` is gone from each, and with it what is `AWS::NoValue` there. Pure.
import { callIn, isObject, type Json } from "./template-value.ts";

const NOTHING = Symbol("AWS::NoValue");
type Chosen = Json | typeof NOTHING;
const MOST_CONDITIONS = 6;

function conditionsIn(value: Json, found = new Set<string>()): Set<string> {
	const [name, argument] = callIn(value) ?? ["", null];
	if (name === "Fn::If" && Array.isArray(argument)) found.add(String(argument[0]));
	for (const part of Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []) conditionsIn(part, found);
	return found;
}

function choose(value: Json, chosen: Map<string, boolean>): Chosen {
	const [name, argument] = callIn(value) ?? ["", null];
	if (name === "Ref" && argument === "AWS::NoValue") return NOTHING;
	if (name === "Fn::If" && Array.isArray(argument)) return choose(argument[chosen.get(String(argument[0])) ? 1 : 2] ?? null, chosen);
	if (Array.isArray(value)) return value.map((item) => choose(item, chosen)).filter((item) => item !== NOTHING);
	if (!isObject(value)) return value;
	const kept = Object.entries(value).map(([key, part]) => [key, choose(part, chosen)] as const);
	return Object.fromEntries(kept.filter((entry): entry is [string, Json] => entry[1] !== NOTHING));
}

/** Every form that a value may have; null where there are too many to look at each. */
export function branchesOf(value: Json): Json[] | null {
	const names = [...conditionsIn(value)];
	if (names.length > MOST_CONDITIONS) return null;
	return Array.from({ length: 2 ** names.length }, (_, bits) => {
		const chosen = choose(value, new Map(names.map((name, at) => [name, (bits >> at) % 2 === 0])));
		return chosen === NOTHING ? null : chosen;
	});
}
