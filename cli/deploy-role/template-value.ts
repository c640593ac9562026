// A value of a CloudFormation template as text with holes: what a parameter may hold is known by its pattern alone. Pure.

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Something that is known only when the stack is made. */
export interface Hole {
	name: string;
	/** Whether a text may stand there. */
	takes: (text: string) => boolean;
	/** Its values, where they are listed, or its default: what may stand there for sure. */
	values: string[];
	/** A parameter: who writes the template decides what it takes. */
	isParameter: boolean;
}
export type Parts = (string | Hole)[];

/** What of a template is looked up. Both are empty for anything else. */
export interface Surroundings {
	parameters: JsonObject;
	resources: JsonObject;
}

export const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

const PSEUDO: Record<string, string> = {
	"AWS::AccountId": "111122223333",
	"AWS::Partition": "aws",
	"AWS::Region": "eu-west-1",
	"AWS::StackName": "stack",
	"AWS::URLSuffix": "amazonaws.com",
};
const ANYTHING = (name: string): Hole => ({ name, takes: () => true, values: [], isParameter: false });

/** The one function that a mapping with a single key calls; null for any other value. */
export function callIn(value: Json): [name: string, argument: Json] | null {
	const [entry, ...more] = isObject(value) ? Object.entries(value) : [];
	return entry !== undefined && more.length === 0 && (entry[0] === "Ref" || entry[0].startsWith("Fn::")) ? entry : null;
}

function parameterHole(name: string, parameter: Json): Hole {
	const { AllowedPattern, AllowedValues, Default } = isObject(parameter) ? parameter : {};
	const listed = Array.isArray(AllowedValues) ? AllowedValues.map(String) : null;
	return {
		name: `the parameter ${name}`,
		values: listed ?? (Default === undefined ? [] : [String(Default)]),
		takes: (text) => (listed ? listed.includes(text) : typeof AllowedPattern !== "string" || patternTakes(AllowedPattern, text)),
		isParameter: true,
	};
}

/** A pattern without ends is taken for one that may match inside; one that cannot be read refuses nothing. */
function patternTakes(pattern: string, text: string): boolean {
	try {
		return new RegExp(pattern).test(text);
	} catch {
		return true;
	}
}

function resourceParts(name: string, resource: Json): Parts {
	const { Type, Properties } = isObject(resource) ? resource : {};
	const url = isObject(Properties ?? null) ? (Properties as JsonObject).Url : undefined;
	if (Type === "AWS::IAM::OIDCProvider" && typeof url === "string")
		return [`arn:aws:iam::111122223333:oidc-provider/${url.replace(/^https:\/\//, "")}`];
	if (Type === "AWS::IAM::ManagedPolicy") return [`arn:aws:iam::111122223333:policy/${name}`];
	return [ANYTHING(`the resource ${name}`)];
}

function named(name: string, around: Surroundings): Parts {
	const pseudo = PSEUDO[name];
	if (pseudo !== undefined) return [pseudo];
	if (Object.hasOwn(around.parameters, name)) return [parameterHole(name, around.parameters[name] ?? null)];
	const [resource = ""] = name.split(".");
	if (Object.hasOwn(around.resources, resource)) return resourceParts(resource, around.resources[resource] ?? null);
	return [ANYTHING(name)];
}

function substituted(argument: Json, around: Surroundings): Parts {
	const [text, given] = Array.isArray(argument) ? argument : [argument, {}];
	const own = isObject(given ?? null) ? (given as JsonObject) : {};
	return String(text)
		.split(/(\$\{[^}]*\})/)
		.flatMap((piece): Parts => {
			const [, literal, name = ""] = /^\$\{(!?)([^}]*)\}$/.exec(piece) ?? [];
			if (literal === undefined) return [piece];
			if (literal === "!") return [`\${${name}}`];
			return Object.hasOwn(own, name) ? partsOf(own[name] ?? null, around) : named(name, around);
		});
}

/** A value as text with holes in it. What is no text is a hole that may hold anything. */
export function partsOf(value: Json, around: Surroundings): Parts {
	if (!isObject(value) && !Array.isArray(value)) return [String(value ?? "")];
	const [name, argument] = callIn(value) ?? ["", null];
	if (name === "Ref") return named(String(argument), around);
	if (name === "Fn::GetAtt") return named(Array.isArray(argument) ? argument.join(".") : String(argument), around);
	if (name === "Fn::Sub") return substituted(argument, around);
	if (name === "Fn::Join" && Array.isArray(argument) && Array.isArray(argument[1])) {
		const [between, items] = argument as [Json, Json[]];
		return items.flatMap((item, at) => [...(at > 0 ? [String(between)] : []), ...partsOf(item, around)]);
	}
	return [ANYTHING(name === "" ? "a mapping or list" : name)];
}
