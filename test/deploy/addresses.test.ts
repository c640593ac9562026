// Ranges that a stack cannot have are refused with the other parameters' problems, before anything is asked of AWS.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decideParameters } from "../../deploy/parameters.ts";
import { readTemplate } from "../../deploy/template.ts";

const root = readTemplate("root.yaml", readFileSync(join(import.meta.dir, "..", "..", "cloudformation", "root.yaml"), "utf8"));
const NEEDED = {
	RelayUrl: "https://relay.example.com",
	AppId: "42",
	SecretArn: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mayfly-AbCdEf",
};
const refused = (set: Record<string, string>) => decideParameters(root, { set: { ...NEEDED, ...set }, file: {} }, null).problems;

test.each<[Record<string, string>, string[]]>([
	[{}, []],
	[{ SshCidr: "198.51.100.0/24" }, []],
	[{ SshCidr: "10.77.3.0/24" }, ["SshCidr: 10.77.3.0/24 overlaps Cidr 10.77.0.0/16: machines could open each other"]],
	[{ SshCidr: "198.51.100.7/24" }, ["SshCidr: 198.51.100.7/24 does not begin where a /24 begins: 198.51.100.0/24"]],
	[{ Cidr: "172.16.0.0/16", SshCidr: "172.0.0.0/8" }, ["SshCidr: 172.0.0.0/8 overlaps Cidr 172.16.0.0/16: machines could open each other"]],
])("of %p it says %p", (set, said) => {
	expect(refused(set)).toEqual(said);
});

test("what the template's pattern refuses is told once", () => {
	expect(refused({ SshCidr: "0.0.0.0/0" }).filter((line) => line.startsWith("SshCidr: "))).toHaveLength(1);
	expect(refused({ Cidr: "8.8.0.0/16" }).filter((line) => line.startsWith("Cidr: "))).toHaveLength(1);
});
