// From the templates as they lie in cloudformation/ to what CloudFormation can read: nested templates and code by the hash of their bytes in the
// artifacts bucket, and the mapping `Deployed` filled in. Pure.
import { createHash } from "node:crypto";
import { basename, extname } from "node:path/posix";
import { type Edit, type Json, readTemplate, TemplateError, withValues } from "./template.ts";

export interface Artifact {
	key: string;
	/** What it was made of, for people. */
	from: string;
	body: Uint8Array;
	sha256: string;
}
/** What root.yaml says of the operator's file. */
export interface Deployed {
	/** In the order of the file. */
	tiers: string[];
	configKey: string;
	domainFile: string;
	/** ARNs of objects of other buckets that machines may read. */
	objects: string[];
	/** The one tier whose machines hold a role, and that role's ARN. */
	tierRole?: { tier: string; arn: string } | undefined;
}
export interface Place {
	bucket: string;
	/** An object's URL, as CloudFormation wants it. */
	urlOf: (key: string) => string;
}
export interface Sources {
	/** Texts of templates by their name in cloudformation/. */
	templates: Record<string, string>;
	/** Bytes of code by the path that templates give it, relative to cloudformation/. */
	code: Record<string, Uint8Array>;
}
export interface Package {
	/** Each once, what is named by another before that. The root template is the last one. */
	artifacts: Artifact[];
	root: Artifact;
}

export const ROOT = "root.yaml";
const TIERS = ["One", "Two", "Three", "Four", "Five"];
const sha256Of = (body: Uint8Array | string) => createHash("sha256").update(body).digest("hex");

/** An object whose key holds the hash of its bytes, so that a key never changes what it stands for. */
export function artifactOf(folder: string, from: string, body: Uint8Array | string): Artifact {
	const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
	const sha256 = sha256Of(bytes);
	const extension = extname(from);
	return { key: `${folder}/${basename(from, extension)}-${sha256.slice(0, 32)}${extension}`, from, body: bytes, sha256 };
}

/** Packages the root template and everything that it names. Throws a TemplateError for a name that leads nowhere. */
export function packageStack({ templates, code }: Sources, deployed: Deployed, place: Place): Package {
	const made = new Map<string, Artifact>();
	const underWay: string[] = [];

	function template(name: string): Artifact {
		const there = made.get(name);
		if (there) return there;
		const text = Object.hasOwn(templates, name) ? templates[name] : undefined;
		if (text === undefined) throw new TemplateError(underWay.at(-1) ?? ROOT, `names ${name}, which is not there`);
		if (underWay.includes(name)) throw new TemplateError(name, `contains itself: ${[...underWay, name].join(" > ")}`);
		underWay.push(name);
		const edits = [...partsOf(name, text), ...(name === ROOT ? mappingEdits(deployed) : [])];
		underWay.pop();
		const artifact = artifactOf("templates", name, withValues(name, text, edits));
		made.set(name, artifact);
		return artifact;
	}

	function bundle(name: string, path: string): Json {
		const body = Object.hasOwn(code, path) ? code[path] : undefined;
		if (body === undefined) throw new TemplateError(name, `names the code ${path}, which is not there`);
		const artifact = made.get(path) ?? artifactOf("code", `${basename(path, extname(path))}.zip`, body);
		made.set(path, artifact);
		return { S3Bucket: place.bucket, S3Key: artifact.key };
	}

	function partsOf(name: string, text: string): Edit[] {
		return Object.entries(readTemplate(name, text).Resources).flatMap(([id, { Type, Properties = {} }]): Edit[] => {
			const { TemplateURL, Code } = Properties;
			if (Type === "AWS::CloudFormation::Stack" && typeof TemplateURL === "string" && !TemplateURL.includes("://")) {
				const url = place.urlOf(template(TemplateURL.replace(/^\.\//, "")).key);
				return [{ path: ["Resources", id, "Properties", "TemplateURL"], value: url }];
			}
			if (Type === "AWS::Lambda::Function" && typeof Code === "string")
				return [{ path: ["Resources", id, "Properties", "Code"], value: bundle(name, Code) }];
			return [];
		});
	}

	const root = template(ROOT);
	return { artifacts: [...made.values()], root };
}

function mappingEdits({ tiers, configKey, domainFile, objects, tierRole }: Deployed): Edit[] {
	if (tiers.length > TIERS.length) throw new TemplateError(ROOT, `holds ${TIERS.length} tiers, not ${tiers.length}`);
	return [
		...TIERS.map((place, at) => ({ path: ["Mappings", "Deployed", "Tiers", place], value: tiers[at] ?? "" })),
		{ path: ["Mappings", "Deployed", "TierRole", "Tier"], value: tierRole?.tier ?? "" },
		{ path: ["Mappings", "Deployed", "TierRole", "Arn"], value: tierRole?.arn ?? "" },
		{ path: ["Mappings", "Deployed", "Config", "Key"], value: configKey },
		{ path: ["Mappings", "Deployed", "Egress", "DomainFile"], value: domainFile },
		{ path: ["Mappings", "Deployed", "Egress", "Objects"], value: objects.join(",") },
	];
}
