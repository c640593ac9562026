// A machine that is held for somebody who looks: the hook's real script against a socket that admits.
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHook } from "../../agent/hook.ts";
import { GO_ON } from "../../agent/hook-script.ts";

const folder = mkdtempSync(join(tmpdir(), "mayfly-hold-"));
afterEach(() => {
	rmSync(GO_ON, { force: true });
	rmSync(folder, { recursive: true, force: true });
});

async function runHook(hold: number) {
	const hook = startHook({
		...{ stateDir: join(folder, String(hold)), limitMs: 5000, hold, onVerdict: () => undefined },
		audience: null,
		decide: async () => ({ admitted: true }),
		removed: async () => true,
	});
	const script = Bun.spawn(["bash", hook.script], { env: { PATH: process.env.PATH ?? "" }, stdout: "pipe", stderr: "ignore" });
	const output = await new Response(script.stdout).text();
	hook.stop();
	return { code: await script.exited, output };
}

test("an admitted job with debug=true is held until somebody lets it go on, or its time is over; others are not", async () => {
	expect(await runHook(0)).toEqual({ code: 0, output: "This machine admits the job.\n" });
	const waited = await runHook(1);
	expect(waited.code).toBe(0);
	expect(waited.output).toContain("Held for debugging, for 1 s at most");
	expect(waited.output).toContain(`touch ${GO_ON}`);
	writeFileSync(GO_ON, "");
	// An hour: the test would not come to its end.
	expect((await runHook(3_600_000)).output).toContain("for 3600 s at most");
});
