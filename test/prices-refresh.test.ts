// `bun run prices`, as it is run: two public tables in, the poller's own out.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import types from "../poller/instance-types.json";

const root = join(import.meta.dir, "..");
let folder = "";
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-prices-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const NAMES = [...types.x64, ...types.arm64].map(([name]) => String(name)).slice(0, 30);
const GO = `package pricing
// generated at 2026-07-20T13:44:30Z for us-east-1
	"us-east-1": {
		${NAMES.map((name, at) => `"${name}": ${(at + 1).toFixed(6)},`).join(" ")} "p5.48xlarge": 98.320000,
`;
/** `eu-dear-1` costs half more but for one wild price; 0 is a price that is not known; `eu-new-1` has too few. */
const libcloud = {
	updated: 1_740_936_978,
	compute: {
		ec2_linux: Object.fromEntries(
			NAMES.map((name, at) => [
				name,
				{
					"us-east-1": at + 1,
					"eu-dear-1": at === 3 ? 900 : (at + 1) * 1.5,
					"eu-zero-1": 0,
					"us-east-1-lax-1": 2,
					...(at < 5 && { "eu-new-1": 1 }),
				},
			]),
		),
	},
};

async function saved(name: string, text: string): Promise<string> {
	await writeFile(join(folder, name), text);
	return join(folder, name);
}
async function run(...args: string[]) {
	const child = Bun.spawn([process.execPath, "build/prices.ts", ...args], { cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
	return { out, err, code: await child.exited };
}
const inputs = async () => ["--prices", await saved("p.go", GO), "--regions", await saved("pricing.json", JSON.stringify(libcloud))];

test("launchable types keep their price, regions the median of their ratios, and the head says of when", async () => {
	const out = join(folder, "out.json");
	const told = await run(...(await inputs()), "--out", out);
	expect([told.code, told.err]).toEqual([0, ""]);
	const { source, usdPerHour, factors } = JSON.parse(await readFile(out, "utf8"));
	expect(usdPerHour).toEqual(Object.fromEntries(NAMES.map((name, at) => [name, at + 1])));
	expect(factors).toEqual({ "us-east-1": 1, "eu-dear-1": 1.5 });
	expect(source).toContain("2026-07-20");
	expect(source).toContain("2025-03-02");
	expect(told.out).toContain(`added ${NAMES[0]}\n`);
	expect(told.out).toContain("30 of ");
});

test("the same input gives the same bytes, and a price that changed is said", async () => {
	const out = join(folder, "again.json");
	const args = [...(await inputs()), "--out", out];
	await run(...args);
	const first = await readFile(out, "utf8");
	await writeFile(out, first.replace(`"${NAMES[0]}": 1`, `"${NAMES[0]}": 7`));
	expect((await run(...args)).out).toStartWith(`changed ${NAMES[0]}: 7 is now 1\n`);
	expect(await readFile(out, "utf8")).toBe(first);
});

test("the table that ships is one that this build writes, and the linter accepts it", async () => {
	const biome = Bun.spawn([join(root, "node_modules/.bin/biome"), "check", "poller/prices.json"], {
		cwd: root,
		stdout: "ignore",
		stderr: "ignore",
	});
	expect(await biome.exited).toBe(0);
});

test("a file that is not the table is named with what it should be, and nothing is written", async () => {
	const out = join(folder, "none.json");
	const [, prices = "", , regions = ""] = await inputs();
	const swapped = await run("--prices", regions, "--regions", regions, "--out", out);
	expect([swapped.code, swapped.out]).toEqual([1, ""]);
	expect(swapped.err).toContain("pricing.json: it is no table of on-demand prices for us-east-1");
	expect((await run("--prices", prices, "--regions", join(folder, "absent"), "--out", out)).err).toContain("absent");
	expect(await Bun.file(out).exists()).toBe(false);
});

test("a command line that lacks a file exits with 2 and shows the help with its examples", async () => {
	const { code, err } = await run("--prices", "x");
	expect(code).toBe(2);
	expect(err).toStartWith("--regions is missing\n");
	expect(err).toContain("go mod download");
	expect(await run("--help")).toMatchObject({ code: 0, err: "" });
});
