// The provisioning scripts: clean by shellcheck, short, numbered, and every unit that ships is told to the allowlist.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..", "..");
const below = (folder: string, pattern: string) =>
	[...new Bun.Glob(pattern).scanSync({ cwd: join(ROOT, folder) })].map((name) => join(folder, name)).toSorted();
const scripts = [...below("ami", "**/*.sh"), ...below("bench/boot", "*.sh")];

test("shellcheck finds nothing", async () => {
	expect(scripts.length).toBeGreaterThan(10);
	const child = Bun.spawn(["shellcheck", "--shell=bash", ...scripts], { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	expect(await new Response(child.stdout).text()).toBe("");
	expect(await child.exited).toBe(0);
});

test("each is under 80 lines and says what it is", () => {
	for (const script of scripts) {
		const lines = readFileSync(join(ROOT, script), "utf8").split("\n");
		expect(`${script}: ${lines.length < 80}`).toBe(`${script}: true`);
		expect(lines.slice(0, 2).some((line) => /^# [A-Z]/.test(line))).toBe(true);
	}
});

test("those that provision are numbered and stop at the first problem", () => {
	for (const folder of ["ami/provision", "ami/gateway/provision"])
		for (const name of readdirSync(join(ROOT, folder))) {
			expect(name).toMatch(/^[1-9]\d-[a-z]+\.sh$/);
			expect(readFileSync(join(ROOT, folder, name), "utf8")).toContain("set -euo pipefail");
		}
});

test("every unit of ours that something starts is on the allowlist", () => {
	const allowed = readFileSync(join(ROOT, "ami/units.allow"), "utf8").split("\n");
	const units = readdirSync(join(ROOT, "ami/units")).filter((name) =>
		readFileSync(join(ROOT, "ami/units", name), "utf8").includes("[Install]"),
	);
	expect(units.length).toBeGreaterThan(3);
	for (const unit of units) expect(allowed).toContain(unit);
});

test("nothing that ships names an account, a key or a token", () => {
	const shipped = ["files", "units", "provision", "gateway"].flatMap((folder) => below(`ami/${folder}`, "**/*"));
	for (const file of shipped) expect(readFileSync(join(ROOT, file), "utf8")).not.toMatch(/AKIA|BEGIN [A-Z ]*PRIVATE KEY|gh[ps]_|arn:aws/);
});
