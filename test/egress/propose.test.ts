// From the gateways' log to lines for mayfly.yml, by the function and by the command.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { parse } from "yaml";
import { proposalYaml, propose } from "../../egress/propose.ts";

const line = (more: object) =>
	JSON.stringify({
		at: "1795474174.847",
		gateway: "tls",
		src: "10.77.1.10",
		name: "api.example.com",
		list: "build",
		act: "allow",
		why: "not-listed",
		...more,
	});

const LOG = [
	line({}),
	`Nov 23 12:00:01 gw haproxy[7]: ${line({ name: "API.example.com", at: "1795474999.001" })}`,
	line({ name: "cdn.example.net", gateway: "web", act: "deny" }),
	line({ name: "github.com", why: "listed" }),
	line({ name: "imds.test", why: "not-public", act: "deny" }),
	line({ name: "x.example", list: "deploy" }),
	line({ name: "*.workers.dev" }),
	line({ name: 'evil"\n      - injected.example' }),
	"mayfly-egress forward IN=eth0",
	'{"gateway":"tls"',
	"{}",
	"",
];

describe("a proposal", () => {
	test("has what was asked for and is not listed, by tier, the most wanted first, and nothing else", () => {
		const proposal = propose(LOG);
		expect(Object.keys(proposal)).toEqual(["build", "deploy"]);
		expect(proposal.build?.filter(({ problem }) => problem === null)).toEqual([
			{ name: "api.example.com", connections: 2, lastAt: 1_795_474_999_001, problem: null },
			{ name: "cdn.example.net", connections: 1, lastAt: 1_795_474_174_847, problem: null },
		]);
		expect(proposal.deploy?.map(({ name }) => name)).toEqual(["x.example"]);
	});

	test("is YAML that goes into mayfly.yml, whatever names were asked for", () => {
		const yaml = proposalYaml(propose(LOG));
		expect(parse(yaml)).toEqual({
			tiers: { build: { egress: { hosts: ["api.example.com", "cdn.example.net"] } }, deploy: { egress: { hosts: ["x.example"] } } },
		});
		expect(yaml).toContain("2 connections, the last on 2026-11-23");
		expect(yaml).toContain("admits anybody's names");
	});

	test("of a log without such lines says so", () => {
		expect(proposalYaml(propose([line({ why: "listed" })]))).toBe("# Nothing was asked for that is not listed.\n");
	});
});

describe("the command", () => {
	async function run(args: string[], stdin = "") {
		const main = join(import.meta.dir, "..", "..", "cli", "main.ts");
		const child = Bun.spawn([process.execPath, main, "egress", ...args], { stdin: Buffer.from(stdin), stdout: "pipe", stderr: "pipe" });
		const [stdout, stderr, status] = await Promise.all([
			new Response(child.stdout).text(),
			new Response(child.stderr).text(),
			child.exited,
		]);
		return { stdout, stderr, status };
	}

	test("reads the log from stdin and prints the proposal, or the same as JSON", async () => {
		const text = await run(["propose", "-"], LOG.join("\n"));
		expect([text.status, text.stderr, text.stdout]).toEqual([0, "", proposalYaml(propose(LOG))]);
		const json = await run(["propose", "-", "--json"], LOG.join("\n"));
		expect(JSON.parse(json.stdout)).toEqual(propose(LOG));
	});

	test("says that a file is no log of the gateways', by its name, rather than that nothing was asked for", async () => {
		for (const file of [join(import.meta.dir, "..", "..", "package.json"), import.meta.dir]) {
			const { stdout, stderr, status } = await run(["propose", file]);
			expect([stdout, status]).toEqual(["", 2]);
			expect(stderr).toContain(file);
		}
		expect(await run(["propose", "-"], `${line({ why: "listed" })}\n`)).toMatchObject({ status: 0 });
		expect(await run(["propose", "-"])).toMatchObject({ status: 0 });
	});

	test.each([[], ["propose"], ["list"], ["propose", "/nowhere"], ["propose", "-", "--loud"]])(
		"given %p it says what to do and exits with 2",
		async (...args) => {
			const { stdout, stderr, status } = await run(args);
			expect([stdout, status]).toEqual(["", 2]);
			expect(stderr).toContain("--help");
		},
	);
});
