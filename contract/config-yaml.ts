// The text of a mayfly.yml. Apart from config.ts, so that the YAML library is no part of what reads the resolved config. Pure.
import { parseDocument, visit } from "yaml";
import { type MayflyYmlReading, parseMayflyYml } from "./mayfly-yml.ts";
import type { StackLists } from "./tier-checks.ts";

/** Reads the text of a mayfly.yml. A text that is not YAML is refused with the lines at which it is not. */
export function parseMayflyYaml(text: string, lists: StackLists | null = null): MayflyYmlReading {
	const value = valueIn(text);
	return value.ok ? parseMayflyYml(value.value, lists) : value;
}

function valueIn(text: string): { ok: true; value: unknown } | Extract<MayflyYmlReading, { ok: false }> {
	try {
		const document = parseDocument(text, { prettyErrors: false, logLevel: "error" });
		const lineAt = (offset: number) => `line ${text.slice(0, offset).split("\n").length}`;
		const problems = [...document.errors, ...document.warnings].map(({ pos, message }) => ({ path: lineAt(pos[0]), reason: message }));
		visit(document, {
			Scalar(_, { value, source, range }) {
				// JSON, as which the file travels, has no such numbers.
				if (typeof value === "number" && !Number.isFinite(value))
					problems.push({ path: lineAt(range?.[0] ?? 0), reason: `${source} is no number that can be used here` });
			},
		});
		return problems.length > 0 ? { ok: false, problems } : { ok: true, value: document.toJS() };
	} catch (error) {
		// The library throws at what it cannot unfold: brackets in brackets without end, an alias to nothing, aliases that grow into billions.
		const reason = error instanceof RangeError ? "the file is nested too deeply" : String(error instanceof Error ? error.message : error);
		return { ok: false, problems: [{ path: "line 1", reason }] };
	}
}
