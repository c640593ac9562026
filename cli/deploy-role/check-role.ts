// Who may take a role, and for how long, below which boundary: every way in which that is more than one repository's jobs in one place. Pure.
import { conditionProblems, type RoleProblem } from "./check-condition.ts";
import { reasonsAgainst } from "./possible-texts.ts";
import { boundaryProbes, boundaryProblem, hostOf, ISSUER, providerProbes, providerProblem } from "./subject.ts";
import { callIn, isObject, type Json, type JsonObject, partsOf, type Surroundings } from "./template-value.ts";

/** What of a role its source may leave out although the role has it. */
export type Untold = "longest session" | "boundary";
export interface RoleFacts {
	trust: Json;
	session: Json | undefined;
	boundary: Json | undefined;
	untold: readonly Untold[];
}
/** Where in the file the parts of a role stand, in dots. */
export interface RolePaths {
	trust: string;
	session: string;
	boundary: string;
}

const LONGEST_SECONDS = 3600;
const ELEMENTS = ["Sid", "Effect", "Principal", "Action", "Condition"];
const WHY_NOT_ELEMENT: Record<string, string> = {
	NotPrincipal: "admits everybody but those it names",
	NotAction: "admits every action but those it names",
	Resource: "has no place in a trust policy",
};
const ACTION = /^sts:AssumeRoleWithWebIdentity$/i;

const listOf = (value: Json | undefined): Json[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

function principalProblems(principal: Json | undefined, around: Surroundings): RoleProblem[] {
	if (principal === undefined) return [{ path: "", reason: "there is no Principal" }];
	if (!isObject(principal))
		return [{ path: "Principal", reason: `${JSON.stringify(principal)} is no provider: anybody could take the role` }];
	const federated = listOf(principal.Federated);
	return [
		...Object.keys(principal)
			.filter((kind) => kind !== "Federated")
			.map((kind) => ({ path: `Principal.${kind}`, reason: `${kind}: others than GitHub's jobs may take the role too` })),
		...(federated.length === 0 ? [{ path: "Principal", reason: "GitHub's provider is not named as Federated" }] : []),
		...(federated.length > 1 ? [{ path: "Principal.Federated", reason: "more than one provider may vouch for who takes the role" }] : []),
		...federated.flatMap((provider) =>
			reasonsAgainst(partsOf(provider, around), providerProblem, providerProbes).map((reason) => ({
				path: "Principal.Federated",
				reason,
			})),
		),
	];
}

function actionProblems(action: Json | undefined): RoleProblem[] {
	const actions = listOf(action);
	if (actions.length === 0) return [{ path: "", reason: "there is no Action" }];
	return actions
		.filter((it) => typeof it !== "string" || !ACTION.test(it))
		.map((it) => ({
			path: "Action",
			reason: `${JSON.stringify(it)} is more than sts:AssumeRoleWithWebIdentity, which is all that a job needs`,
		}));
}

/** The host of the provider that a statement trusts; GitHub's own where that cannot be told. */
function hostIn(principal: Json | undefined, around: Surroundings): string {
	const [provider] = isObject(principal ?? null) ? listOf((principal as JsonObject).Federated) : [];
	const text = provider === undefined ? "" : partsOf(provider, around).join("");
	return providerProblem(text) === null ? hostOf(text) : ISSUER;
}

function statementProblems(statement: Json, around: Surroundings): RoleProblem[] {
	if (!isObject(statement)) return [{ path: "", reason: "cannot be read: write the statement out" }];
	// What only denies takes nothing from the rest; whatever is not exactly that is read as what allows.
	if (statement.Effect === "Deny") return [];
	return [
		...Object.keys(statement)
			.filter((name) => !ELEMENTS.includes(name))
			.map((name) => ({ path: name, reason: `${name} ${WHY_NOT_ELEMENT[name] ?? `is no element: there is ${ELEMENTS.join(", ")}`}` })),
		...(statement.Effect === "Allow" ? [] : [{ path: "Effect", reason: "is neither Allow nor Deny" }]),
		...principalProblems(statement.Principal, around),
		...actionProblems(statement.Action),
		...conditionProblems(statement.Condition, hostIn(statement.Principal, around), around),
	];
}

function sessionProblems(session: Json | undefined, around: Surroundings): string[] {
	if (session === undefined) return [];
	const [part, ...more] = partsOf(session, around);
	const tooLong = (seconds: number) => !(seconds <= LONGEST_SECONDS);
	if (typeof part === "string" && more.length === 0)
		return tooLong(Number(part)) ? [`${JSON.stringify(session)} seconds are more than an hour (${LONGEST_SECONDS})`] : [];
	const parameter = around.parameters[isObject(session) ? String(session.Ref) : ""];
	const { MaxValue, AllowedValues } = isObject(parameter ?? null) ? (parameter as JsonObject) : {};
	const most = Array.isArray(AllowedValues) ? Math.max(...AllowedValues.map(Number)) : Number(MaxValue ?? Number.NaN);
	return tooLong(most) ? [`may be more than an hour: write ${LONGEST_SECONDS}, or give the parameter MaxValue: ${LONGEST_SECONDS}`] : [];
}

const joined = (...steps: string[]) => steps.filter((step) => step !== "").join(".");

const subjectsOf = (statements: Json[], around: Surroundings): Set<string> =>
	new Set(
		statements.flatMap((statement) => {
			const exact =
				isObject(statement) && isObject(statement.Condition ?? null) ? (statement.Condition as JsonObject).StringEquals : undefined;
			return Object.entries(isObject(exact ?? null) ? (exact as JsonObject) : {})
				.filter(([key]) => key.toLowerCase().endsWith(":sub"))
				.map(([, value]) => JSON.stringify(listOf(value).map((it) => partsOf(it, around))));
		}),
	);

/** Every problem of a role, each with its place in the file. */
export function roleProblems({ trust, session, boundary, untold }: RoleFacts, paths: RolePaths, around: Surroundings): RoleProblem[] {
	const at = (path: string, problems: RoleProblem[]) => problems.map((problem) => ({ ...problem, path: joined(path, problem.path) }));
	const isWritten = isObject(trust) && callIn(trust) === null;
	const written = isWritten ? trust.Statement : undefined;
	const statements = listOf(written);
	const ofTrust = isWritten
		? [
				...(statements.length === 0 ? [{ path: paths.trust, reason: "there is no Statement" }] : []),
				...statements.flatMap((statement, index) =>
					at(joined(paths.trust, `Statement${Array.isArray(written) ? `.${index}` : ""}`), statementProblems(statement, around)),
				),
				...(statements.length > 1 && subjectsOf(statements, around).size > 1
					? [{ path: joined(paths.trust, "Statement"), reason: "the statements name several subjects: one role for each" }]
					: []),
			]
		: [{ path: paths.trust, reason: "the trust policy cannot be read: write it out" }];
	const isTold = (what: Untold) => !untold.includes(what);
	const arn = boundary === undefined ? [""] : partsOf(boundary, around);
	const ofSession = isTold("longest session") ? sessionProblems(session, around) : [];
	const ofBoundary = isTold("boundary") ? reasonsAgainst(arn, boundaryProblem, boundaryProbes) : [];
	return [
		...ofTrust,
		...ofSession.map((reason) => ({ path: paths.session, reason })),
		...ofBoundary.map((reason) => ({ path: paths.boundary, reason })),
	];
}
