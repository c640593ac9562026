// What an operator may give as ranges: refused with the parameter's name and a reason.
import { describe, expect, test } from "bun:test";
import { addressProblems } from "../../egress/cidr-checks.ts";

const said = (...given: Parameters<typeof addressProblems>) => addressProblems(...given).map(({ path, reason }) => `${path}: ${reason}`);

describe("Cidr", () => {
	test.each(["10.77.0.0/16", "10.0.0.0/16", "172.31.240.0/20", "192.168.0.0/16", "172.16.0.0/17", "100.64.0.0/16"])(
		"%p is fine",
		(cidr) => {
			expect(said({ cidr })).toEqual([]);
		},
	);

	test.each([
		["10.77.0.0/15", "does not begin where a /15 begins: 10.76.0.0/15"],
		["10.76.0.0/15", "not of a size from /16 to /20"],
		["10.77.0.0/21", "not of a size"],
		["10.77.1.0/16", "10.77.0.0/16"],
		["8.8.0.0/16", "not private"],
		["169.254.0.0/16", "not private"],
		["172.32.0.0/16", "not private"],
		["0.0.0.0/0", "not of a size"],
		["10.77.0.0", "no range"],
		["10.77.0/16", "no range"],
		["010.77.0.0/16", "no range"],
		["10.77.0.256/16", "no range"],
		["10.77.0.0/33", "no range"],
		["fd00::/8", "no range"],
		["", "no range"],
	])("%p is refused", (cidr, reason) => {
		expect(said({ cidr }).join("\n")).toContain(reason);
		expect(addressProblems({ cidr }).every(({ path }) => path === "Cidr")).toBe(true);
	});
});

describe("SshCidr", () => {
	const cidr = "10.77.0.0/16";
	test.each(["", "198.51.100.0/24", "203.0.113.7/32"])("%p is fine", (sshCidr) => {
		expect(said({ cidr, sshCidr })).toEqual([]);
	});

	test.each([
		["0.0.0.0/0", "everybody"],
		["128.0.0.0/1", "far more than one network"],
		["10.0.0.0/8", "overlaps Cidr"],
		["10.77.4.0/24", "overlaps Cidr"],
		["10.1.0.0/16", "is private"],
		["192.168.7.0/24", "is private"],
		["office", "no range"],
	])("%p is refused", (sshCidr, reason) => {
		expect(said({ cidr, sshCidr }).join("\n")).toContain(`SshCidr: `);
		expect(said({ cidr, sshCidr }).join("\n")).toContain(reason);
	});
});

test("what somebody else has is not taken, and everything wrong is told at once", () => {
	const taken = [
		{ name: "subnet-0a (db)", cidr: "10.77.128.0/24" },
		{ name: "the peer pcx-1", cidr: "10.0.0.0/8" },
		{ name: "the office", cidr: "192.168.0.0/24" },
	];
	expect(said({ cidr: "10.77.0.0/16", sshCidr: "0.0.0.0/0", taken })).toEqual([
		"SshCidr: 0.0.0.0/0 is everybody: name your own",
		"SshCidr: 0.0.0.0/0 overlaps Cidr 10.77.0.0/16: machines could open each other",
		"Cidr: 10.77.0.0/16 overlaps 10.77.128.0/24, which is subnet-0a (db)",
		"Cidr: 10.77.0.0/16 overlaps 10.0.0.0/8, which is the peer pcx-1",
	]);
	expect(said({ cidr: "10.78.0.0/16", taken: taken.slice(0, 1) })).toEqual([]);
});

test("in a VPC that exists, it is a part of one of its ranges", () => {
	expect(said({ cidr: "10.77.0.0/18", within: ["192.168.0.0/16", "10.77.0.0/16"] })).toEqual([]);
	expect(said({ cidr: "10.77.0.0/18", within: ["10.77.64.0/18", "10.1.0.0/16"] })).toEqual([
		"Cidr: 10.77.0.0/18 is no part of the VPC, which has 10.77.64.0/18, 10.1.0.0/16: associate it first, or name a part",
	]);
});

test("a VPC with a range of its own that is not private is refused, since names may lead there", () => {
	const within = ["10.77.0.0/16", "100.64.0.0/16", "172.32.0.0/16", "198.19.0.0/16"];
	expect(said({ cidr: "10.77.0.0/18", within })).toEqual([
		"VpcId: the VPC has 172.32.0.0/16, which is not private: jobs would reach it past the gateways",
		"VpcId: the VPC has 198.19.0.0/16, which is not private: jobs would reach it past the gateways",
	]);
});
