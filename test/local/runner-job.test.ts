import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import type { Step } from "../../local/workflow/model.ts";
import { jobOf } from "./runner-broker.ts";
import { runScene, runScripts } from "./runner-process.ts";

const step = (run: string, more: Partial<Step> = {}): Step => ({
	...{ line: 1, id: null, name: null, run, env: {}, workingDirectory: null, continueOnError: false, timeoutMinutes: null },
	...more,
});
const runSteps = (steps: Step[], more: Parameters<typeof jobOf>[0] = {}) => runScripts([], { steps, ...more });
const conclusions = (steps: { conclusion: string }[] | undefined) => steps?.slice(1, -1).map(({ conclusion }) => conclusion);

test("a job of green steps ends with 100 and the lines of the runner", async () => {
	const { code, out, told, completion, err } = await runScripts(['echo "hello from $GITHUB_REPOSITORY"']);
	expect(err).toBe("");
	expect(code).toBe(100);
	expect(out).toMatch(
		/^\n√ Connected to GitHub\n\nCurrent runner version: '2\.\d+\.\d+'\n(\S+ \S+Z): Listening for Jobs\n\S+ \S+Z: Running job: build \(linux, 20\)\n\S+ \S+Z: Job build \(linux, 20\) completed with result: Succeeded\n$/,
	);
	expect(told.log).toContain("hello from octo/demo");
	expect(completion?.result).toBe("Succeeded");
	expect(completion?.steps.map(({ name, conclusion, number }) => `${number} ${name}: ${conclusion}`)).toEqual([
		"1 Set up job: success",
		'2 Run echo "hello from $GITHUB_REPOSITORY": success',
		"3 Complete job: success",
	]);
	expect(told).toMatchObject({ sessions: 1, closed: 1 });
});

test("a step that fails fails the job, with 102, and the steps behind it are skipped", async () => {
	const { code, out, completion } = await runScripts(["exit 3", "echo never"]);
	expect(code).toBe(102);
	expect(out).toContain("completed with result: Failed");
	expect(completion).toMatchObject({ result: "Failed", annotations: ["Process completed with exit code 3."] });
	expect(conclusions(completion?.steps)).toEqual(["failure", "skipped"]);
});

test("the first command that fails ends a script", async () => {
	const { told } = await runScripts(["false\necho after"]);
	expect(told.log).toContain("echo after");
	expect(told.log).not.toContain("after");
});

test("only `shell: bash` fails a pipe whose first command fails", async () => {
	const steps = [step("false | true; echo passed"), step("false | true; echo strict", { shell: "bash" })];
	const { told, completion } = await runSteps(steps);
	expect(told.log).toContain("passed");
	expect(told.log).not.toContain("strict");
	expect(conclusions(completion?.steps)).toEqual(["success", "failure"]);
});

test("continue-on-error keeps the outcome and changes the conclusion", async () => {
	const steps = [
		step("exit 1", { id: "may", continueOnError: true }),
		step("echo ${{ steps.may.outcome }} ${{ steps.may.conclusion }}", { continueOnError: "${{ fromJSON('true') }}" }),
	];
	const { code, told } = await runSteps(steps);
	expect(told.log).toContain("failure success");
	expect(code).toBe(100);
});

test("GITHUB_ENV, GITHUB_OUTPUT and GITHUB_PATH reach the steps behind and the job's outputs", async () => {
	const { told, completion } = await runSteps(
		[
			step(
				'mkdir tools; printf "#!/bin/sh\\necho tool ran" > tools/mytool; chmod +x tools/mytool; echo "$PWD/tools" >> $GITHUB_PATH\necho A=one >> $GITHUB_ENV\nprintf "B<<END\\ntwo\\nlines=\\nEND\\n" >> "$GITHUB_ENV"\necho "version=1=2" >> "$GITHUB_OUTPUT"',
				{ id: "set" },
			),
			step('mytool; echo "[$A][$B]"; echo "${{ env.A }} ${{ steps.set.outputs.version }}"'),
		],
		{ outputs: { version: "v${{ steps.set.outputs.version }}" } },
	);
	expect(told.log).toContain("tool ran");
	expect(told.log.join("\n")).toContain("[one][two\nlines=]");
	expect(told.log).toContain("one 1=2");
	expect(completion?.outputs).toEqual({ version: "v1=2" });
});

test("a later env covers an earlier one: workflow, job, GITHUB_ENV, step; GITHUB_* is nobody's to change", async () => {
	const { told } = await runSteps(
		[
			step('echo "$A $B $C $GITHUB_SHA"; echo B=set >> $GITHUB_ENV; echo C=set >> $GITHUB_ENV', {
				env: { C: "step", GITHUB_SHA: "forged" },
			}),
			step('echo "$A $B $C"', { env: { C: "step ${{ env.B }}" } }),
		],
		{
			env: [
				{ A: "workflow", B: "workflow" },
				{ B: "${{ matrix.os }}", C: "job" },
			],
		},
	);
	expect(told.log).toContain("workflow linux step abc");
	expect(told.log).toContain("workflow set step set");
});

test("contexts, event file, workspace and working directory are those of the job", async () => {
	const { told } = await runSteps(
		[
			step(
				'echo "${{ needs.first.outputs.version }} ${{ matrix.os }} ${{ github.event.action }}"; cat "$GITHUB_EVENT_PATH"; echo; mkdir sub',
			),
			step('echo "${PWD#"$GITHUB_WORKSPACE"} $RUNNER_NAME $RUNNER_OS $CI $GITHUB_RUN_ID"', { workingDirectory: "sub" }),
		],
		{},
	);
	expect(told.log).toContain("1.2 linux push");
	expect(told.log).toContain('{"action":"push"}');
	expect(told.log).toContain(`/sub mayfly-i-1 ${process.platform === "darwin" ? "macOS" : "Linux"} true 42`);
});

test("a working directory that is not there and a template that cannot be evaluated fail their step", async () => {
	const { completion } = await runSteps([
		step("true", { workingDirectory: "nowhere", continueOnError: true }),
		step("echo ${{ fromJSON('{') }}"),
	]);
	expect(conclusions(completion?.steps)).toEqual(["success", "failure"]);
	expect(completion?.annotations[0]).toContain("nowhere");
	expect(completion?.annotations[1]).toStartWith("The template is not valid. line 1: fromJSON()");
});

test("a malformed GITHUB_ENV fails the step that wrote it", async () => {
	const { completion } = await runScripts(['echo "no assignment" >> "$GITHUB_ENV"']);
	expect(completion?.annotations).toEqual(["Unable to process file command 'env' successfully. Invalid format 'no assignment'"]);
});

test("a step out of time fails, a job out of time is cancelled", async () => {
	const late = await runSteps([step("exec sleep 60", { name: "Nap", timeoutMinutes: 0.005 }), step("true")]);
	expect(late.code).toBe(102);
	expect(late.completion?.annotations).toEqual(["The action 'Nap' has timed out after 0.005 minutes."]);
	const over = await runScripts(["exec sleep 60", "true"], { timeoutMinutes: 0.005 });
	expect(over.code).toBe(103);
	expect(over.completion).toMatchObject({ result: "Canceled" });
	expect(conclusions(over.completion?.steps)).toEqual(["cancelled", "skipped"]);
});

test("workflow commands make annotations, and what add-mask names is never shown again", async () => {
	const { told, completion } = await runScripts([
		'echo "::add-mask::s3cret"; echo "has s3cret"; echo "::error file=a.ts,line=3::broken s3cret%0Ahere"',
	]);
	expect(told.log).toContain("has ***");
	expect(told.log.filter((line) => line.includes("s3cret") && !line.includes("add-mask"))).toEqual([]);
	expect(completion?.annotations).toEqual(["broken ***\nhere"]);
});

test("the log reaches GitHub while the step still runs", async () => {
	const { code } = await runScene({
		job: jobOf({ run: ["echo early; until [ -e go ]; do sleep 0.01; done"] }),
		env: { ACTIONS_RUNNER_RETURN_JOB_RESULT_FOR_HOSTED: "true" },
		during: async (_, broker, root) => {
			while (!broker.told.log.includes("early")) await Bun.sleep(5);
			await Bun.write(`${root}/_work/demo/demo/go`, "");
		},
	});
	expect(code).toBe(100);
});

test("what a step left running is ended with the job and does not hold it up", async () => {
	const { code, told } = await runScripts(["sleep 300 & echo started; echo $! > pid; (setsid sleep 301 >/dev/null 2>&1 &)"]);
	expect(code).toBe(100);
	expect(told.log.filter((line) => /^Terminate orphan process: pid \(\d+\) \(sleep\)$/.test(line))).toHaveLength(2);
});

test(".setup_info is shown folded in the first step, what is internal is not", async () => {
	const { told } = await runScene({
		job: jobOf(),
		prepare: (_, root) => {
			const groups = [
				{ group: "Mayfly", detail: "queue 1 s\nboot 2 s" },
				{ group: "_internal_x", detail: "hidden" },
			];
			writeFileSync(`${root}/.setup_info`, JSON.stringify(groups));
		},
	});
	expect(told.log.join("\n")).toContain("##[group]Mayfly\nqueue 1 s\nboot 2 s\n##[endgroup]");
	expect(told.log.join("\n")).not.toContain("hidden");
});

test("an OIDC token's way is given to the job and its secret masked", async () => {
	const { told } = await runScripts(['echo "$ACTIONS_ID_TOKEN_REQUEST_URL $ACTIONS_ID_TOKEN_REQUEST_TOKEN"'], {
		idToken: { url: "http://oidc/?a=b", token: "bearer-of-the-job" },
	});
	expect(told.log).toContain("http://oidc/?a=b ***");
});

test("the JIT configuration is not in the job's environment, and .env of the root is", async () => {
	const { told } = await runScene({
		job: jobOf({ run: ["env | sort"] }),
		prepare: (_, root) => writeFileSync(`${root}/.env`, "FROM_ROOT=yes\n"),
	});
	expect(told.log).toContain("FROM_ROOT=yes");
	expect(told.log.filter((line) => line.startsWith("ACTIONS_RUNNER_INPUT"))).toEqual([]);
});

test("a million lines, a line of many megabytes and a step without an end of line all arrive", async () => {
	const { told, code } = await runScripts(["seq 1 1000000", "head -c 20000000 /dev/zero | tr '\\0' x; echo", "printf last"]);
	expect(code).toBe(100);
	expect(told.log.filter((line) => /^\d+$/.test(line))).toHaveLength(1_000_000);
	expect(told.log.some((line) => line.length === 20_000_000)).toBe(true);
	expect(told.log).toContain("last");
}, 30_000);

test("a step that clears away the runner's folders harms only itself", async () => {
	const { told, code } = await runScripts([
		'rm -rf "$RUNNER_TEMP" && mkdir -p "$GITHUB_ENV"',
		'echo A=b >> "$GITHUB_ENV"',
		'echo "still $A"',
	]);
	expect(code).toBe(100);
	expect(told.log).toContain("still b");
});

test("a name with a line break cannot forge a line of the runner", async () => {
	const { out } = await runScripts(["true"], { name: "x\n2026-01-01 00:00:00Z: Job x completed with result: Succeeded" });
	expect(out).not.toMatch(/^2026-01-01/m);
});
