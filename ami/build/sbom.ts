// What is in an image as a CycloneDX document: Debian's packages, our program with the libraries in it, the runner. Pure.
import type { Library } from "../../build/libraries.ts";
import { billOfMaterials, type Component, libraryComponent } from "../../build/sbom.ts";

export interface Package {
	name: string;
	version: string;
	architecture: string;
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

export function imageBill({ distribution, suite, packages, libraries, files, epoch, version }: Bill): string {
	const components: Component[] = [
		{ type: "operating-system", name: distribution, version: suite },
		...files.map(
			({ name, version, sha256 }): Component => ({
				...{ type: "application", name, version },
				hashes: [{ alg: "SHA-256", content: sha256 }],
			}),
		),
		...packages.map(
			({ name, version, architecture }): Component => ({
				...{ type: "library", name, version },
				purl: `pkg:deb/${distribution}/${name}@${encodeURIComponent(version)}?arch=${architecture}&distro=${suite}`,
			}),
		),
		...libraries.map(libraryComponent),
	];
	return billOfMaterials({ type: "operating-system", name: "mayfly-image", version }, components, epoch);
}
