// What the short texts of mayfly.yml look like in its JSON Schema: one form for each reader that contract/mayfly-yml.ts writes a value with. Pure.
// A form may be looser than its reader (a pattern cannot compare both ends of a range), never stricter.
import type { JsonSchema } from "@valibot/to-json-schema";
import { readEntry } from "../contract/host.ts";
import { readDuration } from "../contract/mayfly-yml.ts";
import { readFamilies, readRange, readRetry, readSpot, readVolume } from "../contract/size.ts";

const anyCase = (text: string) => text.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);

const AMOUNT = "[0-9]{1,5}(\\.[0-9]{1,2})?";
const FAMILY = "[A-Za-z0-9*-]+(\\.[A-Za-z0-9*-]+)?";
const DISK = "([0-9]{1,5}[gG][bB]|[gG][pP][23]|[iI][oO][12]|[0-9]{1,4}[mM][iI][bB][pP][sS]|[0-9]{1,6}[iI][oO][pP][sS])";
const RETRY_WORDS = ["when-interrupted", "true", "false"];
const SPOT_WORDS = ["true", "pco", "co", "lp", "false", "never"];

const FORMS = new Map<unknown, JsonSchema>([
	[
		readRange,
		{
			anyOf: [
				{ type: "number", exclusiveMinimum: 0, maximum: 32_768 },
				{ type: "string", pattern: `^${AMOUNT}(\\+${AMOUNT})?$` },
			],
			examples: [4, "2+8"],
		},
	],
	[readDuration, { type: "string", pattern: "^[0-9]{1,9}(ms|s|m|h|d)$", examples: ["500ms", "90s", "10m", "6h", "2d"] }],
	// `family: 7` is a text to the reader, as it is to whoever wrote it.
	[
		readFamilies,
		{ type: ["string", "number", "boolean"], pattern: `^${FAMILY}(\\+${FAMILY}){0,49}$`, examples: ["m7i", "c7+m7", "m8g.*"] },
	],
	[readVolume, { type: "string", pattern: `^${DISK}(:${DISK}){0,3}$`, examples: ["80gb", "80gb:gp3:250mibps:4000iops"] }],
	[
		readEntry,
		{
			type: "string",
			pattern: "^\\s*(\\*\\.)?[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+\\s*$",
			examples: ["api.example.com", "*.builds.example.com"],
		},
	],
	[readRetry, { anyOf: [{ enum: [true, false, ...RETRY_WORDS] }, { type: "string", pattern: `^(${anyCase(RETRY_WORDS.join("|"))})$` }] }],
	[readSpot, { anyOf: [{ enum: [true, false, ...SPOT_WORDS] }, { type: "string", pattern: `^(${anyCase(SPOT_WORDS.join("|"))})$` }] }],
]);

/** What a reader takes. Throws for a reader that has no form: the schema would then take any text. */
export function formOf(read: unknown): JsonSchema {
	const form = FORMS.get(read);
	if (form === undefined)
		throw new Error(`no form for ${read instanceof Function ? read.name : read}: give it one in build/schema-forms.ts`);
	return structuredClone(form);
}
