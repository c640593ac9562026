// One machine from the webhook to its end: the local system with a virtual machine instead of processes. What was seen, for whoever judges it.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { MachineRecord } from "../../agent/record.ts";
import { recordKey } from "../../contract/boot.ts";
import { type System, startSystem } from "../../local/system.ts";
import { readWorkflow } from "../../local/workflow/read.ts";
import { ImageProblem } from "../problem.ts";
import { FAULTS, type Fault, type FaultName, NOW } from "./faults.ts";
import type { ImageFacts } from "./image-facts.ts";
import { createMachines, type Watched } from "./machine.ts";
import { URLS } from "./network.ts";

export interface SceneOptions {
	image: ImageFacts;
	fault: FaultName | null;
	direct: boolean;
	/** What the job runs instead of the checks. */
	script?: string;
	/** What of the disk is otherwise, beside what the fault says. */
	files?: Record<string, string | null>;
	/** Trace every read of the disk. */
	trace?: boolean;
	/** Everything of the scene; the caller's to remove. */
	folder: string;
	signal: AbortSignal;
	say: (text: string) => void;
}

export interface Seen {
	machine: Watched;
	/** Of the job at GitHub. */
	conclusion: string | null;
	log: string[];
	/** When the step's last line came, since QEMU was started, ms. */
	saidAt: number | null;
	/** What the machine left of itself in the mailbox. */
	record: MachineRecord | null;
	/** EC2's own word for why it ended. */
	reason: string;
	console: string;
}

const LOCAL_YML = join(import.meta.dir, "..", "..", "local", "mayfly.yml");
const ASSERTIONS = join(import.meta.dir, "assertions.sh");
/** A machine has as long to boot here: without acceleration, beside other work, it may take longer than the relay gives one of EC2's. */
const BOOT_MINUTES = 8;
/** Nothing of a scene takes longer, even where nothing is accelerated. */
const PATIENCE_MS = 600_000;
const LOOK_MS = 100;

async function writeConfig(folder: string, maxJob: string): Promise<string> {
	const config = parse(await readFile(LOCAL_YML, "utf8"));
	const file = join(folder, "mayfly.yml");
	await writeFile(file, stringify({ ...config, limits: { ...config.limits, maxJob, boot: `${BOOT_MINUTES}m`, idle: "5m" } }));
	return file;
}

function workflowOf(script: string) {
	const steps = [{ name: "look", run: script }];
	const read = readWorkflow("image.yml", stringify({ on: "push", jobs: { look: { "runs-on": ["self-hosted", "linux", "x64"], steps } } }));
	if (!read.ok) throw new ImageProblem("workflow", JSON.stringify(read.problems));
	return read.workflow;
}

const factsOf = (fault: FaultName | null): Partial<Fault> => (fault === null ? {} : FAULTS[fault]);

/** A drop-in of the agent's unit, where the fault has shorter limits. */
function filesOf(fault: FaultName | null): Record<string, string | null> {
	const { unit = [], files = {} } = factsOf(fault);
	if (unit.length === 0) return files;
	return { ...files, "/etc/systemd/system/mayfly-agent.service.d/limits.conf": `[Service]\n${unit.join("\n")}\n` };
}

async function startScene(options: SceneOptions, onMachine: (machine: Watched) => void): Promise<System> {
	const { fault, folder, image, direct, trace, signal } = options;
	const { maxJob = "10m", clocks = {}, isForgotten = false } = factsOf(fault);
	await mkdir(folder, { recursive: true });
	const machines = {
		image,
		folder: join(folder, "m"),
		files: { ...filesOf(fault), ...options.files },
		isForgotten,
		direct,
		trace,
		signal,
		onMachine,
	};
	return await startSystem({
		...{
			folder,
			machines: 1,
			signal,
			clocks: { checkAfter: BOOT_MINUTES * 60_000, ...clocks },
			configFile: await writeConfig(folder, maxJob),
		},
		elsewhere: { boot: (around) => createMachines(around, machines), urls: URLS },
	});
}

async function leftBy(system: System, instanceId: string): Promise<MachineRecord | null> {
	const instance = system.ec2.instances().find((it) => it.instanceId === instanceId);
	const text = instance ? await system.mailbox.read(recordKey(instance.privateIp, instanceId)) : null;
	return text === null ? null : JSON.parse(text);
}

/** Runs it until its first machine is gone; a second one that the relay may launch by then is ended with the system. */
export async function runScene(options: SceneOptions): Promise<Seen> {
	const { fault, signal, say } = options;
	const booted = Promise.withResolvers<Watched>();
	const system = await startScene(options, booted.resolve);
	try {
		const script =
			options.script ??
			(fault === null ? `DISK_MIB=${options.image.sizeMiB}\n${await readFile(ASSERTIONS, "utf8")}` : (factsOf(fault).script ?? "true"));
		const run = system.github.createRun({ workflow: workflowOf(script), repository: system.repository });
		const first = () => system.ec2.instances()[0];
		const jobLog = () => system.github.jobs().find((job) => job.runId === run.id)?.log ?? [];
		let saidAt: number | null = null;
		let machine: Watched | null = null;
		void booted.promise.then((it) => {
			machine = it;
			say(`${it.instanceId} boots`);
		});
		const until = performance.now() + PATIENCE_MS;
		let begun = 0;
		while (first()?.state !== "terminated") {
			signal.throwIfAborted();
			const problem = first()?.problem;
			if (problem) throw problem;
			if (performance.now() > until) throw new ImageProblem("boot", `the machine still ran after ${PATIENCE_MS / 1000} s`);
			if (machine !== null && begun === 0) begun = performance.now();
			if (saidAt === null && jobLog().some((line) => line.includes(NOW))) saidAt = performance.now() - begun;
			await Bun.sleep(LOOK_MS);
		}
		const instance = first();
		if (instance?.problem) throw instance.problem;
		const watched = await booted.promise;
		// The run's end may follow the machine's.
		const job = system.github.jobs().find((it) => it.runId === run.id);
		return {
			...{ machine: watched, conclusion: job?.conclusion ?? null, log: jobLog(), saidAt },
			...{ record: await leftBy(system, watched.instanceId), reason: instance?.reason?.code ?? "" },
			console: await readFile(join(watched.folder, "serial.log"), "utf8").catch(() => ""),
		};
	} finally {
		await system.stop();
	}
}
