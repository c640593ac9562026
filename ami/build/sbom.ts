// What is in an image as a CycloneDX document: Debian's packages, the agent with the libraries in it, the runner. Pure.

export interface Package {
	name: string;
	version: string;
	architecture: string;
}

export interface Library {
	name: string;
	version: string;
	/** As bun.lock has it: `sha512-<base64>`. */
	integrity: string;
}

export interface Bill {
	distribution: string;
	suite: string;
	packages: Package[];
	libraries: Library[];
	files: { name: string; version: string; sha256: string }[];
	/** Seconds since 1970. */
	epoch: number;
	version: string;
}

/** Lines of `dpkg-query -W -f '${Package} ${Version} ${Architecture}\n'`. */
export function parsePackages(text: string): Package[] {
	return text
		.split("\n")
		.filter(Boolean)
		.map((line) => line.split(" "))
		.map(([name = "", version = "", architecture = ""]) => ({ name, version, architecture }));
}

type LockEntry = [spec: string, ...rest: unknown[]];
type LockFile = { packages: Record<string, LockEntry> };

/** bun.lock is JSON with commas at the ends of lists. */
const parseLock = (text: string) => JSON.parse(text.replace(/,(\s*[}\]])/g, "$1")) as LockFile;

/** The libraries that the named ones bring, themselves included. */
export function librariesOf(lock: string, names: string[]): Library[] {
	const { packages } = parseLock(lock);
	const found = new Map<string, Library>();
	const add = (name: string) => {
		const entry = packages[name];
		if (entry === undefined || found.has(name)) return;
		const [spec] = entry;
		const facts = entry.find((it) => typeof it === "object" && it !== null) as { dependencies?: Record<string, string> } | undefined;
		found.set(name, { name, version: spec.slice(spec.lastIndexOf("@") + 1), integrity: String(entry.at(-1)) });
		Object.keys(facts?.dependencies ?? {}).forEach(add);
	};
	names.forEach(add);
	return [...found.values()].toSorted((a, b) => a.name.localeCompare(b.name));
}

/** Libraries that sources import: no files of ours, nothing of the runtime's own. */
export function importedLibraries(sources: string[]): string[] {
	const names = sources.flatMap((text) => [...text.matchAll(/(?:from|import)\s*\(?\s*"([^".][^"]*)"/g)].map((match) => match[1] as string));
	const libraries = names.filter((name) => !/^(node:|bun$|bun:)/.test(name));
	return [
		...new Set(
			libraries.map((name) =>
				name
					.split("/")
					.slice(0, name.startsWith("@") ? 2 : 1)
					.join("/"),
			),
		),
	].toSorted();
}

const hex = (integrity: string) => Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");

export function billOfMaterials({ distribution, suite, packages, libraries, files, epoch, version }: Bill): string {
	const components = [
		{ type: "operating-system", name: distribution, version: suite },
		...files.map(({ name, version, sha256 }) => ({ type: "application", name, version, hashes: [{ alg: "SHA-256", content: sha256 }] })),
		...packages.map(({ name, version, architecture }) => ({
			...{ type: "library", name, version },
			purl: `pkg:deb/${distribution}/${name}@${encodeURIComponent(version)}?arch=${architecture}&distro=${suite}`,
		})),
		...libraries.map(({ name, version, integrity }) => ({
			...{ type: "library", name, version, purl: `pkg:npm/${name.replace("@", "%40")}@${version}` },
			hashes: [{ alg: "SHA-512", content: hex(integrity) }],
		})),
	];
	const metadata = {
		timestamp: new Date(epoch * 1000).toISOString(),
		component: { type: "operating-system", name: "mayfly-image", version },
	};
	return `${JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.5", version: 1, metadata, components }, null, "\t")}\n`;
}
