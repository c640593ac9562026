// The binary itself: what it answers, what it refuses to read, who its runner is.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findAccount } from "../../agent/account.ts";
import { buildAgent } from "../../build/agent.ts";
import packageJson from "../../package.json";
import { agentBinary, TARGET } from "./binary.ts";
import { REPOSITORY } from "./documents.ts";
import { runMachine } from "./machine.ts";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "mf-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(args: string[], env: Record<string, string> = {}) {
	const agent = Bun.spawn([await agentBinary(), ...args], { cwd: "/", env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [out, err, code] = await Promise.all([new Response(agent.stdout).text(), new Response(agent.stderr).text(), agent.exited]);
	return { out, err, code };
}

describe("the command line", () => {
	test("--version says which one it is", async () => {
		expect(await run(["--version"])).toEqual({ out: `${packageJson.version}\n`, err: "", code: 0 });
	});

	test("--help says that the machine will be turned off", async () => {
		const { out, code } = await run(["--help"]);
		expect(out).toContain("TURNS THE MACHINE OFF");
		expect(code).toBe(0);
	});

	test("anything else is refused without turning anything off", async () => {
		expect((await run(["run"])).code).toBe(2);
	});

	test("every wrong variable is named, and nothing is turned off: whoever tries it at a desk keeps the desk", async () => {
		const { err, code } = await run([], {
			MAYFLY_IMDS_URL: "no",
			MAYFLY_SPOT_POLL_MS: "-1",
			LOG_LEVEL: "loud",
			MAYFLY_CLOCKS: '{"clam":1}',
		});
		expect(code).toBe(2);
		for (const name of ["MAYFLY_MAILBOX_URL", "MAYFLY_IMDS_URL", "MAYFLY_SPOT_POLL_MS", "LOG_LEVEL", "MAYFLY_CLOCKS.clam"])
			expect(err).toContain(`${name}: `);
	});
});

test("two builds of the same sources are the same bytes", async () => {
	await buildAgent(TARGET, join(folder, "other-name"));
	expect(readFileSync(join(folder, "other-name")).equals(readFileSync(await agentBinary()))).toBe(true);
}, 60_000);

/** What a job can leave where it can write, each of which runs code in a Bun program that reads it. */
function leaveTraps(place: string): string {
	const mark = join(place, "trapped");
	const code = `require("node:fs").writeFileSync(${JSON.stringify(mark)}, "trapped");`;
	writeFileSync(join(place, "trap.js"), code);
	writeFileSync(join(place, "trap.ts"), code);
	writeFileSync(join(place, "bunfig.toml"), 'preload = ["./trap.js"]\n[run]\npreload = ["./trap.js"]\n');
	writeFileSync(join(place, ".env"), `MAYFLY_POWER_OFF=touch ${mark}\nLOG_LEVEL=loud\nBUN_OPTIONS=--preload ${join(place, "trap.js")}\n`);
	writeFileSync(join(place, ".env.local"), "LOG_LEVEL=loud\n");
	writeFileSync(join(place, "package.json"), JSON.stringify({ name: "trap", imports: { "#pino": "./trap.js" }, main: "trap.js" }));
	writeFileSync(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions: { paths: { pino: ["./trap.ts"] } } }));
	return mark;
}

test("nothing that lies in its working directory, its home or the runner's root is executed by the agent", async () => {
	const mark = leaveTraps(folder);
	const end = await runMachine({
		runner: "failure",
		cwd: folder,
		prepare: (machine) => {
			leaveTraps(machine);
			leaveTraps(join(machine, "runner"));
		},
	});
	expect(end).toMatchObject({ code: 0, offs: 1, phases: ["claimed", "listening", "running", "finished", "off"] });
	expect(end.trapped).toBe(false);
	expect(existsSync(mark)).toBe(false);
});

describe("the runner's user", () => {
	/** Only root can become somebody else. */
	const isRoot = process.getuid?.() === 0 && TARGET.startsWith("linux");

	test.if(isRoot)("is another one than the agent's, and reaches what it needs whatever the unit's umask is", async () => {
		const nobody = findAccount(readFileSync("/etc/passwd", "utf8"), "nobody");
		const umask = process.umask();
		let owner = 0;
		const end = await runMachine(
			{
				runner: "success",
				env: { MAYFLY_RUNNER_USER: "nobody" },
				job: { GITHUB_REPOSITORY: REPOSITORY },
				prepare(machine) {
					chmodSync(machine, 0o755);
					chownSync(join(machine, "runner"), nobody?.uid ?? 0, nobody?.gid ?? 0);
					process.umask(0o077);
				},
			},
			async (machine) => {
				process.umask(umask);
				await machine.reached("running");
				owner = statSync(join(machine.root, "seen.env")).uid;
			},
		);
		expect(end).toMatchObject({ code: 0, offs: 1, firstStep: true });
		expect(owner).toBe(nobody?.uid ?? 0);
		expect(end.files.env).toContain(`HOME=${nobody?.home}\n`);
		expect(JSON.parse(end.files.setup_info ?? "[]")).toHaveLength(2);
	});

	test("that does not exist keeps the runner from starting", async () => {
		const end = await runMachine({ runner: "success", env: { MAYFLY_RUNNER_USER: "no-such-user" } });
		expect(end).toMatchObject({ code: 0, offs: 1, phases: ["claimed", "off"], files: { args: null } });
	});
});
