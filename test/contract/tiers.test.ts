// Tiers of mayfly.yml that no job could use, that would be more than they should, or that a stack cannot hold: refused with path and reason.
import { describe, expect, test } from "bun:test";
import { parseMayflyYaml } from "../../contract/config-yaml.ts";
import { readMayflyFile } from "../../egress/mayfly-file.ts";

const ROLE = "arn:aws:iam::111122223333:role/builds";
const file = (tiers: string, presets = "") =>
	`owners: [{ name: octo-org }]\nimages: { ubuntu: { arch: x64 } }\npresets: { ${presets} }\ntiers:\n${tiers
		.split("\n")
		.map((line) => `  ${line}`)
		.join("\n")}\n`;
const saidOf = (text: string) => {
	const read = readMayflyFile(text);
	return read.ok ? [] : read.problems.map(({ path, reason }) => `${path}: ${reason}`);
};

describe("a tier is fine", () => {
	test.each([
		[
			"with every kind of rule",
			"t: { kind: deploy, allow: { refs: [refs/heads/main, '*'], workflows: [.github/workflows/a.yml, 'o/r/.github/workflows/*'] } }",
		],
		[
			"with patterns",
			"t: { allow: { refs: ['refs/*/main', '**/v1', 'refs/pull/*/merge'], workflows: ['.github/*/a.yml', '**/a.yml', 'o/*'] } }",
		],
		["for one owner's repositories", "t: { allow: { repositories: [octo-org/shop, octo-org/*, '**'], actors: [mona] } }"],
		["with a role, without forks", `t: { allow: {}, role: "${ROLE}" }`],
		["with a ceiling of the smallest machine", "t: { allow: {}, ceiling: { cpu: 1, ram: 2, volume: 8 } }"],
		["that may reach one storage account", "t: { allow: {}, egress: { hosts: [shop.blob.core.windows.net, '*.builds.example.com'] } }"],
	])("%s", (_, tiers) => {
		expect(saidOf(file(tiers))).toEqual([]);
	});
});

describe("a tier that no job could use is refused:", () => {
	test.each([
		["t: { allow: { events: [] } }", "tiers.t.allow.events: is empty"],
		["t: { allow: { repositories: [] } }", "tiers.t.allow.repositories: is empty"],
		["t: { allow: { environments: [production] } }", "tiers.t.allow.environments: a build tier cannot know"],
		["t: { kind: deploy, allow: { refs: [main] } }", 'tiers.t.allow.refs.0: "main" matches nothing'],
		["t: { kind: deploy, allow: { refs: [Refs/Heads/main] } }", 'tiers.t.allow.refs.0: "Refs/Heads/main" matches nothing'],
		["t: { allow: { refs: [refs/head/main] } }", 'tiers.t.allow.refs.0: "refs/head/main" matches nothing'],
		["t: { kind: deploy, allow: { refs: ['refs/pull/*/merge'] } }", 'tiers.t.allow.refs.0: "refs/pull/*/merge" matches nothing'],
		["t: { allow: { workflows: [.GITHUB/workflows/a.yml] } }", "tiers.t.allow.workflows.0: "],
		["t: { allow: { workflows: [./.github/workflows/a.yml] } }", "tiers.t.allow.workflows.0: "],
		["t: { allow: { workflows: [/.github/workflows/a.yml] } }", "tiers.t.allow.workflows.0: "],
		["t: { allow: { workflows: ['./.github/workflows/*'] } }", "tiers.t.allow.workflows.0: "],
		["t: { allow: { workflows: ['.github/workflows/a.yml@refs/heads/main'] } }", "tiers.t.allow.workflows.0: "],
		["t: { allow: { workflows: [deploy.yml] } }", 'tiers.t.allow.workflows.0: "deploy.yml" matches nothing'],
		["t: { allow: { repositories: [octo-org/shop, octo-org] } }", 'tiers.t.allow.repositories.1: "octo-org" matches nothing'],
		["t: { allow: {}, ceiling: { cpu: 0, ram: 64 } }", "tiers.t.ceiling.cpu: no machine has less"],
		["t: { allow: {}, ceiling: { cpu: 4, ram: 1 } }", "tiers.t.ceiling.ram: no machine has less"],
		["t: { allow: {}, ceiling: { cpu: 4, ram: 8, volume: 0 } }", "tiers.t.ceiling.volume: no disk has less"],
	])("%s", (tiers, said) => {
		expect(saidOf(file(tiers)).join("\n")).toContain(said);
	});

	test("one whose ceiling no preset fits", () => {
		const said = saidOf(file("t: { allow: {}, ceiling: { cpu: 4, ram: 8 } }", "big: { cpu: 8, ram: 32, image: ubuntu }"));
		expect(said).toEqual(["presets.big.cpu: 8 is over the ceiling of tier t, 4", "presets.big.ram: 32 is over the ceiling of tier t, 8"]);
	});
});

describe("a tier that would be more than it should is refused:", () => {
	test.each([
		["t: { kind: deploy, allow: { forks: true } }", "tiers.t.allow.forks: a deploy tier never serves forks"],
		["t: { kind: deploy, allow: { events: [push, pull_request_target] } }", "tiers.t.allow.events.1: a deploy tier never serves"],
		[`t: { kind: deploy, allow: {}, role: "${ROLE}" }`, "tiers.t.role: jobs of a deploy tier have an identity"],
		[`t: { allow: { forks: true }, role: "${ROLE}" }`, "tiers.t.role: the tier serves forks"],
		[`t: { allow: {}, role: "${ROLE}" }\nu: { allow: {}, role: "${ROLE}" }`, "tiers.u.role: tier t already has a role"],
		['t: { allow: {}, role: "arn:aws:iam::111122223333:role/*" }', "tiers.t.role: not a role's ARN"],
		["t: { allow: {}, role: admin }", "tiers.t.role: not a role's ARN"],
		["t: { allow: {}, role: 'arn:aws:iam::111122223333:instance-profile/x' }", "tiers.t.role: not a role's ARN"],
	])("%s", (tiers, said) => {
		expect(saidOf(file(tiers)).join("\n")).toContain(said);
	});
});

describe("what a stack cannot hold is refused:", () => {
	test("a sixth tier", () => {
		const tiers = Array.from({ length: 6 }, (_, at) => `t${at}: { allow: {} }`).join("\n");
		expect(saidOf(file(tiers))).toEqual(["tiers: 6 tiers: a stack has subnets for 5"]);
	});

	test("names of the gateways' own lists, and two that differ by their letters", () => {
		expect(saidOf(file("Poller: { allow: {} }\nnone: { allow: {} }\nbuild: { allow: {} }\nBuild: { allow: {} }"))).toEqual([
			"tiers.Build: the same name as tiers.build",
			"tiers.Poller: is the name of a list of the gateways' own: call the tier otherwise",
			"tiers.none: is the name of a list of the gateways' own: call the tier otherwise",
		]);
	});

	test("a group that is not there", () => {
		expect(saidOf(file("t: { allow: {}, egress: { groups: [github, npm, toString] } }"))).toEqual([
			expect.stringMatching(/^tiers\.t\.egress\.groups\.1: there is no group npm: there is github/),
			expect.stringMatching(/^tiers\.t\.egress\.groups\.2: there is no group toString/),
		]);
	});

	test.each([
		...[
			"*.blob.core.windows.net",
			"*.s3.amazonaws.com",
			"*.cloudfront.net",
			"*.s3.eu-west-1.amazonaws.com",
			"*.s3.dualstack.eu-west-1.amazonaws.com",
		],
		...[
			"*.dkr.ecr.eu-west-1.amazonaws.com",
			"*.s3.cn-north-1.amazonaws.com.cn",
			"*.bucket.s3.amazonaws.com",
			"*.blob.core.chinacloudapi.cn",
		],
		...["*.z6.web.core.windows.net", "*.storage.azure.net", "*.execute-api.us-east-1.amazonaws.com", "*.lambda-url.us-east-1.on.aws"],
		...[
			"*.S3.AMAZONAWS.COM",
			"*.co.uk",
			"*.github.io",
			"*.githubusercontent.com",
			"*.myshopify.com",
			"*.pages.dev",
			"*.appspot.com",
			"*.uk.com",
		],
	])("every name below %s, where anybody can have one", (host) => {
		expect(saidOf(file(`t: { allow: {}, egress: { hosts: [example.com, "${host}"] } }`))).toEqual([
			expect.stringMatching(/^tiers\.t\.egress\.hosts\.1: ".*" admits anybody's names below /),
		]);
	});

	test.each([
		["*", "whole first label"],
		["https://example.com", "an address"],
		["10.0.0.0/8", "no host's name"],
		["exa mple.com", "no host's name"],
		["a.*.example.com", "whole first label"],
		["", "no host's name"],
	])("what is no domain: %p", (host, reason) => {
		expect(saidOf(file(`t: { allow: {}, egress: { hosts: ["${host}"] } }`))).toEqual([expect.stringContaining(reason)]);
	});
});

test("all of it is told at once, beside what else is wrong", () => {
	const said = saidOf(`
owners: [{ name: octo-org }]
images: { ubuntu: { arch: x86 } }
tiers:
  build: { allow: { forks: true, refs: [main] }, role: "${ROLE}", egress: { groups: [nope], hosts: ["*.s3.amazonaws.com", "*.co.uk"] } }
  ship: { kind: deploy, allow: { forks: true }, ceiling: { cpu: 0, ram: 0 } }
  poller: { allow: {} }
typo: 1
`);
	expect(said.map((line) => line.split(": ")[0]).toSorted()).toEqual([
		...[
			"images.ubuntu.arch",
			"tiers.build.allow.refs.0",
			"tiers.build.egress.groups.0",
			"tiers.build.egress.hosts.0",
			"tiers.build.egress.hosts.1",
		],
		...["tiers.build.role", "tiers.poller", "tiers.ship.allow.forks", "tiers.ship.ceiling.cpu", "tiers.ship.ceiling.ram", "typo"],
	]);
});

test("where there is no stack, the names of groups and tiers are not judged", () => {
	expect(parseMayflyYaml(file("poller: { allow: {}, egress: { groups: [local] } }")).ok).toBe(true);
});
