// Checks an exchange against GitHub's own OpenAPI description, and knows which paths GitHub has. Reads the description once, when first asked.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import Ajv, { type ValidateFunction } from "ajv";

/** The package's main file would load every description, 394 MB; this is the one of github.com (FACTS 8). */
const DESCRIPTION = "@octokit/openapi/generated/api.github.com.json";

export interface Exchange {
	method: string;
	/** With or without its query. */
	path: string;
	requestBody: unknown;
	status: number;
	/** Null when empty. */
	responseBody: unknown;
}

interface Schema {
	$ref?: string;
}
interface Content {
	content?: Record<string, { schema: Schema }>;
}
interface Parameter {
	name: string;
	in: string;
	schema: Schema;
}
interface Operation {
	parameters?: (Parameter & Schema)[];
	requestBody?: Content & { required?: boolean };
	responses: Record<string, Content & Schema>;
}
interface Description {
	paths: Record<string, Record<string, Operation>>;
	components: { responses: Record<string, Content>; parameters: Record<string, Parameter>; schemas: Record<string, unknown> };
	"x-webhooks": Record<string, { post: Operation }>;
}

/** Refusals that any operation may give although few say so. */
const GENERAL = new Set([400, 401, 403, 404, 422, 429, 500, 502, 503]);

let loaded: { description: Description; ajv: Ajv; compiled: Map<string, ValidateFunction>; templates: string[][] } | null = null;

/** OpenAPI 3.0 lets `nullable` stand beside an enum without null, or without a type; JSON schema does not. Changes the node in place. */
function admitNull(node: unknown): void {
	if (typeof node !== "object" || node === null) return;
	for (const child of Object.values(node)) admitNull(child);
	const schema = node as Record<string, unknown>;
	if (schema.nullable !== true) return;
	const { nullable: _, ...rest } = schema;
	for (const name of Object.keys(schema)) delete schema[name];
	schema.anyOf = [{ type: "null" }, rest];
}

/**
 * Where the description writes an account out in place, it must be a user and an enterprise at once; where it refers to an installation, one
 * of them is enough. Changes the node in place.
 */
function admitEither(node: unknown): void {
	if (typeof node !== "object" || node === null) return;
	for (const child of Object.values(node)) admitEither(child);
	const schema = node as { allOf?: { title?: string }[]; anyOf?: unknown };
	if (schema.allOf?.map(({ title }) => title).join() !== "Simple User,Enterprise") return;
	schema.anyOf = schema.allOf;
	delete schema.allOf;
}

function load(): NonNullable<typeof loaded> {
	if (loaded) return loaded;
	const description = JSON.parse(readFileSync(createRequire(import.meta.url).resolve(DESCRIPTION), "utf8")) as Description;
	admitEither(description);
	admitNull(description);
	const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false });
	ajv.addSchema({ components: description.components }, "github");
	const templates = Object.keys(description.paths).map((path) => path.split("/"));
	loaded = { description, ajv, compiled: new Map(), templates };
	return loaded;
}

const isParameter = (part: string) => part.startsWith("{");

/** GitHub's path template for a path; of several the one with the fewest parameters. */
function templateOf(path: string): string | null {
	const parts = path.split("/");
	const fitting = load().templates.filter(
		(template) =>
			template.length === parts.length && template.every((part, at) => (isParameter(part) ? parts[at] !== "" : part === parts[at])),
	);
	const [best] = fitting.toSorted((a, b) => a.filter(isParameter).length - b.filter(isParameter).length);
	return best?.join("/") ?? null;
}

/** Whether GitHub has such a call. */
export function isGitHubCall(method: string, path: string): boolean {
	const template = templateOf(path);
	return template !== null && load().description.paths[template]?.[method.toLowerCase()] !== undefined;
}

/** Points the schema's references at the description, so that each is compiled only once it is used. */
function validate(schema: Schema, value: unknown, where: string): string[] {
	const { ajv, compiled } = load();
	const text = JSON.stringify(schema).replaceAll('"#/components/', '"github#/components/');
	const check = compiled.get(text) ?? ajv.compile(JSON.parse(text));
	compiled.set(text, check);
	return check(value) ? [] : (check.errors ?? []).map((error) => `${where}${error.instancePath} ${error.message}`);
}

const named = <T>(ref: string | undefined, among: Record<string, T>): T | undefined => among[ref?.split("/").at(-1) ?? ""];
const schemaOf = (content: Content["content"]): Schema | undefined => Object.values(content ?? {})[0]?.schema;

function checkQuery(operation: Operation, query: URLSearchParams): string[] {
	const { parameters } = load().description.components;
	const known = (operation.parameters ?? []).map((one) => (one.$ref ? named(one.$ref, parameters) : one));
	return [...query].flatMap(([name, text]) => {
		const parameter = known.find((one) => one?.in === "query" && one.name === name);
		if (!parameter) return [`query: GitHub knows no parameter ${name}`];
		const value = /^-?\d+$/.test(text) && !JSON.stringify(parameter.schema).includes('"string"') ? Number(text) : text;
		return validate(parameter.schema, value, `query ${name}`);
	});
}

function checkRequest(operation: Operation, body: unknown): string[] {
	const schema = schemaOf(operation.requestBody?.content);
	if (!schema) return body === null || body === undefined ? [] : ["request: GitHub takes no body here"];
	if (body === null || body === undefined) return operation.requestBody?.required ? ["request: the body is missing"] : [];
	return validate(schema, body, "request");
}

function checkResponse(operation: Operation, { status, responseBody }: Exchange): string[] {
	const { responses, schemas } = load().description.components;
	const declared = operation.responses[String(status)];
	if (status === 304) return [];
	if (!declared) {
		if (!GENERAL.has(status)) return [`response: GitHub documents no ${status} here`];
		return "basic-error" in schemas ? validate({ $ref: "#/components/schemas/basic-error" }, responseBody, "response") : [];
	}
	const schema = schemaOf((declared.$ref ? named(declared.$ref, responses) : declared)?.content);
	if (schema) return validate(schema, responseBody, "response");
	return responseBody === null ? [] : ["response: GitHub sends no body here"];
}

/** Every way in which one exchange is not as GitHub describes it; empty when it is. A refused request need not be a good one. */
export function checkExchange(exchange: Exchange): string[] {
	const { pathname, searchParams } = new URL(exchange.path, "http://github");
	const template = templateOf(pathname);
	const operation = template === null ? undefined : load().description.paths[template]?.[exchange.method.toLowerCase()];
	if (!operation) return [`GitHub has no ${exchange.method} ${pathname}`];
	const asked = exchange.status < 400 ? [...checkQuery(operation, searchParams), ...checkRequest(operation, exchange.requestBody)] : [];
	return [...asked, ...checkResponse(operation, exchange)].map(
		(problem) => `${exchange.method} ${template} ${exchange.status}: ${problem}`,
	);
}

/** Every way in which a `workflow_job` payload is not as GitHub describes it. */
export function checkJobEvent(action: string, payload: unknown): string[] {
	const webhook = load().description["x-webhooks"][`workflow-job-${action.replace("_", "-")}`];
	const schema = schemaOf(webhook?.post.requestBody?.content);
	return schema ? validate(schema, payload, "payload") : [`GitHub has no workflow_job ${action}`];
}
