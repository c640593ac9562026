// `bun run bench boot`: the image from power-on to its first request to IMDS and to its claim, beside a stock image, in one run.
import { join } from "node:path";
import { readImage } from "../../ami/boot/image-facts.ts";
import { accelerationHere } from "../../ami/boot/qemu.ts";
import { runScene } from "../../ami/boot/scene.ts";
import { buildImage, CACHE } from "../../ami/build/image.ts";
import { VERSIONS_FILE } from "../../ami/versions.ts";
import { temporaryFolder } from "../relay/subjects.ts";
import type { Report } from "../report.ts";
import type { Bar } from "../statistics.ts";
import { type Boot, figuresOf, phasesIn } from "./figures.ts";
import { makeStock } from "./stock.ts";
import { bootStock } from "./stock-boot.ts";

export interface BootBench {
	/** Boots of each image, by turns. */
	rounds: number;
}

/** The job of the measured machine tells how its boot went. */
const SCRIPT = `until systemd-analyze time; do sleep 1; done
systemctl show -p ExecMainStartTimestampMonotonic mayfly-agent.service
`;

interface OwnBoot extends Boot {
	agentSeconds: number | null;
}

async function bootOwn(file: string, folder: string, direct: boolean, signal: AbortSignal): Promise<OwnBoot> {
	const image = await readImage(file);
	const seen = await runScene({ image, fault: null, script: SCRIPT, direct, folder, signal, say: () => {} });
	const { asked, claimed } = seen.machine;
	const said = seen.log.join("\n");
	if (asked === null || claimed === null) throw new Error(`the image never asked and claimed:\n${seen.console.slice(-2000)}`);
	const started = /ExecMainStartTimestampMonotonic=(\d+)/.exec(said)?.[1];
	return {
		...{ requestAtMs: asked.at, reads: asked.disk, claimReads: claimed.disk, ...phasesIn(said) },
		agentSeconds: started === undefined ? null : Number(started) / 1e6,
	};
}

export async function benchBoot({ rounds }: BootBench, signal: AbortSignal, say: (text: string) => void): Promise<Report> {
	await using folder = await temporaryFolder();
	say("the image");
	const out = join(CACHE, "bench.raw");
	await buildImage(
		{ kind: "runner", base: "debian", out, versions: VERSIONS_FILE, dist: null, runner: "stand-in", mirror: null, epoch: null },
		signal,
		() => {},
	);
	say("the stock image");
	const stock = await makeStock(signal);
	const own: OwnBoot[] = [];
	const stocks: Awaited<ReturnType<typeof bootStock>>[] = [];
	for (let at = 1; at <= rounds; at++) {
		own.push(await bootOwn(out, join(folder.path, `own-${at}`), true, signal));
		stocks.push(await bootStock(stock, join(folder.path, `stock-${at}`), signal));
		say(`round ${at} of ${rounds}: ${own.at(-1)?.requestAtMs.toFixed(0)} ms, stock ${stocks.at(-1)?.requestAtMs.toFixed(0)} ms`);
	}
	const whole = await bootOwn(out, join(folder.path, "whole"), false, signal);
	return reportOf(rounds, own, stocks, whole);
}

const one = (value: number | null | undefined) => (typeof value === "number" && !Number.isNaN(value) ? value.toFixed(1) : "");

function reportOf(rounds: number, own: OwnBoot[], stocks: Awaited<ReturnType<typeof bootStock>>[], whole: OwnBoot): Report {
	const [image, stock, firmware] = [figuresOf(own), figuresOf(stocks), figuresOf([whole])];
	const agentSeconds = figuresOf(own.map((boot) => ({ ...boot, requestAtMs: (boot.agentSeconds ?? Number.NaN) * 1000 }))).requestSeconds;
	const cloudInitSeconds = figuresOf(stocks.map((boot) => ({ ...boot, requestAtMs: boot.cloudInitAtMs ?? Number.NaN }))).requestSeconds;
	// The earliest of anything in the stock image, which is cloud-init's own.
	const firstOfStock = Math.min(stock.requestSeconds, cloudInitSeconds);
	const bar = (name: string, value: number, bound: number): Bar => ({ name, value, bound, least: false });
	const row = (name: string, it: typeof image, agent: number | null) => [
		...[name, one(it.kernelSeconds), one(it.userspaceSeconds), one(agent), one(it.requestSeconds)],
		...[String(it.reads), one(it.readMib), Number.isNaN(it.claimReads) ? "" : String(it.claimReads), one(it.claimMib)],
	];
	return {
		name: "boot",
		figures: {
			rounds,
			acceleration: accelerationHere(),
			image: { ...image, agentSeconds },
			stock: { ...stock, cloudInitSeconds },
			firmware,
		},
		tables: [
			{
				title: `Medians of ${rounds} boots, ${accelerationHere()}`,
				head: ["", "kernel s", "userspace s", "agent s", "first request s", "reads", "MiB", "reads to claim", "MiB to claim"],
				rows: [
					row("the image", image, agentSeconds),
					row("stock, cloud-init, start script", stock, null),
					row("the image, firmware and all (one boot)", firmware, whole.agentSeconds),
				],
			},
		],
		bars: [
			bar("reads of the disk until the first request to IMDS", image.reads, 1100),
			bar("MiB read until the first request to IMDS", image.readMib, 60),
			bar("first request to IMDS, the image / stock", image.requestSeconds / firstOfStock, 0.6),
		],
		notes: [
			`cloud-init itself asks IMDS after ${one(cloudInitSeconds)} s; the start script runs when it is done.`,
			"Seconds count from QEMU's start, without firmware unless said; agent: from the kernel's. Where nothing is accelerated they say nothing by themselves.",
		],
	};
}
