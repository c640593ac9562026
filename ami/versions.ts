// ami/versions.json: every pin of the image. A pin that is missing is a problem with its name, never a fetch without one.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { ImageProblem } from "./problem.ts";

export const ARCHITECTURES = ["x64", "arm64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];
export const BASES = ["debian", "ubuntu"] as const;
export type BaseName = (typeof BASES)[number];

const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "is not a sha256 in lower-case hex"));
/** A version as dpkg has it, whole or with `*` at its end: security updates of the same release come in. */
const VersionPattern = v.pipe(
	v.string(),
	v.regex(/^([0-9A-Za-z.+:~-]*\*|[0-9A-Za-z.+:~-]+)$/, "is not a version or a beginning of one with *"),
);
const Packages = v.record(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9+.-]+$/, "is not a package's name")), VersionPattern);
const PerArchitecture = <T extends v.GenericSchema>(schema: T) => v.strictObject({ x64: schema, arm64: schema });

const Base = v.strictObject({
	suite: v.pipe(v.string(), v.regex(/^[a-z]+$/, "is not a suite")),
	/** The keys that the archive's index must be signed with. */
	keyring: v.string(),
	kernel: PerArchitecture(v.string()),
	packages: Packages,
	/** All of the gateway's image. */
	gateway: Packages,
});
export type Base = v.InferOutput<typeof Base>;

const Versions = v.strictObject({
	runner: v.strictObject({
		version: v.pipe(v.string(), v.regex(/^[0-9]+\.[0-9]+\.[0-9]+$/, "is not a version like 2.337.0")),
		sha256: v.strictObject({ x64: v.optional(v.nullable(Sha256), null), arm64: v.optional(v.nullable(Sha256), null) }),
	}),
	bases: v.strictObject({ debian: Base, ubuntu: Base }),
	disk: v.strictObject({ sizeMiB: v.pipe(v.number(), v.minValue(1024)), espMiB: v.pipe(v.number(), v.minValue(33)) }),
});
export type Versions = v.InferOutput<typeof Versions>;

export const VERSIONS_FILE = join(import.meta.dir, "versions.json");

export async function readVersions(file: string): Promise<Versions> {
	const text = await readFile(file, "utf8").catch((cause) => {
		throw new ImageProblem(file, "cannot be read", { cause });
	});
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (cause) {
		throw new ImageProblem(file, `is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
	}
	const read = v.safeParse(Versions, json);
	if (read.success) return read.output;
	throw new ImageProblem(file, read.issues.map((issue) => `${v.getDotPath(issue) ?? "the file"} ${issue.message}`).join("; "));
}

/** The pin of the runner's tarball. Throws if there is none: nothing is fetched without. */
export function runnerPin({ runner }: Versions, architecture: Architecture): { version: string; sha256: string } {
	const sha256 = runner.sha256[architecture];
	if (sha256 === null) throw new ImageProblem("runner", `no sha256 for ${runner.version} on ${architecture} in versions.json`);
	return { version: runner.version, sha256 };
}

/** Lines `name version`, as 10-packages.sh takes them. Pure. */
export const packageLines = (packages: Record<string, string>) =>
	Object.entries(packages)
		.map(([name, version]) => `${name} ${version}`)
		.join("\n");
