// How GitHub's expressions see values: truth, text, number and comparison. Pure.
// From GitHub's page "Evaluate expressions in workflows and actions", part "Operators".

const isPrimitive = (value: unknown) => value === null || typeof value !== "object";
const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Everything but null, false, 0, NaN and the empty text is true; every list and object is. */
export function isTruthy(value: unknown): boolean {
	return !(value === null || value === undefined || value === false || value === 0 || value === "" || Number.isNaN(value));
}

/** Text as it is put into a template. Lists and objects have no text of their own, only the name of their kind. */
export function toText(value: unknown): string {
	if (value === null || value === undefined) return "";
	if (typeof value === "number") return Number.isFinite(value) ? String(Number(value.toPrecision(15)) + 0) : String(value);
	if (typeof value === "object") return Array.isArray(value) ? "Array" : "Object";
	return String(value);
}

function textToNumber(text: string): number {
	const trimmed = text.trim();
	if (trimmed === "") return 0;
	if (/^0x[0-9a-f]+$/i.test(trimmed) || /^0o[0-7]+$/.test(trimmed)) return Number(trimmed);
	if (/^[+-]?Infinity$/.test(trimmed)) return Number(trimmed);
	return numeral.test(trimmed) ? Number(trimmed) : Number.NaN;
}

function toNumber(value: unknown): number {
	if (value === null || value === undefined) return 0;
	if (typeof value === "boolean") return value ? 1 : 0;
	if (typeof value === "number") return value;
	return typeof value === "string" ? textToNumber(value) : Number.NaN;
}

/** -1, 0 or 1, and null for two values that have no order. Texts are compared without regard to case. */
function compare(left: unknown, right: unknown): number | null {
	const [a, b] =
		typeof left === "string" && typeof right === "string" ? [left.toUpperCase(), right.toUpperCase()] : [toNumber(left), toNumber(right)];
	if (a < b) return -1;
	if (a > b) return 1;
	return a === b ? 0 : null;
}

/** Lists and objects equal only themselves; values of two kinds are compared as numbers. */
export function isEqual(left: unknown, right: unknown): boolean {
	if (isPrimitive(left) && isPrimitive(right)) return compare(left, right) === 0;
	return left === right;
}

export const ORDER: Record<string, (left: unknown, right: unknown) => boolean> = {
	"==": isEqual,
	"!=": (left, right) => !isEqual(left, right),
	"<": (left, right) => compare(left, right) === -1,
	">": (left, right) => compare(left, right) === 1,
	"<=": (left, right) => [-1, 0].includes(compare(left, right) ?? 2),
	">=": (left, right) => [0, 1].includes(compare(left, right) ?? 2),
};

/** A member of an object or list; null if there is none. Names are found without regard to case, as everywhere in expressions. */
export function memberOf(value: unknown, key: unknown): unknown {
	if (value === null || typeof value !== "object") return null;
	if (Array.isArray(value)) return value[Math.floor(toNumber(key))] ?? null;
	if (typeof key === "object" && key !== null) return null;
	const wanted = toText(key).toUpperCase();
	const found = Object.entries(value).find(([name]) => name.toUpperCase() === wanted);
	return found?.[1] ?? null;
}
