// One boot of the stock image, watched from outside until its start script has asked IMDS and said how the boot went.
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { openControl, type Reads } from "../../ami/boot/control.ts";
import { accelerationHere, consoleOf, controlOf, qemuCommand } from "../../ami/boot/qemu.ts";
import { run } from "../../ami/build/command.ts";
import { type MachineFacts, startImds } from "../../local/imds.ts";
import { keepTrack } from "../running.ts";
import type { Boot } from "./figures.ts";
import { phasesIn } from "./figures.ts";
import type { Stock } from "./stock.ts";

const FACTS: MachineFacts = {
	...{ instanceId: "i-0123456789abcdef0", privateIp: "10.0.0.4", region: "eu-west-1", zone: "eu-west-1a", instanceType: "c8a.large" },
	...{ imageId: "ami-0a1b2c3d4e5f60001", architecture: "x86_64", market: "on-demand", launchedAt: Date.now() },
	userData: "#cloud-config\n{}\n",
};
const PATIENCE_MS = 400_000;

export async function bootStock(stock: Stock, folder: string, signal: AbortSignal): Promise<Boot & { cloudInitAtMs: number | null }> {
	await mkdir(folder, { recursive: true });
	const disk = join(folder, "disk.raw");
	const shop = { folder, log: join(folder, "log"), signal };
	await run("disk", ["cp", "--sparse=always", stock.disk, disk], shop);
	const moments: { first: number | null; script: number | null; reads: Promise<Reads | null> } = {
		...{ first: null, script: null, reads: Promise.resolve(null) },
	};
	let begun = 0;
	let reads: () => Promise<Reads | null> = async () => null;
	const imds = startImds(FACTS, Date.now, (path) => {
		moments.first ??= performance.now() - begun;
		if (!path.endsWith("/start-script") || moments.script !== null) return;
		moments.script = performance.now() - begun;
		moments.reads = reads();
	});
	const standIns = { imds: imds.url, mailbox: imds.url, relay: imds.url, github: imds.url };
	begun = performance.now();
	const qemu = Bun.spawn(qemuCommand({ disk, folder, standIns, kernel: stock.kernel, acceleration: accelerationHere() }), {
		...{ cwd: folder, detached: true, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
	});
	const machine = await keepTrack({
		async stop() {
			qemu.kill("SIGKILL");
			await qemu.exited;
			await imds.stop();
		},
	});
	try {
		reads = (await openControl(controlOf(folder))).reads;
		await Promise.race([qemu.exited, Bun.sleep(PATIENCE_MS)]);
		const said = await readFile(consoleOf(folder), "utf8");
		if (moments.script === null) throw new Error(`the stock image never ran its start script:\n${said.slice(-2000)}`);
		return { requestAtMs: moments.script, cloudInitAtMs: moments.first, reads: await moments.reads, claimReads: null, ...phasesIn(said) };
	} finally {
		await machine.stop();
		await rm(folder, { recursive: true, force: true });
	}
}
