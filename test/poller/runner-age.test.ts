// How long GitHub goes on giving jobs to the images' runner: tables, and what the real bundle asks and tells.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import * as fc from "fast-check";
import type { ReleaseOptions } from "../../local/github/releases-api.ts";
import { toInstallations, toReleases } from "../../poller/github-shapes.ts";
import { daysLeft, firstNewer, isNewer, machineImages, oldestRunner } from "../../poller/runner-age.ts";
import { ARM64, SUBNETS, X64 } from "../fakes/aws-account.ts";
import { problemsOf, valuesOf } from "./emf.ts";
import { CONFIG, infrastructure, resolved, startWorld, type World } from "./poller-world.ts";

setDefaultTimeout(30_000);

const DAY = 24 * 60 * 60_000;
const NOW = Date.parse("2026-09-20T00:00:00Z");
const release = (version: string, daysAgo: number) => ({ version, publishedAt: NOW - daysAgo * DAY });
const RELEASES = [release("2.338.0", 2), release("2.337.1", 10), release("2.337.0", 25), release("2.336.0", 62)];

describe("days left", () => {
	test.each<[string, string, number]>([
		["the newest release has them all", "2.338.0", 30],
		["one that is newer than any release has them all", "2.400.0", 30],
		["the clock runs from the first release that is newer, not from the last", "2.336.0", 5],
		["a release of a third number sets it going too", "2.337.0", 20],
		["one that is not among the releases counts like any other", "2.337.5", 28],
		["the first of all that are newer counts, also for a very old one", "2.300.0", -32],
		["numbers are compared as numbers", "2.1000.0", 30],
	])("%s", (_, version, days) => {
		expect(daysLeft(firstNewer(version, RELEASES), NOW)).toBe(days);
	});

	test("they are over 30 days after the release, to the tenth of a day", () => {
		const newer = release("2.338.0", 0);
		const after = (days: number) => daysLeft(newer, NOW + days * DAY);
		expect([0, 21, 21.04, 29.95, 30, 30.01, 40].map(after)).toEqual([30, 9, 8.9, 0, 0, -0.1, -10]);
	});

	test("without a release nothing is known against a runner", () => {
		expect(daysLeft(firstNewer("2.336.0", []), NOW)).toBe(30);
	});

	test("the order of the releases does not matter, and a newer runner never has less", () => {
		const number = fc.integer({ min: 0, max: 12 });
		const version = fc.tuple(number, number, number).map((numbers) => numbers.join("."));
		const releases = fc.array(fc.record({ version, publishedAt: fc.integer({ min: NOW - 90 * DAY, max: NOW }) }), { maxLength: 12 });
		fc.assert(
			fc.property(releases, version, version, (all, one, other) => {
				const left = (it: string, among = all) => daysLeft(firstNewer(it, among), NOW);
				expect(left(one, all.toReversed())).toBe(left(one));
				if (isNewer(one, other)) expect(left(one)).toBeGreaterThanOrEqual(left(other));
			}),
		);
	});
});

describe("the runner that counts", () => {
	test.each<[string, (string | null)[], string | null, string | null]>([
		["is the oldest image's", ["2.337.0", "2.336.0"], null, "2.336.0"],
		["is compared by numbers", ["2.1000.0", "2.999.0"], null, "2.999.0"],
		["is the wanted one where the images have older ones", ["2.336.0", "2.337.0"], "2.338.0", "2.338.0"],
		["is the image's where that is newer than the wanted one", ["2.339.0"], "2.338.0", "2.339.0"],
		["is the wanted one where an image does not say", ["2.339.0", null], "2.338.0", "2.338.0"],
		["is that of those that say", ["2.337.0", null], null, "2.337.0"],
		["is the wanted one where there is no image to ask", [], "2.338.0", "2.338.0"],
		["is unknown where nothing says", [null, null], null, null],
		["is unknown where there is nothing", [], null, null],
	])("%s", (_, baked, wanted, expected) => {
		expect(oldestRunner(baked, wanted)).toBe(expected);
	});

	test("is looked for in the images that machines start from: the stack's of the architectures in use, and the operator's own", () => {
		const stack = { ...resolved().infrastructure, images: { x64: "ami-x", arm64: "ami-a" } };
		const image = (arch: "x64" | "arm64", ami: string | null) => ({ arch, ami, rootDevice: "/dev/sda1" });
		const of = (images: Record<string, ReturnType<typeof image>>, its = stack) => machineImages({ images, infrastructure: its });
		expect(of({ a: image("x64", null), b: image("x64", null) })).toEqual(["ami-x"]);
		expect(of({ a: image("x64", null), b: image("arm64", "ami-own") })).toEqual(["ami-x", "ami-own"]);
		expect(of({ a: image("arm64", "resolve:ssm:/one/of/ours") })).toEqual([]);
		expect(machineImages({ images: { a: image("x64", null) }, infrastructure: { ...stack, images: null } })).toEqual([]);
	});
});

test("pre-releases, drafts, what is unpublished and what is no version are no releases", () => {
	const shown = { tag_name: "v2.338.0", draft: false, prerelease: false, published_at: "2026-09-18T00:00:00Z" };
	const [none, plain] = [
		[
			{ ...shown, prerelease: true },
			{ ...shown, draft: true },
			{ ...shown, published_at: null },
			{ ...shown, tag_name: "2.338.0" },
			{ ...shown, tag_name: "v2.338.0-rc1" },
		],
		{ version: "2.338.0", publishedAt: NOW - 2 * DAY },
	];
	expect(toReleases([...none, shown])).toEqual([plain]);
	expect(() => toReleases({ message: "Not Found" })).toThrow();
});

test("an installation that is suspended or has no account is not asked", () => {
	const [account, suspended_at] = [{ login: "octo-org" }, "2026-01-01T00:00:00Z"];
	expect(
		toInstallations([
			{ id: 1, account, suspended_at },
			{ id: 2, account: null },
			{ id: 3, account, suspended_at: null },
		]),
	).toEqual([{ id: 3, owner: "octo-org" }]);
});

describe("a session", () => {
	let world: World;
	afterEach(async () => {
		expect(world.problems).toEqual([]);
		expect(world.relay.problems).toEqual([]);
		await world.stop();
	});

	const IMAGES = { x64: X64.imageId, arm64: ARM64.imageId };
	const emfLines = () => world.log.filter((line) => "_aws" in line).map((line) => JSON.stringify(line));
	const told = () => valuesOf(emfLines(), "RunnerDaysLeft", "Stack=test");
	const line = (msg: string) => world.log.find((it) => it.msg === msg);
	async function until(holds: () => boolean): Promise<void> {
		while (!holds()) await Bun.sleep(20);
	}
	const daysAgo = (days: number) => Date.now() - days * DAY;
	async function begin(runner: string | null, releases: ReleaseOptions[], more: Parameters<typeof startWorld>[0] = {}) {
		const tags = { "mayfly:image": "approved", ...(runner !== null && { "mayfly:runner": runner }) };
		world = await startWorld({
			...{ releases, imageTags: { [X64.imageId]: tags, [ARM64.imageId]: { "mayfly:runner": "2.400.0" } }, ...more },
			env: { INFRASTRUCTURE: infrastructure(SUBNETS, IMAGES), SWEEP_MS: "300", ...more.env },
		});
	}

	test("tells the days of the oldest image's runner, once, and warns below nine", async () => {
		await begin("2.336.0", [
			{ version: "2.337.0", publishedAt: daysAgo(25) },
			{ version: "2.338.0", publishedAt: daysAgo(1) },
			{ version: "2.336.5", publishedAt: daysAgo(29), prerelease: true },
		]);
		await until(() => told().length > 0);
		expect(told()).toEqual([4.9]);
		expect(line("GitHub soon gives the runner no more jobs")).toMatchObject({
			...{ level: 40, runnerVersion: "2.336.0", newer: "2.337.0", daysLeft: 4.9 },
		});
		await world.relay.until(() => world.relay.observed.length > 3);
		expect(told()).toHaveLength(1);
		expect(emfLines().flatMap(problemsOf)).toEqual([]);
		expect(world.asked.filter((it) => it.includes("releases"))).toEqual(["GET /repos/actions/runner/releases"]);
		expect(world.asked).toContain("GET /app/installations");
	});

	test("counts the runner that machines exchange theirs for where that is newer, and does not warn of it", async () => {
		const runner = `runner: { version: 2.338.0, sha256: { x64: ${"a".repeat(64)}, arm64: ${"b".repeat(64)} } }`;
		await begin("2.336.0", [{ version: "2.338.0", publishedAt: daysAgo(29) }], { config: `${CONFIG}${runner}\n` });
		await until(() => told().length > 0);
		expect(told()).toEqual([30]);
		expect(line("GitHub soon gives the runner no more jobs")).toBeUndefined();
	});

	test("asks as the installation that is named, and goes on leasing when GitHub does not say", async () => {
		await begin("2.336.0", [], { config: CONFIG.replace("{ name: octo-org }", "{ name: octo-org, installationId: 51000000 }") });
		await until(() => told().length > 0);
		expect(world.asked).not.toContain("GET /app/installations");
		world.github.faults.request({ path: /actions\/runner\/releases/, status: 404, times: 5 });
		await world.poller.restart();
		await until(() => line("the runner's age is not known") !== undefined);
		expect(line("the runner's age is not known")).toMatchObject({ level: 40, error: expect.stringContaining("404") });
		const [item] = world.queue({ runsOn: ["mayfly=1/runner=small"] });
		if (!item) throw new Error("nothing is queued");
		world.relay.push(item);
		expect(await world.relay.ends(item.workId)).toMatchObject([{ outcome: "launched" }]);
	});

	test("says so when no image tells its runner, and when EC2 may not be asked", async () => {
		await begin(null, [], { imageTags: {} });
		await until(() => line("no image tells which runner it has") !== undefined);
		expect(world.asked.some((it) => it.includes("releases"))).toBe(false);
		world.ec2.faults.throttled.DescribeImages = 10;
		await world.poller.restart();
		await until(() => line("the runner's age is not known") !== undefined);
	});
});
