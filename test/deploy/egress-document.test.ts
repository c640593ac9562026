// What gateways and the resolver are told, composed from tiers.
import { describe, expect, test } from "bun:test";
import { resolveFile } from "../../contract/config.ts";
import { parseMayflyYaml } from "../../contract/config-yaml.ts";
import { composeEgress, type Surroundings } from "../../deploy/egress-document.ts";
import { unionOf } from "../../egress/allowlist.ts";

const GROUPS = {
	github: {
		about: "",
		source: "",
		reviewed: "",
		hosts: ["github.com", "*.actions.githubusercontent.com", "github-cloud.s3.amazonaws.com"],
	},
};
const AROUND: Surroundings = {
	...{
		mode: "enforce",
		cidr: "10.77.0.0/16",
		zones: 2,
		relayUrl: "https://relay.example.com",
		region: "eu-west-1",
		urlSuffix: "amazonaws.com",
	},
};
type Egress = { groups?: string[]; hosts?: string[] };
function fileOf(egress: Record<string, Egress>) {
	const tiers = Object.fromEntries(Object.entries(egress).map(([name, lists]) => [name, { allow: {}, egress: lists }]));
	const text = JSON.stringify({ owners: [{ name: "octo-org" }], images: { x64: { arch: "x64" } }, presets: {}, tiers });
	const read = parseMayflyYaml(text);
	if (!read.ok) throw new Error(JSON.stringify(read.problems));
	return resolveFile(read.value);
}
function composed(tiers: Record<string, Egress>, around: Partial<Surroundings> = {}) {
	const read = composeEgress(fileOf(tiers), GROUPS, { ...AROUND, ...around });
	if (!read.ok) throw new Error(read.reason);
	return read.egress;
}
const TWO = { build: { groups: ["github"], hosts: ["registry.example.com"] }, ship: { groups: [], hosts: ["*.prod.example.com"] } };

describe("the gateways' list", () => {
	test("has a list for each tier, by its subnets, and the poller's own", () => {
		const { document } = composed(TWO);
		expect(document).toMatchObject({ version: 1, mode: "enforce", gateways: ["10.77.0.0/23", "10.77.2.0/23"] });
		expect(document.lists).toEqual([
			{
				name: "build",
				sources: ["10.77.16.0/20", "10.77.32.0/20"],
				hosts: [
					"*.actions.githubusercontent.com",
					"github-cloud.s3.amazonaws.com",
					"github.com",
					"registry.example.com",
					"relay.example.com",
				],
			},
			{ name: "ship", sources: ["10.77.64.0/20", "10.77.80.0/20"], hosts: ["*.prod.example.com", "relay.example.com"] },
			{
				name: "poller",
				sources: ["10.77.6.0/23", "10.77.8.0/23"],
				hosts: [
					...["api.github.com", "ec2.eu-west-1.amazonaws.com", "relay.example.com", "secretsmanager.eu-west-1.amazonaws.com"],
					"token.actions.githubusercontent.com",
				],
			},
		]);
	});

	test("is what the resolver answers for, all of it and nothing else", () => {
		const { document, domains } = composed(TWO);
		expect(domains.split("\n").slice(0, -1)).toEqual([...new Set(document.lists.flatMap(({ hosts }) => hosts))].toSorted());
		expect(domains.endsWith("\n")).toBe(true);
		expect(unionOf([])).toEqual([]);
	});

	test.each([
		["a relay at an address", { relayUrl: "https://10.0.0.1" }, "RelayUrl: "],
		["a range that is too small", { cidr: "10.77.0.0/24" }, "Cidr: "],
		["four zones", { zones: 4 }, "Cidr: 4 zones"],
		["a group that there is not", { groups: {} }, "tiers.build.egress.groups.0: there is no group github"],
	])("is refused for %s", (_, around, reason) => {
		const read = composeEgress(fileOf(TWO), (around as { groups?: typeof GROUPS }).groups ?? GROUPS, { ...AROUND, ...around });
		expect(read.ok ? "" : read.reason).toStartWith(reason);
	});
});

describe("buckets that a list names", () => {
	test.each<[host: string, region: string, object: string | null]>([
		["assets.s3.eu-west-1.amazonaws.com", "eu-west-1", "arn:aws:s3:::assets/*"],
		["assets.s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1", "arn:aws:s3:::assets/*"],
		["my.assets.s3.amazonaws.com", "eu-west-1", "arn:aws:s3:::my.assets/*"],
		["assets.s3.us-east-1.amazonaws.com", "eu-west-1", null],
		["s3.eu-west-1.amazonaws.com", "eu-west-1", null],
		["sts.eu-west-1.amazonaws.com", "eu-west-1", null],
		["assets.s3.eu-west-1.amazonaws.com.example.com", "eu-west-1", null],
		["assets.s3.us-gov-west-1.amazonaws.com", "us-gov-west-1", "arn:aws-us-gov:s3:::assets/*"],
	])("%s in %s may be read through the endpoint as %p", (host, region, object) => {
		const { objects } = composed({ build: { groups: [], hosts: [host] } }, { region });
		expect(objects).toEqual(object === null ? [] : [object]);
	});
});
