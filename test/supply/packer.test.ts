// The Packer template, by packer itself with the Amazon plugin; and the scripts around it, with programs that stand for AWS.
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { installPacker, type Packer } from "../fakes/packer.ts";

const FOLDER = join(import.meta.dir, "..", "..", "ami", "packer");
const GIVEN = {
	...{ name: "runner-x64", disk: "/etc/hostname", disk_sha256: "a".repeat(64), disk_bytes: "4294967296", commit: "b".repeat(40) },
	...{ region: "eu-west-1", writer_ami: "ami-0123456789abcdef0" },
};
const MINUTES = 20 * 60_000;
let packer: Packer;
beforeAll(async () => {
	packer = await installPacker();
}, MINUTES);

const validate = (over: Record<string, string> = {}) =>
	packer.run("validate", ...Object.entries({ ...GIVEN, ...over }).flatMap(([name, value]) => ["-var", `${name}=${value}`]), FOLDER);

describe("the template", () => {
	test("is formatted as packer does it", async () => {
		expect(await packer.run("fmt", "-check", "-diff", FOLDER)).toEqual({ code: 0, out: "" });
	});

	test.each(["runner-x64", "runner-arm64", "gateway-x64", "gateway-arm64"])("of %s is one that the plugin takes", async (name) => {
		expect(await validate({ name })).toEqual({ code: 0, out: "The configuration is valid.\n" });
	});

	test.each<[what: string, over: Record<string, string>, says: string]>([
		["a name that there is not", { name: "runner" }, "There is no image of this name"],
		["a checksum that is none", { disk_sha256: "a".repeat(63) }, "A checksum is 64 hex digits"],
		["a writer by a filter", { writer_ami: "ubuntu/images/*" }, "Name the writer's image by its id"],
		["a commit by a branch", { commit: "main" }, "A commit is 40 hex digits"],
		["a disk that is not there", { disk: "/nowhere/disk.raw.zst" }, "/nowhere/disk.raw.zst"],
	])("refuses %s", async (_, over, says) => {
		const { code, out } = await validate(over);
		expect(code).toBe(1);
		expect(out.replace(/\s+/g, " ")).toContain(says);
	});
});
