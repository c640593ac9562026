// `bun run schema`: writes contract/mayfly.schema.json, for editors, from the one schema of mayfly.yml in contract/mayfly-yml.ts.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { MayflyYml } from "../contract/mayfly-yml.ts";
import { formOf } from "./schema-forms.ts";
import { WORDS } from "./schema-words.ts";

const FILE = join(import.meta.dir, "..", "contract", "mayfly.schema.json");

/** A tier's own limits are told as those at the top. */
const wordsOf = (path: string) => WORDS[path] ?? WORDS[path.replace(/^tiers\.\*\.limits\./, "limits.")];

/** Every part of a schema that has a path of its own in the file, with it. */
export function partsOf(schema: JsonSchema | boolean, path = ""): { path: string; schema: JsonSchema }[] {
	if (typeof schema === "boolean") return [];
	const named = Object.entries(schema.properties ?? {}).map(([name, part]) => ({ part, path: path === "" ? name : `${path}.${name}` }));
	const any = schema.additionalProperties ? [{ part: schema.additionalProperties, path: `${path}.*` }] : [];
	const parts = [...named, ...any].flatMap(({ part, path }) =>
		typeof part === "boolean" ? [] : [{ path, schema: part }, ...partsOf(part, path)],
	);
	const items = schema.items !== undefined && !Array.isArray(schema.items) ? partsOf(schema.items, `${path}[]`) : [];
	return [...parts, ...items, ...(schema.anyOf ?? []).flatMap((part) => partsOf(part, path))];
}

/** The JSON Schema (draft-07, which YAML editors read best) of what an operator may write. Throws for what has no counterpart in it. */
export function schemaOfFile(): JsonSchema {
	const schema = toJsonSchema(MayflyYml, {
		typeMode: "input",
		overrideAction: ({ valibotAction, jsonSchema }) => {
			if (valibotAction.type === "trim") return { ...jsonSchema, pattern: "\\S" };
			const read = "metadata" in valibotAction && (valibotAction.metadata as { read?: unknown }).read;
			return read ? formOf(read) : undefined;
		},
	});
	for (const { path, schema: part } of partsOf(schema)) {
		const description = wordsOf(path);
		if (description !== undefined) part.description = description;
	}
	const { $schema, ...rest } = schema;
	return { $schema, title: "mayfly.yml", description: "The operator's file: docs/configuration.md", ...rest };
}

/** The text of the schema's file. */
export function schemaText(): string {
	return `${JSON.stringify(schemaOfFile(), null, "\t")}\n`;
}

if (import.meta.main) {
	await writeFile(FILE, schemaText());
	process.stdout.write(`${FILE}\n`);
}
