// A matrix and its legs. Pure. The rules of `include` and `exclude` are those of GitHub's page "Running variations of jobs in a workflow".
import { isDeepStrictEqual } from "node:util";
import type { MatrixLeg } from "./model.ts";

export type MatrixValue = MatrixLeg[string];

export interface Matrix {
	vectors: Record<string, MatrixValue[]>;
	include: MatrixLeg[];
	exclude: MatrixLeg[];
}

/** GitHub's own limit for one job. */
export const MAX_LEGS = 256;

/** How many legs the vectors alone give. */
export function productSize(vectors: Matrix["vectors"]): number {
	return Object.values(vectors).reduce((size, values) => size * values.length, 1);
}

function product(vectors: Matrix["vectors"]): MatrixLeg[] {
	const names = Object.keys(vectors);
	if (names.length === 0) return [];
	return names.reduce<MatrixLeg[]>(
		(legs, name) => legs.flatMap((leg) => (vectors[name] ?? []).map((value) => ({ ...leg, [name]: value }))),
		[{}],
	);
}

const agrees = (leg: MatrixLeg, part: MatrixLeg, names: string[]) => names.every((name) => isDeepStrictEqual(leg[name], part[name]));

/**
 * The legs in GitHub's order, the first vector varying slowest. An include extends every leg of the vectors whose own values it does not
 * change (values that another include added may change) and becomes a leg of its own if there is none.
 */
export function legsOf({ vectors, include, exclude }: Matrix): MatrixLeg[] {
	const legs = product(vectors).filter((leg) => !exclude.some((part) => agrees(leg, part, Object.keys(part))));
	const added: MatrixLeg[] = [];
	const original = legs.map((leg) => ({ ...leg }));
	for (const part of include) {
		const fits = legs.filter((_, index) => {
			const own = original[index] ?? {};
			return agrees(
				own,
				part,
				Object.keys(part).filter((name) => Object.hasOwn(own, name)),
			);
		});
		for (const leg of fits) Object.assign(leg, part);
		if (fits.length === 0) added.push({ ...part });
	}
	return [...legs, ...added];
}
