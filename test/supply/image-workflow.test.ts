// When the image's workflow runs, and how long its parts may take: of the file as it is.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parse } from "yaml";
import { readVersions, VERSIONS_FILE } from "../../ami/versions.ts";

const root = join(import.meta.dir, "..", "..");
const workflow = parse(readFileSync(join(root, ".github", "workflows", "image.yml"), "utf8"));

/** What a program is made of: its own files, with all that they import. */
function sourcesOf(entry: string, found = new Set<string>()): Set<string> {
	if (found.has(entry) || !existsSync(join(root, entry))) return found;
	found.add(entry);
	if (!entry.endsWith(".ts")) return found;
	for (const [, name = ""] of readFileSync(join(root, entry), "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g))
		sourcesOf(relative(root, join(root, dirname(entry), name)), found);
	return found;
}

describe("images are built anew", () => {
	test("when anything changes that they are made of", () => {
		const globs = (workflow.on.push.paths as string[]).map((path) => new Bun.Glob(path));
		const programs = ["agent/main.ts", "gateway/main.ts", "build/agent.ts", "build/gateway.ts", "build/main.ts"];
		const made = [...programs.slice(0, 4).flatMap((entry) => [...sourcesOf(entry)]), programs[4] as string];
		expect(made.some((file) => file.startsWith("aws/"))).toBe(true);
		const others = ["package.json", "bun.lock", "ami/versions.json", ".github/bun/package-lock.json", ".github/workflows/image.yml"];
		expect([...made, ...others].filter((file) => !globs.some((glob) => glob.match(file)))).toEqual([]);
	});

	test("every day, and pins are compared twice a day, so that 48 hours hold", () => {
		const crons = (workflow.on.schedule as { cron: string }[]).map(({ cron }) => cron);
		expect(crons.map((cron) => cron.split(" ").slice(2).join(" "))).toEqual(["* * *", "* * *"]);
		expect(crons.map((cron) => cron.split(" ")[1]?.split(",").length)).toEqual([2, 1]);
		expect([workflow.jobs.pins.if, workflow.jobs.build.if].map((text, at) => text.includes(`'${crons[at]}'`))).toEqual([true, true]);
	});

	test("with pins that tell of every newer part: only the list of authorities has no version of its own", async () => {
		const { bases } = await readVersions(VERSIONS_FILE);
		for (const { packages, gateway } of Object.values(bases))
			for (const [name, pin] of [...Object.entries(packages), ...Object.entries(gateway)])
				expect([name, pin === "*"]).toEqual([name, name === "ca-certificates"]);
	});
});

test("publishing ends before the machine that it started does by itself, and before its credentials", () => {
	const { "timeout-minutes": minutes, steps } = workflow.jobs.publish;
	const template = readFileSync(join(root, "ami", "packer", "image.pkr.hcl"), "utf8");
	const writer = Number(/user_data += "#!\/bin\/sh\\nshutdown -P \+(\d+)\\n"/.exec(template)?.[1]);
	expect(template).toMatch(/shutdown_behavior += "terminate"/);
	expect(minutes).toBeLessThan(writer);
	const credentials = steps.find((step: { uses?: string }) => step.uses?.startsWith("aws-actions/"));
	expect(writer * 60).toBeLessThan(credentials.with["role-duration-seconds"]);
});
