import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processesWith } from "../../local/runner/process-tree.ts";
import { jobOf } from "./runner-broker.ts";
import { type Broker, type Listener, runScene } from "./runner-process.ts";

const RESULT = { ACTIONS_RUNNER_RETURN_JOB_RESULT_FOR_HOSTED: "true" };
const NOTICE = "The runner has received a shutdown signal.";
const onceLogged = (text: string, then: (listener: Listener, broker: Broker) => void) => async (listener: Listener, broker: Broker) => {
	while (!broker.told.log.includes(text)) await Bun.sleep(5);
	then(listener, broker);
};
const conclusions = (steps: { name: string; conclusion: string }[] | undefined) =>
	steps?.map(({ name, conclusion }) => `${name}: ${conclusion}`);

test("SIGINT ends an idle runner at once, its session with it", async () => {
	const { code, out, told } = await runScene({
		during: async (listener) => {
			await listener.says("Listening for Jobs");
			listener.signal("SIGINT");
		},
	});
	expect(code).toBe(0);
	expect(out).toEndWith("Listening for Jobs\nExiting...\n");
	expect(told.closed).toBe(1);
});

test("SIGINT with a job interrupts its step, skips all that follows and fails it at GitHub while saying Canceled", async () => {
	const { code, out, completion, told } = await runScene({
		job: jobOf({ run: ["trap 'echo interrupted; exit 1' INT; echo up; while :; do sleep 0.02; done", "echo never"] }),
		env: { ...RESULT, ACTIONS_RUNNER_HOOK_JOB_COMPLETED: "/nowhere.sh" },
		during: onceLogged("up", (listener) => listener.signal("SIGINT")),
	});
	expect(code).toBe(0);
	expect(out).toMatch(/Running job: .*\nExiting\.\.\.\n.*: Job build \(linux, 20\) completed with result: Canceled\n$/);
	expect(told.log).toContain("interrupted");
	expect(completion?.result).toBe("Failed");
	expect(completion?.annotations[0]).toStartWith(NOTICE);
	expect(conclusions(completion?.steps)?.slice(1)).toEqual([
		expect.stringContaining(": cancelled"),
		"Run echo never: skipped",
		"Complete job: success",
	]);
});

test("a step that takes no notice is ended harder, and all below it", async () => {
	const mark = `STUBBORN=${crypto.randomUUID()}`;
	const { completion } = await runScene({
		job: jobOf({
			run: ["trap '' INT TERM; echo up; bash -c 'trap \"\" INT TERM; sleep 300 & wait; sleep 300'"],
			env: [{ STUBBORN: mark.slice(9) }],
		}),
		during: onceLogged("up", (listener) => listener.signal("SIGINT")),
	});
	expect(completion?.result).toBe("Failed");
	expect(processesWith(mark)).toEqual([]);
});

test("SIGTERM waits for the job only so long", async () => {
	const { code, out } = await runScene({
		job: jobOf({ run: ["trap '' INT TERM; echo up; sleep 300"] }),
		clocks: { interrupt: 400, terminate: 400, unload: 50 },
		during: onceLogged("up", (listener) => listener.signal("SIGTERM")),
	});
	expect(code).toBe(143);
	expect(out).toEndWith("Exiting...\n");
});

test("a cancelled run ends the step, skips the rest and still runs the completed hook", async () => {
	for (const how of ["renewal", "message"]) {
		const { code, completion, told, out } = await runScene({
			job: jobOf({ run: ["echo up; exec sleep 300", "echo never"] }),
			env: { ...RESULT, ACTIONS_RUNNER_HOOK_JOB_COMPLETED: "/nowhere.sh" },
			during: onceLogged("up", (_, broker) =>
				how === "renewal" ? broker.cancel() : broker.send({ messageType: "JobCancellation", jobId: 7 }),
			),
		});
		expect(code).toBe(103);
		expect(out).toContain("completed with result: Canceled");
		expect(completion).toMatchObject({ result: "Canceled", annotations: ["The operation was canceled.", "File doesn't exist"] });
		expect(told.log).not.toContain("never");
	}
});

test("a lock that cannot be renewed abandons the job", async () => {
	const { code, out } = await runScene({
		job: jobOf({ run: ["echo up; exec sleep 300"] }),
		env: RESULT,
		prepare: (broker) => broker.answer("POST /renew", () => Response.json({ error: "down" }, { status: 500 })),
	});
	expect(code).toBe(105);
	expect(out).toContain("completed with result: Abandoned");
});

test("a worker that is killed fails its job, told by the listener", async () => {
	const { code, completion } = await runScene({
		job: jobOf({ run: ["echo up; kill -KILL $PPID; sleep 300"] }),
		env: RESULT,
	});
	expect(code).toBe(102);
	expect(completion?.annotations).toEqual(["The runner's worker process ended before the job did."]);
});

test("a listener that is killed takes its worker and the job's processes along", async () => {
	const mark = `ORPHAN=${crypto.randomUUID()}`;
	await runScene({
		job: jobOf({ run: ["echo up; exec sleep 300"], env: [{ ORPHAN: mark.slice(7) }] }),
		during: async (listener, broker) => {
			while (!broker.told.log.includes("up")) await Bun.sleep(5);
			listener.signal("SIGKILL");
			while (processesWith(mark).length > 0 || broker.told.completions.length === 0) await Bun.sleep(10);
		},
	});
});

/** Runs a job with this script as its started hook; none at that path for null. */
async function runWithHook(script: string | null, job: ReturnType<typeof jobOf>) {
	const path = join(tmpdir(), `hook-${crypto.randomUUID()}.sh`);
	if (script !== null) writeFileSync(path, script);
	const ended = await runScene({ job, env: { ...RESULT, ACTIONS_RUNNER_HOOK_JOB_STARTED: path } });
	rmSync(path, { force: true });
	return ended;
}

test("the started hook runs before the first step with GITHUB_* and without the job's env", async () => {
	const script = 'echo "hook for $GITHUB_RUN_ID $GITHUB_JOB [$SECRET] $ACTIONS_ID_TOKEN_REQUEST_TOKEN"; echo FROM_HOOK=yes >> $GITHUB_ENV';
	const { told, completion } = await runWithHook(script, jobOf({ run: ["echo step $SECRET $FROM_HOOK"], env: [{ SECRET: "job" }] }));
	expect(told.log).toContain("A job started hook has been configured by the self-hosted runner administrator");
	expect(told.log).toContain("hook for 42 build [] ");
	expect(told.log).toContain("step job yes");
	expect(conclusions(completion?.steps)?.[1]).toBe("Set up runner: success");
});

test("a started hook that fails, or is not there, fails the job before its first step", async () => {
	for (const [script, reason] of [
		["exit 9", "Process completed with exit code 9."],
		[null, "File doesn't exist"],
	] as const) {
		const { code, completion } = await runWithHook(script, jobOf({ run: ["echo never"] }));
		expect(code).toBe(102);
		expect(completion).toMatchObject({ result: "Failed", annotations: [reason] });
		expect(conclusions(completion?.steps)).toEqual([
			"Set up job: success",
			"Set up runner: failure",
			"Run echo never: skipped",
			"Complete job: success",
		]);
	}
});

test("the completed hook runs last, after a failure too", async () => {
	const { told, completion } = await runScene({
		job: jobOf({ run: ["exit 1"] }),
		prepare: (_, root) => {
			writeFileSync(join(root, ".env"), `ACTIONS_RUNNER_HOOK_JOB_COMPLETED=${root}/done.sh\n`);
			writeFileSync(join(root, "done.sh"), "echo all done");
		},
	});
	expect(told.log).toContain("all done");
	expect(conclusions(completion?.steps)?.slice(-2)).toEqual(["Complete runner: success", "Complete job: success"]);
});
