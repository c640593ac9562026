// One file: its roles, and what is wrong with each, with the line at which it stands. Pure.
import { type CollectionTag, type Document, parseDocument, type ScalarTag, YAMLMap, YAMLSeq } from "yaml";
import { linePlace, linesOf } from "../../local/workflow/document.ts";
import { offsetOfPath } from "../lint/config-place.ts";
import { branchesOf } from "./branches.ts";
import { type RoleFacts, roleProblems, type Untold } from "./check-role.ts";
import { concernsGitHub, type FoundRole, rolesIn, surroundingsIn } from "./find-roles.ts";
import { isObject, type Json, type Surroundings } from "./template-value.ts";

export interface FileProblem {
	line: number;
	column: number;
	role: string | null;
	/** In dots from the top of the file. */
	path: string;
	reason: string;
}
export interface FileCheck {
	/** The roles that were looked at: those that GitHub's jobs may take. */
	roles: { name: string; untold: readonly Untold[] }[];
	/** How many more there are, which others take. */
	others: number;
	problems: FileProblem[];
}

const NAMES = [
	"Ref",
	"Condition",
	"Base64",
	"Cidr",
	"FindInMap",
	"GetAtt",
	"GetAZs",
	"If",
	"ImportValue",
	"Join",
	"Select",
	"Split",
	"Sub",
	"Transform",
];
const MORE_NAMES = ["And", "Equals", "Not", "Or", "Contains", "EachMemberIn", "EachMemberEquals", "ToJsonString", "Length", "ForEach"];
const long = (name: string) => (name === "Ref" || name === "Condition" ? name : `Fn::${name}`);
const tags = [...NAMES, ...MORE_NAMES].flatMap((name): (ScalarTag | CollectionTag)[] => [
	{ tag: `!${name}`, resolve: (text) => ({ [long(name)]: name === "GetAtt" ? text.split(".") : text }) },
	...[YAMLSeq, YAMLMap].map(
		(nodeClass): CollectionTag => ({
			tag: `!${name}`,
			collection: nodeClass === YAMLSeq ? "seq" : "map",
			resolve: (node) => ({ [long(name)]: (node as unknown as { toJSON(): Json }).toJSON() }) as never,
		}),
	),
]);

type Reading = { ok: true; document: Document; value: Json } | { ok: false; offset: number; reason: string };

/** JSON is read as YAML, which tells of a key that stands twice; its tabs mean nothing, and YAML would not have them. */
function readDocument(text: string): Reading {
	try {
		const document = parseDocument(/^\s*[{[]/.test(text) ? text.replaceAll("\t", " ") : text, {
			customTags: tags,
			prettyErrors: false,
			logLevel: "error",
		});
		const [problem] = [...document.errors, ...document.warnings];
		if (problem) return { ok: false, offset: problem.pos[0], reason: problem.message };
		return { ok: true, document, value: (document.toJS() ?? null) as Json };
	} catch (error) {
		const reason = error instanceof RangeError ? "the file is nested too deeply" : String(error instanceof Error ? error.message : error);
		return { ok: false, offset: 0, reason };
	}
}

/** A role in every form that the template's conditions give it. */
function formsOf({ trust, session, boundary, untold }: RoleFacts): RoleFacts[] | null {
	// What is left out has no name in JSON.
	const forms = branchesOf({ trust, ...(session !== undefined && { session }), ...(boundary !== undefined && { boundary }) });
	return (
		forms?.map((form) => {
			const chosen = form as { trust?: Json; session?: Json; boundary?: Json };
			return { trust: chosen.trust ?? null, session: chosen.session, boundary: chosen.boundary, untold };
		}) ?? null
	);
}

function problemsOf(role: FoundRole, around: Surroundings): { path: string; reason: string }[] {
	const forms = formsOf(role);
	if (forms === null) return [{ path: role.paths.trust, reason: "depends on too many conditions to be told: write it simpler" }];
	const all = forms.flatMap((form) => roleProblems(form, role.paths, around));
	return [...new Map(all.map((problem) => [JSON.stringify(problem), problem])).values()];
}

/** Never throws. */
export function checkFile(text: string): FileCheck {
	const lines = linesOf(text);
	const read = readDocument(text);
	if (!read.ok)
		return { roles: [], others: 0, problems: [{ ...linePlace({ lines }, read.offset), role: null, path: "", reason: read.reason }] };
	const found = isObject(read.value) || Array.isArray(read.value) ? rolesIn(read.value) : [];
	const looked = found.filter((role) => role.paths.trust === "" || concernsGitHub(role));
	const around = surroundingsIn(read.value);
	const problems = looked.flatMap((role) =>
		problemsOf(role, around).map(({ path, reason }) => ({
			...linePlace({ lines }, offsetOfPath(read.document, path, false)),
			...{ role: role.name, path, reason },
		})),
	);
	return {
		roles: looked.map(({ name, untold }) => ({ name, untold })),
		others: found.length - looked.length,
		problems: problems.toSorted((one, other) => one.line - other.line || one.column - other.column),
	};
}
