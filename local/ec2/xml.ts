// Writes the XML in which EC2 and S3 answer. Pure. Lists become `<item>` elements, absent values nothing at all.

export type XmlValue = string | number | boolean | Date | null | undefined | XmlValue[] | { [name: string]: XmlValue };

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 cannot hold them, not even escaped
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function escapeText(text: string): string {
	return text
		.replace(UNWRITABLE, "\ufffd")
		.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)
		.replaceAll("\r", "&#13;");
}

/** One element with its content. Times are written as EC2 writes them: `2026-01-02T03:04:05.000Z`. */
export function element(name: string, value: XmlValue): string {
	if (value === null || value === undefined) return "";
	if (value instanceof Date) return `<${name}>${value.toISOString()}</${name}>`;
	if (Array.isArray(value)) return `<${name}>${value.map((item) => element("item", item)).join("")}</${name}>`;
	if (typeof value !== "object") return `<${name}>${escapeText(String(value))}</${name}>`;
	const children = Object.entries(value).map(([child, inner]) => element(child, inner));
	return `<${name}>${children.join("")}</${name}>`;
}

/** A whole document; `namespace` goes on its root. */
export function document(name: string, value: XmlValue, namespace?: string): string {
	const body = element(name, value);
	return `<?xml version="1.0" encoding="UTF-8"?>\n${namespace ? body.replace(`<${name}`, `<${name} xmlns="${escapeText(namespace)}"`) : body}`;
}
