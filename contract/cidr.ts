// IPv4 ranges as text such as `10.77.0.0/16`, and what is asked of them. Pure.

export interface Cidr {
	/** Its first address, as a number. */
	first: number;
	/** How many addresses it has. */
	size: number;
}

const FORM = /^(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\/(0|[1-9]|[12][0-9]|3[0-2])$/;

/** Null if it is no range, or if the address has bits behind the mask, which tools read in different ways. */
export function readCidr(text: string): Cidr | null {
	const [, ...parts] = FORM.exec(text) ?? [];
	if (parts.length === 0) return null;
	const [prefix = 0, ...octets] = [Number(parts.pop()), ...parts.map(Number)];
	if (octets.some((octet) => octet > 255)) return null;
	const first = octets.reduce((sum, octet) => sum * 256 + octet, 0);
	const size = 2 ** (32 - prefix);
	return first % size === 0 ? { first, size } : null;
}

/** The range of so many addresses from one on; the number is a power of two. */
export function cidrText({ first, size }: Cidr): string {
	const octets = [24, 16, 8, 0].map((bits) => Math.floor(first / 2 ** bits) % 256);
	return `${octets.join(".")}/${32 - Math.log2(size)}`;
}

export function overlap(one: Cidr, other: Cidr): boolean {
	return one.first < other.first + other.size && other.first < one.first + one.size;
}

/** Whether all of one lies in the other. */
export function isWithin(inner: Cidr, outer: Cidr): boolean {
	return inner.first >= outer.first && inner.first + inner.size <= outer.first + outer.size;
}

/** The `at`th of the equal parts that a range is cut into. */
export function part({ first, size }: Cidr, parts: number, at: number): Cidr {
	return { first: first + (size / parts) * at, size: size / parts };
}
