// The command line of `bun run image`, as a person types it.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "..", "..", "ami", "main.ts");

async function image(...args: string[]) {
	const child = Bun.spawn([process.execPath, MAIN, ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [stdout, stderr, status] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	return { stdout, stderr, status };
}

describe("the command line", () => {
	test("--help shows both commands with examples", async () => {
		const { stdout, status } = await image("--help");
		expect(status).toBe(0);
		for (const words of ["image build", "image boot", "examples:", "exit status", "agent-killed", "power-off-masked"])
			expect(stdout).toContain(words);
	});

	test.each([
		[[], "build, boot, learn or pins"],
		[["bake"], "build, boot, learn or pins"],
		[["build", "more"], "build, boot, learn or pins"],
		[["build", "--base", "fedora"], "debian, ubuntu"],
		[["build", "--mirror", "somewhere"], "--mirror takes a URL"],
		[["build", "--fault", "fork-bomb"], "--fault is not for build"],
		[["boot", "--runner", "release"], "--runner is not for boot"],
		[["boot", "--fault", "earthquake"], "agent-killed"],
		[["boot", "--what"], "--what"],
	])("%p is refused with what would do", async (args, words) => {
		const { stderr, stdout, status } = await image(...(args as string[]));
		expect(status).toBe(2);
		expect(stderr).toContain(words as string);
		expect(stderr).toContain("--help");
		expect(stdout).toBe("");
	});

	test("an image that is not there is named, with what to do", async () => {
		const { stderr, stdout, status } = await image("boot", "--image", "/nowhere/image.raw", "--json");
		expect(status).toBe(1);
		expect(stderr).toContain("/nowhere/image.raw: run bun run image build");
		expect(JSON.parse(stdout)).toMatchObject({ ok: false, part: "image" });
	});
});
