// The Rules of a template, as CloudFormation would judge them, so that an impossible combination is told before anything is uploaded. Pure.
// What is not known here (AWS-specific values of parameters) holds: CloudFormation has the last word.
import type { Json, TemplateRule } from "./template.ts";

type Values = Record<string, string>;
const UNKNOWN = Symbol("not known here");
type Known = Json | typeof UNKNOWN;

const asList = (value: Json): string[] => (Array.isArray(value) ? value.map(String) : String(value).split(","));

/** A function of known arguments alone; anything else is unknown. */
function over(parts: Known[], decide: (parts: Json[]) => Json): Known {
	return parts.includes(UNKNOWN) ? UNKNOWN : decide(parts as Json[]);
}

function and(parts: Known[]): Known {
	if (parts.includes(false)) return false;
	return parts.includes(UNKNOWN) ? UNKNOWN : true;
}
const not = (part: Known): Known => (part === UNKNOWN ? UNKNOWN : part !== true);

function outcome(node: Json, values: Values): Known {
	if (typeof node !== "object" || node === null) return node;
	if (Array.isArray(node))
		return over(
			node.map((part) => outcome(part, values)),
			(parts) => parts,
		);
	const [[name, argument] = ["", null]] = Object.entries(node);
	if (name === "Ref") return values[String(argument)] ?? UNKNOWN;
	const parts = (Array.isArray(argument) ? argument : [argument]).map((part) => outcome(part, values));
	const [one = UNKNOWN, other = UNKNOWN] = parts;
	switch (name) {
		case "Fn::Equals":
			return over([one, other], ([a, b]) => String(a) === String(b));
		case "Fn::Not":
			return not(one);
		case "Fn::And":
			return and(parts);
		case "Fn::Or":
			return not(and(parts.map(not)));
		case "Fn::Contains":
			return over([one, other], ([list = [], value = ""]) => asList(list).includes(String(value)));
		case "Fn::EachMemberIn":
			return over([one, other], ([list = [], among = []]) => asList(list).every((member) => asList(among).includes(member)));
		case "Fn::EachMemberEquals":
			return over([one, other], ([list = [], value = ""]) => asList(list).every((member) => member === String(value)));
		default:
			return UNKNOWN;
	}
}

/** What the rules have against these values, in the words of the template. */
export function brokenRules(rules: Record<string, TemplateRule>, values: Values): string[] {
	return Object.entries(rules).flatMap(([name, { RuleCondition = true, Assertions }]) => {
		if (outcome(RuleCondition, values) !== true) return [];
		return Assertions.flatMap(({ Assert, AssertDescription = "does not hold" }) =>
			outcome(Assert, values) === false ? [`${AssertDescription} (rule ${name})`] : [],
		);
	});
}
