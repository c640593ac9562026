// What the parsers must not let through, each with the reason that the other side gets to see.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { parseBootDocument } from "../../contract/boot.ts";
import { parseEgressDocument } from "../../contract/egress.ts";
import { parseLeaseAnswer, parseLeaseRequest } from "../../contract/lease.ts";
import { parseReport, parseReportToken, reportTokenText } from "../../contract/report.ts";
import { admits } from "../../contract/rule.ts";
import { parseSettleRequest } from "../../contract/settle.ts";
import { parseSwitchChange } from "../../contract/switches.ts";

const golden = (name: string) => JSON.parse(readFileSync(new URL(`./golden/${name}.json`, import.meta.url), "utf8"));
const reasonOf = (result: { ok: true } | { ok: false; reason: string }) => (result.ok ? "accepted" : result.reason);

describe("refusals", () => {
	test("an unknown version is refused by name", () => {
		for (const version of [0, 2, "1", null]) {
			expect(reasonOf(parseReport({ ...golden("report.claimed"), version }))).toContain("version: ");
			expect(reasonOf(parseBootDocument({ ...golden("boot-document.build"), version }))).toContain("unknown version");
		}
	});

	test("a lease asks for 1 to 100 items and waits 0 to 25 seconds", () => {
		const request = golden("lease-request.plain");
		for (const max of [0, 101, 1.5, "10"]) expect(reasonOf(parseLeaseRequest({ ...request, max }))).toStartWith("max: ");
		for (const waitSeconds of [-1, 26, null]) expect(reasonOf(parseLeaseRequest({ ...request, waitSeconds }))).toStartWith("waitSeconds: ");
		for (const field of ["session", "requestId"])
			expect(reasonOf(parseLeaseRequest({ ...request, [field]: "" }))).toStartWith(`${field}: `);
	});

	test("an unknown outcome, kind or phase is refused at its path", () => {
		const settle = golden("settle-request.extend");
		expect(reasonOf(parseSettleRequest({ results: [{ ...settle.results[0], outcome: "shrug" }] }))).toStartWith("results.0.outcome: ");
		const lease = golden("lease-answer.launch");
		expect(reasonOf(parseLeaseAnswer({ ...lease, work: [{ ...lease.work[0], kind: "dance" }] }))).toStartWith("work.0.kind: ");
		expect(reasonOf(parseReport({ ...golden("report.off"), phase: "asleep" }))).toStartWith("phase: ");
	});

	test("a reason names the field and never shows the value", () => {
		const secret = "very-secret-value";
		expect(reasonOf(parseReport({ ...golden("report.off"), instanceId: secret }))).not.toContain(secret);
		expect(reasonOf(parseBootDocument({ ...golden("boot-document.build"), jitConfig: { secret } }))).not.toContain(secret);
	});

	test("a repository is owner/name and no way up a URL", () => {
		const rerun = golden("lease-answer.rerun");
		const named = (repository: string) => parseLeaseAnswer({ ...rerun, work: [{ ...rerun.work[0], repository }] }).ok;
		for (const name of ["../..", "a/..", "./a", "a", "a/b/c", "a/b?x", "a b/c", ""]) expect([name, named(name)]).toEqual([name, false]);
		for (const name of ["octo-org/octo-repo", ".github/.github", "a/..b"]) expect([name, named(name)]).toEqual([name, true]);
	});

	test("a switch change must name a switch", () => {
		expect(parseSwitchChange({}).ok).toBeFalse();
		expect(parseSwitchChange({ pause: "yes" }).ok).toBeFalse();
	});

	test("an egress document has lists apart from one another, of names that are lists of a deployment", () => {
		const document = golden("egress-document.enforce");
		const [build, deploy] = document.lists;
		const withLists = (...lists: object[]) => reasonOf(parseEgressDocument({ ...document, lists }));
		expect(withLists(build, { ...deploy, name: "build" })).toContain("two lists have one name");
		expect(withLists(build, { ...deploy, sources: ["10.77.16.0/24"] })).toContain("sources overlap");
		for (const name of ["none", "", "../up", "a b", "a/b"]) expect(withLists({ ...build, name })).toStartWith("lists.0.name: ");
		for (const source of ["10.77.16.0", "10.77.16.1/20", "::/0", "10.77.16.0/20 }"])
			expect(withLists({ ...build, sources: [source] })).toStartWith("lists.0.sources.0: ");
		for (const host of ["GitHub.com", "*.amazonaws.com", "10.0.0.1", "a b", "*"])
			expect(withLists({ ...build, hosts: [host] })).toStartWith("lists.0.hosts.0: ");
		expect(reasonOf(parseEgressDocument({ ...document, gateways: [] }))).toStartWith("gateways: ");
		expect(reasonOf(parseEgressDocument({ ...document, mode: "off" }))).toStartWith("mode: ");
	});

	test("no input makes a parser throw", () => {
		fc.assert(
			fc.property(fc.anything(), (input) => {
				for (const parse of [parseReport, parseLeaseRequest, parseSettleRequest, parseBootDocument, parseLeaseAnswer, parseEgressDocument])
					parse(input);
			}),
			{ numRuns: 2000 },
		);
	});
});

describe("report tokens", () => {
	test("are read back as they were written", () => {
		const mac = "0f".repeat(32);
		expect(parseReportToken(`${reportTokenText("i-0abcdef1234567890", 1795021600)}.${mac}`)).toEqual({
			instanceId: "i-0abcdef1234567890",
			expiry: 1795021600,
			mac,
		});
	});

	test("of any other form are not tokens", () => {
		for (const text of [
			"",
			"i-0abcdef1234567890",
			"i-0abcdef1234567890.1795021600.xyz",
			`i-0abcdef1234567890.0795021600.${"0f".repeat(32)}`,
			" i-1.1.1",
		]) {
			expect(parseReportToken(text)).toBeNull();
		}
	});
});

describe("admits", () => {
	const facts = {
		event: "push",
		ref: "refs/heads/main",
		environment: "production",
		workflow: "o/r/.github/workflows/d.yml@refs/heads/main",
		repository: "o/r",
		actor: "mona",
		fork: false,
	};

	test("a rule without lists admits whatever is not from a fork", () => {
		expect(admits({ forks: false }, facts)).toEqual({ admitted: true });
		expect(admits({ forks: false }, { ...facts, fork: true })).toMatchObject({ admitted: false, rule: "forks" });
		expect(admits({ forks: true }, { ...facts, fork: null })).toEqual({ admitted: true });
	});

	test("an unknown fact is refused by a rule that asks for it", () => {
		for (const [rule, fact] of [
			["events", "event"],
			["refs", "ref"],
			["environments", "environment"],
			["workflows", "workflow"],
			["repositories", "repository"],
			["actors", "actor"],
		] as const) {
			expect(admits({ forks: true, [rule]: ["**"] }, { ...facts, [fact]: null })).toMatchObject({ admitted: false, rule });
			expect(admits({ forks: true, [rule]: [] }, facts)).toMatchObject({ admitted: false, rule });
		}
		expect(admits({ forks: false }, { ...facts, fork: null })).toMatchObject({ admitted: false, rule: "forks" });
	});

	test("names of GitHub's are compared in any case, those of git and of files letter by letter: main and Main are two branches", () => {
		const admitted = (rule: object, fact: object) => admits({ forks: true, ...rule }, { ...facts, ...fact }).admitted;
		expect(admitted({ environments: ["Prod*"] }, { environment: "PRODuction" })).toBeTrue();
		expect(admitted({ repositories: ["Octo-Org/*"] }, { repository: "octo-org/Shop" })).toBeTrue();
		expect(admitted({ actors: ["Mona"] }, { actor: "mona" })).toBeTrue();
		for (const ref of ["refs/heads/Main", "refs/heads/MAIN", "refs/Heads/main"])
			expect(admitted({ refs: ["refs/heads/main"] }, { ref })).toBeFalse();
		expect(admitted({ refs: ["refs/tags/v*"] }, { ref: "refs/tags/V1" })).toBeFalse();
		expect(admitted({ workflows: [".github/workflows/deploy.yml"] }, { workflow: ".github/workflows/Deploy.yml" })).toBeFalse();
	});

	test("one star stops at a slash, two do not, and nothing else is special", () => {
		expect(admits({ forks: true, refs: ["refs/heads/*"] }, { ...facts, ref: "refs/heads/a/b" }).admitted).toBeFalse();
		expect(admits({ forks: true, refs: ["refs/heads/**"] }, { ...facts, ref: "refs/heads/a/b" }).admitted).toBeTrue();
		expect(admits({ forks: true, refs: ["refs/heads/ma.n"] }, facts).admitted).toBeFalse();
		expect(admits({ forks: true, refs: ["refs/heads/main"] }, { ...facts, ref: "refs/heads/main\nx" }).admitted).toBeFalse();
	});
});
