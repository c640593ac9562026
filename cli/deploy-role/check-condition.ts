// What a statement asks of a token: its audience and its subject, each whole, by the one operator that compares whole values. Pure.
import { reasonsAgainst } from "./possible-texts.ts";
import { AUDIENCE, audienceProbes, audienceProblem, subjectProbes, subjectProblem } from "./subject.ts";
import { isObject, type Json, partsOf, type Surroundings } from "./template-value.ts";

/** `path` in dots below the trust policy. */
export interface RoleProblem {
	path: string;
	reason: string;
}
interface Pin {
	path: string;
	operator: string;
	values: Json[];
}

const WHY_NOT: [operator: RegExp, why: string][] = [
	[/^ForAllValues:/i, "passes a token that has no such claim"],
	[/^ForAnyValue:/i, "is for claims with several values; this one has one"],
	[/IfExists$/i, "passes a token that has no such claim"],
	[/Like$/i, "takes wildcards"],
	[/IgnoreCase$/i, "takes other names for the same, in other letters"],
	[/Not|^Null$/i, "says what the claim is not"],
	[/^StringEquals$/i, "is no operator: it is written StringEquals"],
];
const whyNot = (operator: string) => WHY_NOT.find(([pattern]) => pattern.test(operator))?.[1] ?? "does not compare whole texts";

const listOf = (value: Json): Json[] => (Array.isArray(value) ? value : [value]);

/** Every comparison of one claim, whatever the case of its key: IAM reads keys in any. */
function pinsOf(condition: { [operator: string]: Json }, key: string): Pin[] {
	return Object.entries(condition).flatMap(([operator, compared]) =>
		Object.entries(isObject(compared) ? compared : {}).flatMap(([name, value]) =>
			name.toLowerCase() === key ? [{ path: `${operator}.${name}`, operator, values: listOf(value) }] : [],
		),
	);
}

/** `many` is said where a claim may have one of several values. */
function claimProblems(pins: Pin[], many: string, check: (value: Json) => string[]): RoleProblem[] {
	const values = new Set(pins.flatMap((pin) => pin.values.map((value) => JSON.stringify(value))));
	return [
		...pins
			.filter(({ operator }) => operator !== "StringEquals")
			.map(({ path, operator }) => ({ path, reason: `${operator} ${whyNot(operator)}: compare with StringEquals` })),
		...pins.flatMap(({ path, values }) => (values.length === 0 ? [{ path, reason: "compares with nothing" }] : [])),
		...pins.flatMap(({ path, values }) => values.flatMap((value) => check(value).map((reason) => ({ path, reason })))),
		...(values.size > 1 ? [{ path: pins[0]?.path ?? "", reason: `${values.size} ${many}` }] : []),
	];
}

/** `host` is what the keys of the provider's claims begin with; the problems' paths begin at the condition. */
export function conditionProblems(condition: Json | undefined, host: string, around: Surroundings): RoleProblem[] {
	if (condition === undefined) return [{ path: "", reason: "there is no Condition: any job of anybody at GitHub could take the role" }];
	if (!isObject(condition)) return [{ path: "Condition", reason: "cannot be read: write the operators out" }];
	const below = (problems: RoleProblem[]) => problems.map(({ path, reason }) => ({ path: `Condition.${path}`, reason }));
	const [audience, subject] = [pinsOf(condition, `${host}:aud`), pinsOf(condition, `${host}:sub`)];
	const unreadable = Object.entries(condition).filter(([, compared]) => !isObject(compared));
	const missing = (pins: Pin[], claim: string, why: string) =>
		pins.length > 0 ? [] : [{ path: "Condition", reason: `nothing is asked of ${host}:${claim}: ${why}` }];
	return [
		...unreadable.map(([operator]) => ({ path: `Condition.${operator}`, reason: "cannot be read: write the keys out" })),
		...missing(audience, "aud", `it must be ${AUDIENCE}`),
		...missing(subject, "sub", "any job of anybody at GitHub could take the role"),
		...below(
			claimProblems(audience, "audiences: it is one", (value) => reasonsAgainst(partsOf(value, around), audienceProblem, audienceProbes)),
		),
		...below(
			claimProblems(subject, "subjects: one role for each, so that none has the other's rights", (value) =>
				reasonsAgainst(partsOf(value, around), subjectProblem, subjectProbes),
			),
		),
	];
}
