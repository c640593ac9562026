import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { jobOf } from "./runner-broker.ts";
import { layOutRunner, runScene, startListener } from "./runner-process.ts";

const refuse = (status: number, error: string) => () => Response.json({ error }, { status });

async function runVerb(args: string[], env: Record<string, string> = {}) {
	const { root, remove } = await layOutRunner();
	try {
		return { ...(await startListener(root, args, env).ended()), files: readdirSync(root) };
	} finally {
		remove();
	}
}

test("a runner root has the files of a release", async () => {
	const { files, code, out } = await runVerb(["--version"]);
	expect(files.toSorted()).toEqual(["_diag", "bin", "config.sh", "externals", "run-helper.sh.template", "run.sh"]);
	expect([code, out]).toEqual([0, "2.337.0\n"]);
	expect((await runVerb(["--commit"])).out).toMatch(/^[0-9a-f]{40}\n$/);
	expect((await runVerb(["warmup"])).code).toBe(0);
});

test("1: not configured, a configuration that is none, arguments that are none", async () => {
	expect(await runVerb(["run"])).toMatchObject({ code: 1, out: "", err: "Not configured. Run config.(sh/cmd) to configure the runner.\n" });
	for (const jitConfig of ["%%%", "e30=", Buffer.from('{"../evil":"YQ=="}').toString("base64"), Buffer.from("[1]").toString("base64")])
		expect((await runVerb(["run", "--jitconfig", jitConfig])).code).toBe(1);
	expect((await runVerb(["run", "now"])).err).toContain("Unrecognized command-line input arguments: 'now'");
	expect((await runVerb(["configure"])).code).toBe(1);
});

test("1: a registration that was deleted cannot start", async () => {
	const { code, err } = await runScene({ prepare: (broker) => broker.answer("POST /token", refuse(400, "invalid_client")) });
	expect(code).toBe(1);
	expect(err).toStartWith("Failed to create a session. The runner registration has been deleted from the server, please re-configure.");
});

test("2: GitHub cannot be reached at the start", async () => {
	const { code, err, out } = await runScene({ prepare: (broker) => broker.answer("POST /token", refuse(503, "down")) });
	expect([code, out]).toEqual([2, ""]);
	expect(err).toStartWith("An error occurred: ");
});

test("5: the session stays held elsewhere", async () => {
	const { code, out, err } = await runScene({ prepare: (broker) => broker.answer("POST /session", refuse(409, "session_conflict")) });
	expect(code).toBe(5);
	expect(out).not.toContain("Listening");
	expect(err).toContain("A session for this runner already exists.\n");
	expect(err).toEndWith("Stop retry on SessionConflictException after retried for 0.06 seconds.\n");
});

test("1, or 7 when asked for: the version is deprecated, found out only after listening", async () => {
	const prepare: Parameters<typeof runScene>[0]["prepare"] = (broker) =>
		broker.answer("GET /message", refuse(403, "runner_version_deprecated"));
	const plain = await runScene({ prepare });
	expect(plain.code).toBe(1);
	expect(plain.out).toMatch(/: Listening for Jobs\nRunner version v2\.337\.0 is deprecated and cannot receive messages\.\n$/);
	expect((await runScene({ prepare, env: { ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE: "true" } })).code).toBe(7);
});

test("0: the registration goes while the runner polls, and its files with it", async () => {
	let left: string[] = [];
	const { code, out } = await runScene({
		prepare: (broker) => broker.answer("GET /message", refuse(404, "runner_not_found")),
		after: (root) => {
			left = readdirSync(root).filter((name) => name.startsWith("."));
		},
	});
	expect([code, left]).toEqual([0, []]);
	expect(out).toEndWith("The runner no longer exists on the server. Cleaning up local configuration.\n");
});

test("0 after a job, whatever it became, unless its result is asked for", async () => {
	expect((await runScene({ job: jobOf({ run: ["exit 1"] }) })).code).toBe(0);
	for (const asked of ["true", "1"])
		expect((await runScene({ job: jobOf({ run: ["exit 1"] }), env: { ACTIONS_RUNNER_RETURN_JOB_RESULT_FOR_HOSTED: asked } })).code).toBe(
			102,
		);
});

test("an ephemeral runner forgets its registration with the job, and leaves traces and moments", async () => {
	const { root } = await runScene({
		job: jobOf(),
		env: { RUNNER_PERFLOG: "perf" },
		after: (root) => {
			expect(existsSync(join(root, ".runner")) || existsSync(join(root, ".credentials_rsaparams"))).toBe(false);
			expect(readdirSync(join(root, "_diag")).filter((name) => /^(Runner|Worker)_\d{8}-\d{6}-utc\.log$/.test(name)).length).toBeGreaterThan(
				0,
			);
			const moments = readFileSync(join(root, "perf/Runner.perf"), "utf8") + readFileSync(join(root, "perf/Worker.perf"), "utf8");
			for (const name of ["RunnerProcessStarted", "SessionCreated", "StartingWorkerProcess", "WorkerJobInitialized_7"])
				expect(moments).toMatch(new RegExp(`^${name}:\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$`, "m"));
		},
	});
	expect(existsSync(root)).toBe(false);
});

test("a job that is no longer to be had is passed over, the next one is taken", async () => {
	const { code, out, told } = await runScene({
		job: jobOf(),
		prepare: (broker) => {
			let asked = 0;
			broker.answer("POST /acquire", () => {
				asked += 1;
				if (asked === 1) broker.send({ messageType: "RunnerJobRequest", jobId: 7 });
				return asked === 1 ? Response.json({ error: "job_not_available" }, { status: 409 }) : Response.json(jobOf());
			});
		},
	});
	expect(code).toBe(0);
	expect(out.match(/Running job/g)).toHaveLength(1);
	expect(told.completions).toHaveLength(1);
});

test("a poll that fails is tried again until GitHub answers", async () => {
	let failures = 0;
	const { code, out } = await runScene({
		job: jobOf(),
		prepare: (broker) =>
			broker.answer("GET /message", () => {
				failures += 1;
				if (failures < 3) return Response.json({ error: "down" }, { status: 502 });
				return Response.json({ messageType: "RunnerJobRequest", jobId: 7 });
			}),
	});
	expect(code).toBe(0);
	expect(out).toMatch(/: Runner connect error: .*502.*\. Retrying until reconnected\.\n\S+ \S+: Runner reconnected\.\n/);
});

test("an access token that ended is replaced without a word", async () => {
	let polls = 0;
	const { code, out, told } = await runScene({
		job: jobOf(),
		prepare: (broker) =>
			broker.answer("GET /message", () => {
				polls += 1;
				if (polls === 1) return Response.json({ error: "unauthorized" }, { status: 401 });
				return Response.json({ messageType: "RunnerJobRequest", jobId: 7 });
			}),
	});
	expect([code, told.completions.length]).toEqual([0, 1]);
	expect(out).not.toContain("connect error");
});

test("run.sh tells nothing of how the runner ended, and refuses root unless allowed", async () => {
	const { root, remove } = await layOutRunner();
	const run = async (env: Record<string, string>) => {
		const shell = Bun.spawn([join(root, "run.sh")], {
			cwd: root,
			env: { PATH: process.env.PATH ?? "", ...env },
			stdio: ["ignore", "pipe", "pipe"],
		});
		return { code: await shell.exited, out: await new Response(shell.stdout).text() };
	};
	const allowed = await run({ RUNNER_ALLOW_RUNASROOT: "1" });
	expect(allowed.code).toBe(0);
	expect(allowed.out).toContain("exit with terminated error");
	if (process.getuid?.() === 0)
		expect(await run({})).toEqual({ code: 0, out: "Must not run interactively with sudo\nExiting runner...\n" });
	remove();
});
