import { expect, test } from "bun:test";
import { runScripts } from "./runner-process.ts";

test("a job of green steps ends with 100 and the lines of the runner", async () => {
	const { code, out, told, completion, err } = await runScripts(['echo "hello from $GITHUB_REPOSITORY"']);
	expect(err).toBe("");
	expect(code).toBe(100);
	expect(out).toMatch(
		/^\n√ Connected to GitHub\n\nCurrent runner version: '2\.\d+\.\d+'\n(\S+ \S+Z): Listening for Jobs\n\S+ \S+Z: Running job: build \(linux, 20\)\n\S+ \S+Z: Job build \(linux, 20\) completed with result: Succeeded\n$/,
	);
	expect(told.log).toContain("hello from octo/demo");
	expect(completion?.result).toBe("Succeeded");
	expect(completion?.steps.map(({ name, conclusion }) => `${name}: ${conclusion}`)).toEqual([
		"Set up job: success",
		'Run echo "hello from $GITHUB_REPOSITORY": success',
		"Complete job: success",
	]);
	expect(told).toMatchObject({ sessions: 1, closed: 1 });
});
