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

/** A number of a document's own that another build of the same gives too: of a hash, in the form of RFC 9562's version 8. */
function serialNumber(document: string): string {
	const hash = new Bun.CryptoHasher("sha256").update(document).digest("hex");
	const variant = "89ab"[Number.parseInt(hash[16] ?? "0", 16) % 4];
	return `urn:uuid:${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** The document. `epoch`: seconds since 1970, where the thing has a time of its own. */
export function billOfMaterials(of: Pick<Component, "type" | "name" | "version">, components: Component[], epoch?: number): string {
	const metadata = { ...(epoch !== undefined && { timestamp: new Date(epoch * 1000).toISOString() }), component: of };
	const told = { version: 1, metadata, components };
	// GitHub attests only documents that have one.
	const serial = serialNumber(JSON.stringify(told));
	return `${JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.5", serialNumber: serial, ...told }, null, "\t")}\n`;
}
