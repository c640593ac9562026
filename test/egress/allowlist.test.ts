// What a tier's egress list may name, and what becomes of it.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { admitsHost, readHost } from "../../contract/host.ts";
import { allowlistOf, type Group, unionOf } from "../../egress/allowlist.ts";
import groups from "../../egress/groups.json";

const read = (text: string) => {
	const reading = readHost(text);
	return reading.ok ? reading.host : reading.reason;
};

describe("an entry", () => {
	test.each([
		["github.com", { name: "github.com", below: false }],
		[" GitHub.COM ", { name: "github.com", below: false }],
		["*.actions.githubusercontent.com", { name: "actions.githubusercontent.com", below: true }],
		["xn--bcher-kva.example", { name: "xn--bcher-kva.example", below: false }],
		["productionresultssa7.blob.core.windows.net", { name: "productionresultssa7.blob.core.windows.net", below: false }],
		["my-bucket.s3.eu-west-1.amazonaws.com", { name: "my-bucket.s3.eu-west-1.amazonaws.com", below: false }],
	])("%p is one", (text, host) => {
		expect(read(text)).toEqual(host);
	});

	test.each([
		["*", "whole first label"],
		["*.com", "no host's name"],
		["com", "no host's name"],
		["localhost", "no host's name"],
		["*github.com", "whole first label"],
		["a.*.github.com", "whole first label"],
		["10.0.0.1", "an address"],
		["::1", "an address"],
		["github.com:443", "an address"],
		["https://github.com", "an address"],
		["github.com/x", "no host's name"],
		["github.com.", "no host's name"],
		["-a.github.com", "no host's name"],
		["a_b.github.com", "no host's name"],
		["", "no host's name"],
		[`${"a".repeat(64)}.github.com`, "no host's name"],
		[`${"a.".repeat(130)}com`, "no host's name"],
		["*.amazonaws.com", "anybody's names"],
		["*.s3.amazonaws.com", "anybody's names"],
		["*.s3.eu-west-1.amazonaws.com", "anybody's names"],
		["*.blob.core.windows.net", "anybody's names"],
		["*.githubusercontent.com", "anybody's names"],
		["*.github.io", "anybody's names"],
		["*.workers.dev", "anybody's names"],
		["*.cloudfront.net", "anybody's names"],
		["*.account.r2.cloudflarestorage.com", "anybody's names"],
		["*.s3.eu-central-1.wasabisys.com", "anybody's names"],
		["*.azurecr.io", "anybody's names"],
		["*.pkg.dev", "anybody's names"],
		["*.203.0.113.9.nip.io", "anybody's names"],
		["*.exo.io", "anybody's names"],
		["*.sos-ch-dk-2.exo.io", "anybody's names"],
		["*.s3.gra.cloud.ovh.net", "anybody's names"],
		["*.euw.devtunnels.ms", "anybody's names"],
		["*.ws-eu.gitpod.io", "anybody's names"],
	])("%p is refused", (text, reason) => {
		expect(read(text)).toContain(reason);
	});

	test("whatever is written, it is read or refused with a reason", () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.domain()), (text) => {
				const reading = readHost(text);
				if (!reading.ok) expect(reading.reason.length).toBeGreaterThan(10);
				else expect(reading.host.name).toMatch(/^[a-z0-9.-]+$/);
			}),
		);
	});

	test("a domain admits what is below it, and not itself or what only looks like it", () => {
		const hosts = [
			{ name: "github.test", below: true },
			{ name: "exact.test", below: false },
		];
		const admitted = ["api.github.test", "a.b.github.test", "API.github.TEST", "exact.test"];
		const not = ["github.test", "evilgithub.test", "github.test.evil", "x.exact.test", "", "."];
		expect(admitted.filter((name) => !admitsHost(hosts, name))).toEqual([]);
		expect(not.filter((name) => admitsHost(hosts, name))).toEqual([]);
	});
});

describe("a tier's list", () => {
	const known: Record<string, Group> = groups;

	test("is its groups and its own hosts, each once", () => {
		const list = allowlistOf({ groups: ["sigstore"], hosts: ["rekor.sigstore.dev", "example.com"] }, known);
		expect(list.ok ? unionOf([list.hosts]) : list).toEqual([
			...["example.com", "fulcio.sigstore.dev", "rekor.sigstore.dev", "tuf-repo-cdn.sigstore.dev"],
		]);
	});

	test("tells every problem at once, with its place", () => {
		const list = allowlistOf({ groups: ["nope", "toString"], hosts: ["ok.example", "*.com", "1.2.3.4"] }, known);
		expect(list.ok ? [] : list.problems.map(({ path }) => path)).toEqual(["groups.0", "groups.1", "hosts.1", "hosts.2"]);
	});

	test("of what ships has no problem, and every group says where it is from", () => {
		for (const [name, group] of Object.entries(known)) {
			expect(allowlistOf({ groups: [name], hosts: [] }, known).ok).toBe(true);
			expect(group.source.length).toBeGreaterThan(5);
			expect(group.reviewed).toMatch(/^\d{4}-\d\d-\d\d$/);
		}
	});
});
