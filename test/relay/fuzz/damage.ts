// Ways in which a message may be wrong, drawn by dice: values of other kinds, names of every object, text that is none, bytes out of place.
import type { Dice } from "../../dice.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

function deep(levels: number): Json {
	let value: Json = [];
	for (let level = 0; level < levels; level++) value = level % 2 ? { a: value } : [value];
	return value;
}

/** What stands in for a value. The long ones are drawn seldom. */
const VALUES: (() => Json)[] = [
	...[null, true, false, 0, -0, -1, 1.5, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 1e308, Number.MAX_SAFE_INTEGER, 5e-324].map((it) => () => it),
	...["", "\0", "a\0b", "\ud800", "\udfff\ud800", "NaN", "null", "0", "1e3", "💥", "\u202e", "../..", "%00", "' OR 1=1 --"].map(
		(it) => () => it,
	),
	...["__proto__", "constructor", "toString", "hasOwnProperty", "i-0000000000000000", "sha256="].map((it) => () => it),
	() => [],
	() => ({}),
	() => [[]],
	() => deep(50),
	() => ({ length: 1, toString: "x", constructor: { prototype: { polluted: true } } }),
];
const LONG_VALUES: (() => Json)[] = [
	() => "x".repeat(65_536),
	() => "\0".repeat(10_000),
	() => Array(10_000).fill("label"),
	() => deep(3000),
	() => Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`key-${at}`, at])),
];
const NAMES = ["__proto__", "constructor", "prototype", "toString", "valueOf", "\0", "", "x".repeat(5000), "action", "id", "Action"];
/** Numbers and names that no serializer writes. */
const RAW = [
	"1e400",
	"-1e400",
	"9007199254740993",
	"18446744073709551616",
	"-0",
	"0.1e1",
	"NaN",
	"0x10",
	"01",
	"+1",
	"1.",
	"Infinity",
	'"\\u0000"',
	'"\\ud800"',
	"{}",
	"[",
	"]",
];

interface Place {
	holder: Record<string, Json>;
	name: string;
}

function placesIn(value: Json, into: Place[] = []): Place[] {
	if (value === null || typeof value !== "object") return into;
	const holder = value as Record<string, Json>;
	for (const name of Object.keys(holder)) {
		into.push({ holder, name });
		placesIn(holder[name] ?? null, into);
	}
	return into;
}

function put(holder: Record<string, Json>, name: string, value: Json): void {
	// An own property of that name, which is what JSON.parse makes of it.
	Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}

function hurt(place: Place, dice: Dice): void {
	const { holder, name } = place;
	const value = (dice.pick(dice.chance(0.01) ? LONG_VALUES : VALUES) ?? (() => null))();
	const kind = dice.below(10);
	if (kind < 6) put(holder, name, value);
	else if (kind < 8) delete holder[name];
	else if (kind < 9) put(holder, dice.pick(NAMES) ?? "", value);
	else put(holder, name, [holder[name] ?? null]);
}

/** A copy of a message with one to three of its values damaged. */
export function damaged(message: unknown, dice: Dice): unknown {
	const copy = structuredClone(message) as Json;
	for (let times = 1 + dice.below(3); times > 0; times--) {
		const place = dice.pick(placesIn(copy));
		if (place) hurt(place, dice);
	}
	return copy;
}

/** Text with a number or a string replaced by what no serializer writes, or with a name said twice. */
export function misspelt(text: string, dice: Dice): string {
	const tokens = [...text.matchAll(/-?\d+|"(?:[^"\\]|\\.){0,40}"/g)];
	const token = dice.pick(tokens);
	if (!token) return text;
	const raw = dice.pick(RAW) ?? "";
	const said = dice.chance(0.2) ? `${token[0]},${token[0]}` : raw;
	return text.slice(0, token.index) + said + text.slice(token.index + token[0].length);
}

/** Bytes cut, turned, doubled, or with foreign ones among them. */
export function broken(bytes: Uint8Array, dice: Dice): Uint8Array<ArrayBuffer> {
	const at = dice.below(bytes.length);
	const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
	const foreign = [
		[0],
		[0xff],
		[0xfe, 0xff],
		[0xef, 0xbb, 0xbf],
		[0xc0, 0x80],
		[0xed, 0xa0, 0x80],
		[0xf4, 0x90, 0x80, 0x80],
		[0x22],
		[0x5c],
	];
	switch (dice.below(5)) {
		case 0:
			return new Uint8Array(head);
		case 1:
			return joined(head, tail, tail);
		case 2:
			return joined(dice.pick(foreign) ?? [], bytes);
		case 3:
			return joined(head, dice.pick(foreign) ?? [], tail);
		default: {
			const turned = new Uint8Array(bytes);
			turned[at] = dice.below(256);
			return turned;
		}
	}
}

function joined(...parts: ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
	return new Uint8Array(parts.flatMap((part) => [...Array.from(part)]));
}
