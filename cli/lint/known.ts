// One expression, evaluated as far as it is known before the run. What is not known becomes a sign within the text. Pure.
import { ExpressionError, evaluateValue } from "../../local/workflow/expression.ts";
import { FUNCTIONS } from "../../local/workflow/expression-functions.ts";
import { type Node, parseExpression } from "../../local/workflow/expression-syntax.ts";
import { memberOf, toText } from "../../local/workflow/expression-values.ts";
import type { MatrixLeg } from "../../local/workflow/model.ts";

/** Stands for what is known only when the job runs, and may be another thing in each run. From Unicode's private use: no label holds it. */
export const UNKNOWN = "\uE000";
/** Stands for what is not known here, but may be the same in several runs: a branch, a variable. */
export const SHARED = "\uE001";
/** Stands for `github.run_id`. */
export const RUN_ID = "10000000000017";

/** One job of a matrix. `isWhole`: it has no values but these. */
export interface Leg {
	values: MatrixLeg;
	isWhole: boolean;
	/** What is taken for true or false though only the run knows it, by the text of the condition (choices.ts). */
	assumed?: Record<string, boolean>;
}

type Knowledge = "known" | "shared" | "unknown";

/** GitHub's page "Contexts reference": what `runs-on` and `strategy` may ask for. */
const OFFERED = ["github", "needs", "strategy", "matrix", "vars", "inputs"];
const CONTEXTS = {
	github: { run_id: RUN_ID, run_attempt: "1" },
	strategy: { "job-index": 0, "job-total": 1, "fail-fast": true, "max-parallel": 1 },
};

/** Whether nothing is known of a value. */
export const isOpen = (value: unknown) => value === UNKNOWN || value === SHARED;

/** Whether a text has something in it that is not known. */
export const isUncertain = (text: string) => text.includes(UNKNOWN) || text.includes(SHARED);

function worst(all: Knowledge[]): Knowledge {
	if (all.includes("unknown")) return "unknown";
	return all.includes("shared") ? "shared" : "known";
}

const knowledgeIn = (text: string): Knowledge =>
	worst([text.includes(UNKNOWN) ? "unknown" : "known", text.includes(SHARED) ? "shared" : "known"]);

function ofContext(name: string, key: string | null, leg: Leg): Knowledge {
	switch (name) {
		case "github":
			if (key !== null && Object.hasOwn(CONTEXTS.github, key)) return "known";
			return key === null || key === "event" ? "unknown" : "shared";
		case "matrix": {
			const value = key === null ? leg.values : memberOf(leg.values, key);
			return value === null && !leg.isWhole ? "unknown" : knowledgeIn(JSON.stringify(value));
		}
		case "strategy":
			return "known";
		case "vars":
			return "shared";
		case "needs":
		case "inputs":
			return "unknown";
		default:
			throw new ExpressionError(`the context ${name} is not available in runs-on; there is ${OFFERED.join(", ")}`);
	}
}

function knowledgeOf(node: Node, leg: Leg): Knowledge {
	const all = (nodes: Node[]) => worst(nodes.map((inner) => knowledgeOf(inner, leg)));
	switch (node.kind) {
		case "literal":
			return "known";
		case "context":
			return ofContext(node.name.toLowerCase(), null, leg);
		case "member":
			if (node.of.kind !== "context" || node.key.kind !== "literal") return all([node.of, node.key]);
			return ofContext(node.of.name.toLowerCase(), toText(node.key.value).toLowerCase(), leg);
		case "every":
		case "not":
			return knowledgeOf(node.of, leg);
		case "operator":
			return all([node.left, node.right]);
		case "call":
			// GitHub gains functions now and then.
			return Object.hasOwn(FUNCTIONS, node.name.toLowerCase()) ? all(node.values) : worst([all(node.values), "unknown"]);
	}
}

/** The value of an expression, or the sign for one that is not known. Throws ExpressionError. */
export function valueOfExpression(source: string, leg: Leg): unknown {
	const node = parseExpression(source);
	const knowledge = knowledgeOf(node, leg);
	const contexts = { ...CONTEXTS, matrix: leg.values };
	const isPlainMatrix = node.kind === "member" && node.of.kind === "context" && node.of.name.toLowerCase() === "matrix";
	// A value of the matrix that is known in part is kept as it is: `mayfly=<known>/runner=<not known>`.
	if (knowledge === "known" || (isPlainMatrix && memberOf(leg.values, node.key.kind === "literal" ? node.key.value : null) !== null))
		return evaluateValue(`\${{${source}}}`, contexts);
	return knowledge === "shared" ? SHARED : UNKNOWN;
}
