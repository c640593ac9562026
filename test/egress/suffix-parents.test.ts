// Wildcards above domains where anybody can have a name: refused in a mayfly.yml, by a file that is what the Public Suffix List in use says.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { suffixParents } from "../../build/suffix-parents.ts";
import groups from "../../egress/groups.json";
import { isAnybodys, readMayflyFile } from "../../egress/mayfly-file.ts";
import written from "../../egress/suffix-parents.json";

test("egress/suffix-parents.json is what `bun run suffix-parents` writes", async () => {
	expect(written).toEqual(await suffixParents());
});

const EXAMPLE = readFileSync(new URL("../../docs/mayfly.example.yml", import.meta.url), "utf8");
const problemsWith = (host: string) => {
	const read = readMayflyFile(EXAMPLE.replace(/"\*\.[a-z.]+"/, JSON.stringify(host)));
	return read.ok ? [] : read.problems.map(({ reason }) => reason);
};

describe("a mayfly.yml", () => {
	test.each([
		...["*.sagemaker.aws", "*.eu-west-1.sagemaker.aws", "*.amazoncognito.com", "*.linodeusercontent.com", "*.platform.sh", "*.ncloud.com"],
		...["*.exo.io", "*.gitpod.io"],
	])("with %p is refused", (host) => {
		expect(problemsWith(host).join()).toContain(`admits anybody's names below ${host.slice(2)}`);
	});

	test("may have a wildcard of its own, below a suffix as well, and those that the repository itself has", () => {
		const own = [EXAMPLE, ...Object.values(groups).flatMap(({ hosts }) => hosts)].flatMap((text) => text.match(/\*\.[a-z.]+/g) ?? []);
		expect(own).toContain("*.actions.githubusercontent.com");
		for (const host of [...own, "*.builds.example.com", "*.example.co.uk"]) expect([host, problemsWith(host)]).toEqual([host, []]);
		expect(own.filter((host) => isAnybodys(host.slice(2)))).toEqual([]);
	});
});
