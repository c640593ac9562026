// The table of instance types that ships: sound in itself, and what EC2 says, as moto hands on EC2's own answers.
import { beforeAll, describe, expect, test } from "bun:test";
import { parsePage, tableOf } from "../../build/instance-type-rows.ts";
import table from "../../poller/instance-types.json";
import { INSTANCE_TYPES } from "../../poller/instance-types.ts";
import { offerFor } from "../../poller/offer.ts";
import { installMoto, motoFolder, motoJson } from "../fakes/moto.ts";
import { candidate } from "./facts.ts";

const find = (name: string) => INSTANCE_TYPES.find((type) => type.name === name);

describe("the table", () => {
	test("has each type once, in order", () => {
		for (const rows of [table.x64, table.arm64]) {
			const places = rows.map(([name, cpu, ram]) => [String(name).split(".")[0], cpu, ram, name] as const);
			const inOrder = places.toSorted((a, b) => {
				const at = [0, 1, 2, 3].find((column) => a[column] !== b[column]) ?? 0;
				return (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
			});
			expect(places).toEqual(inOrder);
		}
		expect(new Set(INSTANCE_TYPES.map(({ name }) => name)).size).toBe(INSTANCE_TYPES.length);
	});

	test("is plausible: sizes within EC2's, both architectures, no family of both", () => {
		for (const type of INSTANCE_TYPES) {
			expect(type.name).toMatch(/^[a-z]+[0-9]+[a-z]*(-flex)?\.(small|medium|[0-9]*x?large)$/);
			expect(type.cpu).toBeWithin(1, 1921);
			expect(type.ram).toBeWithin(2, 32_769);
			expect(type.ram / type.cpu).toBeWithin(1, 33);
			expect(type.generation).toBeWithin(1, 20);
			expect(Number.isInteger(type.cpu)).toBe(true);
		}
		const families = (arch: string) => new Set(INSTANCE_TYPES.filter((type) => type.arch === arch).map(({ family }) => family));
		expect(families("x64").size).toBeGreaterThan(20);
		expect(families("arm64").size).toBeGreaterThan(10);
		expect([...families("x64")].filter((family) => families("arm64").has(family))).toEqual([]);
	});

	test.each([
		["m7g.large", { arch: "arm64", cpu: 2, ram: 8, generation: 7, isPlain: true, isPartTime: false }],
		["c7i.4xlarge", { arch: "x64", cpu: 16, ram: 32, generation: 7, isPlain: true, isPartTime: false }],
		["c5.9xlarge", { arch: "x64", cpu: 36, ram: 72, generation: 5, isPlain: true, isPartTime: false }],
		["c5n.large", { arch: "x64", cpu: 2, ram: 5.25, generation: 5, isPlain: false, isPartTime: false }],
		["r6gd.medium", { arch: "arm64", cpu: 1, ram: 8, generation: 6, isPlain: false, isPartTime: false }],
		["m7i-flex.large", { arch: "x64", cpu: 2, ram: 8, generation: 7, isPlain: false, isPartTime: true }],
		["t4g.small", { arch: "arm64", cpu: 2, ram: 2, generation: 4, isPlain: false, isPartTime: true }],
		["i4i.large", { arch: "x64", cpu: 2, ram: 16, generation: 4, isPlain: false, isPartTime: false }],
	])("%s is known as EC2's pages have it", (name, expected) => {
		expect(find(name)).toMatchObject(expected as object);
	});

	test.each([
		"m7i.metal-24xl",
		"c5.8xlarge",
		"c7i.medium",
		"t3.nano",
		"t2.micro",
		"m4.large",
		"g5.xlarge",
		"inf2.xlarge",
		"mac2.metal",
		"hpc7g.4xlarge",
	])("%s is not there", (name) => expect(find(name)).toBeUndefined());
});

describe("beside moto's copy of EC2's answers", () => {
	let has = false;
	beforeAll(async () => {
		try {
			await installMoto();
			has = true;
		} catch (error) {
			if (process.env.MAYFLY_REQUIRE_ALL === "1") throw error;
			process.stderr.write(`skipped, moto cannot be had: ${error}\n`);
		}
	}, 300_000);

	test("every type is known there in the same size", async () => {
		if (!has) return;
		const theirs = tableOf([parsePage(await motoJson("ec2/resources/instance_types.json.gz"))]);
		for (const arch of ["x64", "arm64"] as const) {
			const sizes = new Map(theirs[arch].map(([name, cpu, ram]) => [name, { name, arch, cpu, ram }]));
			const ours = INSTANCE_TYPES.filter((type) => type.arch === arch).map(({ name, cpu, ram }) => ({ name, arch, cpu, ram }));
			expect(ours.map(({ name }) => sizes.get(name))).toEqual(ours);
		}
	});

	test("every region has several of the types that are offered for a usual size", async () => {
		if (!has) return;
		const folder = "ec2/resources/instance_type_offerings/region";
		const regions = await motoFolder(folder);
		expect(regions.length).toBeGreaterThan(20);
		const zones = ["a", "b", "c"].map((zone) => ({ id: `subnet-${zone}`, zone, tier: null }));
		for (const region of regions) {
			const there = (await motoJson(`${folder}/${region}`)) as { InstanceType: string }[];
			const names = new Set(there.map(({ InstanceType }) => InstanceType));
			for (const label of ["x64", "arm64"].flatMap((arch) => [2, 4, 8, 16, 64].map((cpu) => `mayfly=1/cpu=${cpu}/arch=${arch}`))) {
				const offer = offerFor(candidate(1, { labels: [label] }).admitted.request, INSTANCE_TYPES, zones);
				const common = offer.ok ? offer.types.filter(({ name }) => names.has(name)) : [];
				expect({ region, label, isEnough: common.length >= 4 }).toEqual({ region, label, isEnough: true });
			}
		}
	});
});
