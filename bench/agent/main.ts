// `bun run bench agent`: the compiled agent from exec to a running runner, beside an empty program of its compiler and beside a script.
import { stat } from "node:fs/promises";
import { temporaryFolder } from "../relay/subjects.ts";
import type { Report } from "../report.ts";
import { type Bar, median } from "../statistics.ts";
import { startStandIns } from "./stand-ins.ts";
import { cpuOf, makeSubjects, rssOf, startMachine, wallOf } from "./subjects.ts";

export interface AgentBench {
	/** Boots of each subject, by turns. */
	boots: number;
	/** Seconds of the job whose CPU time is measured. */
	jobSeconds: number;
}

/** Milliseconds of one boot. */
interface Boot {
	/** From exec to the first request to IMDS. */
	toRequest: number;
	/** From the boot document's answer to the runner's start. */
	toRunner: number;
	/** From exec to the runner's start. */
	total: number;
}

/** By then everything that a listening agent loads late is there. */
const SETTLED_MS = 1500;

const ms = (value: number) => value.toFixed(1);

/** Measures everything in one run. `say` is told of progress. */
export async function benchAgent({ boots, jobSeconds }: AgentBench, say: (text: string) => void): Promise<Report> {
	await using folder = await temporaryFolder();
	const subjects = await makeSubjects(folder.path);
	const stands = await startStandIns();
	try {
		const boot = async (command: string): Promise<Boot> => {
			const machine = await startMachine(command, folder.path, stands);
			try {
				const started = await machine.started;
				const { asked, answered } = stands.moments;
				return { toRequest: asked - machine.begun, toRunner: started - answered, total: started - machine.begun };
			} finally {
				await machine.stop();
			}
		};
		const [agent, script, empty]: [Boot[], Boot[], number[]] = [[], [], []];
		// The first of each reads its files from the disk.
		await Promise.all([wallOf(subjects.empty), boot(subjects.agent)]);
		for (let at = 1; at <= boots; at++) {
			empty.push(await wallOf(subjects.empty));
			agent.push(await boot(subjects.agent));
			script.push(await boot(subjects.script));
			if (at % 5 === 0 || at === boots) say(`boot ${at} of ${boots}: the runner runs after ${ms(agent.at(-1)?.total ?? Number.NaN)} ms`);
		}
		const listening = await startMachine(subjects.agent, folder.path, stands);
		await listening.started;
		await Bun.sleep(SETTLED_MS);
		const rss = await rssOf(listening.pid);
		await listening.stop();
		say(`a job of ${jobSeconds} s`);
		const working = await startMachine(subjects.agent, folder.path, stands, true);
		await working.started;
		await Bun.sleep(jobSeconds * 1000);
		const cpu = await cpuOf(working.pid);
		const isReported = stands.phases.includes("running");
		await working.stop();
		if (!isReported) throw new Error("the agent did not report its job");
		const sizeMb = (await stat(subjects.agent)).size / 1024 / 1024;
		return reportOf({ boots, jobSeconds, agent, script, empty, rss, cpu, sizeMb });
	} finally {
		await stands.stop();
	}
}

interface Measured extends AgentBench {
	agent: Boot[];
	script: Boot[];
	empty: number[];
	rss: number;
	cpu: number;
	sizeMb: number;
}

function reportOf({ boots, jobSeconds, agent, script, empty, rss, cpu, sizeMb }: Measured): Report {
	const of = (all: Boot[], figure: keyof Boot) => median(all.map((it) => it[figure]));
	const wall = median(empty);
	const figures = {
		...{ boots, emptyMs: wall, rssMib: rss, cpuSeconds: cpu, jobSeconds, binaryMib: sizeMb },
		agent: { toRequestMs: of(agent, "toRequest"), toRunnerMs: of(agent, "toRunner"), totalMs: of(agent, "total") },
		script: { toRequestMs: of(script, "toRequest"), toRunnerMs: of(script, "toRunner"), totalMs: of(script, "total") },
	};
	const bar = (name: string, value: number, bound: number): Bar => ({ name, value, bound, least: false });
	const row = (name: string, it: typeof figures.agent) => [name, ms(it.toRequestMs), ms(it.toRunnerMs), ms(it.totalMs)];
	return {
		name: "agent",
		figures,
		tables: [
			{
				title: `Medians of ${boots} boots, ms`,
				head: ["", "exec to first request", "document to runner", "exec to runner"],
				rows: [row("the agent", figures.agent), row("bash, curl, jq", figures.script), ["an empty program, to its end", ms(wall), "", ""]],
			},
			{
				title: "The agent while it runs",
				head: ["", ""],
				rows: [
					["resident while listening, MiB", rss.toFixed(1)],
					[`CPU over a job of ${jobSeconds} s, s`, cpu.toFixed(2)],
					["binary, MiB", sizeMb.toFixed(1)],
				],
			},
		],
		bars: [
			bar("boot document answered to runner started, ms", figures.agent.toRunnerMs, 8),
			bar("exec to runner started, agent / script", figures.agent.totalMs / figures.script.totalMs, 0.25),
			bar("exec to first request / an empty program", figures.agent.toRequestMs / wall, 1.5),
			bar("resident while listening, MiB", rss, 60),
		],
		notes: [
			"A runner counts as started when the first command of its script has run. The agent deletes the document and reports beside it.",
		],
	};
}
