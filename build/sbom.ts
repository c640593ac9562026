// A part's bill of materials: CycloneDX 1.5, the same bytes for the same part (https://cyclonedx.org/docs/1.5/json/). Pure.
import type { Library } from "./libraries.ts";

export interface Component {
	type: "application" | "library" | "framework" | "operating-system";
	name: string;
	version: string;
	purl?: string;
	hashes?: { alg: "SHA-256" | "SHA-512"; content: string }[];
}

/** A library as the registry names it. */
export function libraryComponent({ name, version, integrity }: Library): Component {
	const content = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
	return { type: "library", name, version, purl: `pkg:npm/${name.replace("@", "%40")}@${version}`, hashes: [{ alg: "SHA-512", content }] };
}

/** The document. `epoch`: seconds since 1970, where the thing has a time of its own. */
export function billOfMaterials(of: Pick<Component, "type" | "name" | "version">, components: Component[], epoch?: number): string {
	const metadata = { ...(epoch !== undefined && { timestamp: new Date(epoch * 1000).toISOString() }), component: of };
	return `${JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.5", version: 1, metadata, components }, null, "\t")}\n`;
}
