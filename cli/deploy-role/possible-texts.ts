// Whether a text with holes can be anything else than what it should be: each hole is tried with what it takes. Pure.
import { AUDIENCE, ISSUER, type TextCheck } from "./subject.ts";
import type { Hole, Parts } from "./template-value.ts";

/** What a hole of a good template may stand for. */
const PLAIN = [
	...[
		"octo-org/shop",
		"octo-org",
		"shop",
		"production",
		"refs/heads/main",
		"main",
		"heads/main",
		"repo:octo-org/shop:environment:production",
	],
	...["environment:production", "ref:refs/heads/main", AUDIENCE, `arn:aws:iam::111122223333:oidc-provider/${ISSUER}`, ISSUER],
	...["arn:aws:iam::111122223333:policy/boundary", "111122223333"],
];
const MOST_TRIES = 2000;

const isHole = (part: Parts[number]): part is Hole => typeof part !== "string";
const filled = (parts: Parts, texts: Map<string, string>) =>
	parts.map((part) => (isHole(part) ? (texts.get(part.name) ?? "") : part)).join("");

function* fillings(holes: readonly Hole[]): Generator<Map<string, string>> {
	const [hole, ...rest] = holes;
	if (hole === undefined) return yield new Map();
	const texts = new Set([...hole.values.filter((text) => text !== ""), ...PLAIN.filter((text) => hole.takes(text))]);
	for (const text of texts) for (const others of fillings(rest)) yield new Map([[hole.name, text], ...others]);
}

/** `probesOf` gives what somebody may write instead of a plain text, by mistake or not. Every reason, each once, why a text may be wrong. */
export function reasonsAgainst(parts: Parts, check: TextCheck, probesOf: (plain: string) => readonly string[]): string[] {
	const holes = [...new Map(parts.filter(isHole).map((hole) => [hole.name, hole])).values()];
	let good: Map<string, string> | null = null;
	let reason: string | null = null;
	let tries = 0;
	for (const texts of fillings(holes)) {
		const problem = check(filled(parts, texts));
		if (problem === null) good = texts;
		else reason ??= problem;
		if (good !== null || ++tries >= MOST_TRIES) break;
	}
	if (good === null) return [reason ?? `${holes.map(({ name }) => name).join(" and ")} cannot be told: write the value out`];
	const base = good;
	return holes.flatMap((hole) => {
		// An empty default is the template's own business: its conditions leave the value out then.
		const tried = [...hole.values.filter((text) => text !== ""), ...probesOf(base.get(hole.name) ?? "")];
		const bad = tried.find((text) => hole.takes(text) && check(filled(parts, new Map([...base, [hole.name, text]]))) !== null);
		if (bad === undefined) return [];
		const told = hole.isParameter ? "give it an AllowedPattern, from ^ to $, that refuses it" : "write the value out";
		return [`${hole.name} may be ${JSON.stringify(bad)}: ${told}`];
	});
}
