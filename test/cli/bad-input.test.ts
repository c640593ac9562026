// A mayfly.yml that cannot be deployed is refused by lint and by deploy in the same words, all at once, before anything is asked of AWS.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { mayfly, withFiles } from "./repository.ts";

setDefaultTimeout(120_000);

const BAD = `owners: [{ name: octo-org }]
images: { ubuntu: { arch: x64 } }
presets:
  big: { tier: build, cpu: 8, image: ubuntu }
tiers:
  build:
    allow: { refs: [main] }
    ceiling: { cpu: 4, ram: 8 }
    egress:
      groups: [github, npm]
      hosts: ["*.blob.core.windows.net", "*.s3.amazonaws.com", "*.cloudfront.net", "exa mple.com", "*.co.uk"]
  ship: { kind: deploy, allow: { forks: true } }
`;
const SAID = [
	"4:28: error: presets.big.cpu: 8 is over the ceiling of tier build, 4 [config]",
	'7:21: error: tiers.build.allow.refs.0: "main" matches nothing: whole names are compared, such as refs/heads/main or refs/tags/v* [config]',
	"10:24: error: tiers.build.egress.groups.1: there is no group npm: there is github, ",
	'11:15: error: tiers.build.egress.hosts.0: "*.blob.core.windows.net" admits anybody\'s names below blob.core.windows.net: list the hosts one by one [config]',
	'11:42: error: tiers.build.egress.hosts.1: "*.s3.amazonaws.com" admits anybody\'s names below s3.amazonaws.com: list the hosts one by one [config]',
	'11:64: error: tiers.build.egress.hosts.2: "*.cloudfront.net" admits anybody\'s names below cloudfront.net: list the hosts one by one [config]',
	'11:84: error: tiers.build.egress.hosts.3: "exa mple.com" is no host\'s name, nor `*.` and a domain [config]',
	'11:100: error: tiers.build.egress.hosts.4: "*.co.uk" admits anybody\'s names below co.uk: list the hosts one by one [config]',
	"12:41: error: tiers.ship.allow.forks: a deploy tier never serves forks [config]",
];

test("lint tells every problem with its line and exits with 1", () =>
	withFiles({ "mayfly.yml": BAD }, async (folder) => {
		const { code, out } = await mayfly(folder, "lint", ".");
		const lines = out.split("\n").filter((line) => line.includes(": error: "));
		expect(code).toBe(1);
		expect(lines).toHaveLength(SAID.length);
		for (const [at, said] of SAID.entries()) expect(lines[at]).toContain(`mayfly.yml:${said}`);
	}));

test("deploy tells the same and stops, without credentials or a network", () =>
	withFiles({ "mayfly.yml": BAD }, async (folder) => {
		const main = join(import.meta.dir, "..", "..", "deploy", "main.ts");
		const child = Bun.spawn([process.execPath, main, "--region", "eu-west-1", "--config", join(folder, "mayfly.yml"), "--dry-run"], {
			...{ cwd: folder, env: { PATH: process.env.PATH, HOME: folder }, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
		});
		const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
		expect([out, code]).toEqual(["", 2]);
		for (const said of SAID) expect(err).toContain(`mayfly.yml:${said}`);
	}));
