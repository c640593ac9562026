// Bills of materials: what is in an image and in a part, told in a form that GitHub attests.
import { describe, expect, test } from "bun:test";
import { imageBill, parsePackages } from "../../ami/build/sbom.ts";
import { librariesOf } from "../../build/libraries.ts";
import { billOfMaterials } from "../../build/sbom.ts";

/** RFC 9562's form, version 8. */
const SERIAL = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("the bill of materials", () => {
	test("is CycloneDX with packages, libraries and files, the same for the same input", async () => {
		const libraries = await librariesOf("agent/main.ts");
		expect(libraries.map(({ name }) => name)).toEqual(expect.arrayContaining(["pino", "sonic-boom", "valibot"]));
		const packages = parsePackages("git 1:2.39.5-0+deb12u3 amd64\n");
		const bill = { distribution: "debian", suite: "bookworm", packages, libraries, epoch: 1, version: "0" };
		const text = imageBill({ ...bill, files: [{ name: "mayfly-agent", version: "0", sha256: "a".repeat(64) }] });
		const { bomFormat, serialNumber, components } = JSON.parse(text);
		expect(bomFormat).toBe("CycloneDX");
		expect(serialNumber).toMatch(SERIAL);
		const purls = components.map(({ purl }: { purl?: string }) => purl);
		expect(purls).toContain("pkg:deb/debian/git@1%3A2.39.5-0%2Bdeb12u3?arch=amd64&distro=bookworm");
		for (const { name, hashes } of components.filter(({ purl }: { purl?: string }) => purl?.startsWith("pkg:npm/")))
			expect(`${name} ${hashes[0].content}`).toMatch(/ [0-9a-f]{128}$/);
	});
});

describe("a bill's serial number", () => {
	const of = { type: "application", name: "a", version: "1" } as const;
	const serial = (...bill: Parameters<typeof billOfMaterials>) => JSON.parse(billOfMaterials(...bill)).serialNumber as string;

	test("is a UUID, the same for the same bill and another for each other, so that GitHub attests it and builds stay the same", () => {
		const serials = [serial(of, []), serial(of, [of]), serial({ ...of, version: "2" }, []), serial(of, [], 1)];
		for (const each of serials) expect(each).toMatch(SERIAL);
		expect(new Set(serials).size).toBe(serials.length);
		expect(serial(of, [of])).toBe(serials[1] as string);
	});
});
