// A machine of the EC2 stand-in that is a virtual one: the image's disk in QEMU, with the stand-ins around it. Touches processes.
import { statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type MachineFacts, startImds } from "../../local/imds.ts";
import type { Boot, BootedMachine } from "../../local/instance.ts";
import type { Mailbox } from "../../local/mailbox.ts";
import { ImageProblem } from "../problem.ts";
import { type Control, openControl, type Reads } from "./control.ts";
import { copyDisk, copyVariables } from "./disk-copy.ts";
import type { ImageFacts } from "./image-facts.ts";
import { URLS } from "./network.ts";
import { accelerationHere, controlOf, FIRMWARE_VARIABLES, qemuCommand, traceOf, variablesOf } from "./qemu.ts";

/** A moment of a boot as it is seen from outside. */
export interface Sight {
	/** Since QEMU was started, ms. */
	at: number;
	disk: Reads | null;
}

/** What was seen of one machine from outside. */
export interface Watched {
	instanceId: string;
	folder: string;
	/** The first request to IMDS, and the boot document's answer. */
	asked: Sight | null;
	claimed: Sight | null;
	/** How long the trace of reads was at the claim. */
	traceBytes: number | null;
	offAfterMs: number | null;
	/** QEMU's reason: `guest-shutdown` is a power-off of the machine's own. */
	shutdown: string | null;
}

export interface MachineOptions {
	image: ImageFacts;
	/** Where machines get their folders. */
	folder: string;
	files: Record<string, string | null>;
	/** Its mailbox holds nothing for it. */
	isForgotten: boolean;
	direct: boolean;
	trace?: boolean;
	signal: AbortSignal;
	onMachine: (machine: Watched) => void;
}

/** A volume is larger than the image that it was made of. */
const LARGER_MIB = 1024;

interface Around {
	mailbox: Mailbox;
	relayUrl: string;
	githubUrl: string;
}

/** Notes when something happened for the first time, and what the disk had given by then. */
function createWatch(machine: Watched, begunAt: () => number, control: () => Control | null) {
	return (what: "asked" | "claimed") => {
		if (machine[what] !== null) return;
		const sight: Sight = { at: performance.now() - begunAt(), disk: null };
		machine[what] = sight;
		void control()
			?.reads()
			.then((reads) => {
				sight.disk = reads;
			});
	};
}

async function startMachine(facts: MachineFacts, off: () => void, around: Around, options: MachineOptions): Promise<BootedMachine> {
	const folder = join(options.folder, facts.instanceId);
	await mkdir(folder, { recursive: true });
	const shop = { folder, log: join(folder, "build.log"), signal: options.signal };
	const machine: Watched = {
		instanceId: facts.instanceId,
		folder,
		asked: null,
		claimed: null,
		traceBytes: null,
		offAfterMs: null,
		shutdown: null,
	};
	let begun = 0;
	let control: Control | null = null;
	const watch = createWatch(
		machine,
		() => begun,
		() => control,
	);
	const { image } = options;
	const disk = await copyDisk({ ...image, image: image.file, sizeMiB: image.sizeMiB + LARGER_MIB, files: options.files }, shop);
	await copyVariables(FIRMWARE_VARIABLES, variablesOf(folder));
	const imds = startImds({ ...facts, userData: `MAYFLY_MAILBOX_URL=${URLS.mailbox}\n` }, Date.now, () => watch("asked"));
	const mailbox = around.mailbox.endpointFor(options.isForgotten ? "10.255.255.254" : facts.privateIp, ({ method, status }) => {
		if (method !== "GET" || status !== 200) return;
		watch("claimed");
		if (options.trace) machine.traceBytes ??= statSync(traceOf(folder)).size;
	});
	const command = qemuCommand({
		...{ disk, folder, trace: options.trace, kernel: options.direct ? image.kernel : null, acceleration: accelerationHere() },
		standIns: { imds: imds.url, mailbox: mailbox.url, relay: around.relayUrl, github: around.githubUrl },
	});
	if (Bun.which(command[0] as string) === null) throw new ImageProblem("qemu", `${command[0]} is not installed (packages: docs/image.md)`);
	begun = performance.now();
	const qemu = Bun.spawn(command, { cwd: folder, detached: true, stdio: ["ignore", "ignore", "pipe"] });
	const said = new Response(qemu.stderr).text();
	void openControl(controlOf(folder)).then(
		(opened) => {
			control = opened;
		},
		() => undefined,
	);
	void qemu.exited.then(async () => {
		machine.offAfterMs = performance.now() - begun;
		// QEMU's last word may still be on its way.
		await Bun.sleep(50);
		machine.shutdown = control?.shutdown ?? null;
		off();
	});
	options.onMachine(machine);
	return {
		get pid() {
			return qemu.exitCode === null && qemu.signalCode === null ? qemu.pid : null;
		},
		directory: folder,
		announceInterruption: imds.announceInterruption,
		recommendRebalance: imds.recommendRebalance,
		// Signals do not reach into a machine.
		kill: () => false,
		async end() {
			qemu.kill("SIGKILL");
			await qemu.exited;
			await Bun.write(join(folder, "qemu.log"), await said);
			await Promise.all([imds.stop(), mailbox.stop()]);
			for (const file of [disk, variablesOf(folder)]) await rm(file, { force: true });
		},
	};
}

/** Makes the `boot` of the EC2 stand-in. */
export function createMachines(around: Around, options: MachineOptions): Boot {
	return (facts, off) => startMachine(facts, off, around, options);
}
