// `bun run bench egress`: what passes a gateway in a second, and how long a new connection takes, against the same network when it only forwards. Both
// ways by turns in one run: the lab of test/egress, whose rules are loaded and taken away.
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { type Lab, startLab } from "../../test/egress/lab.ts";
import { GOOD, LISTS } from "../../test/egress/scene.ts";
import type { Report } from "../report.ts";
import { keepTrack } from "../running.ts";
import { type Bar, median, percentile } from "../statistics.ts";

export interface EgressBench {
	rounds: number;
	/** MiB of a download. */
	mib: number;
	/** New connections each way in a round. */
	connections: number;
}
const WAYS = ["forwarded", "gateway"] as const;
type Way = (typeof WAYS)[number];

interface Round {
	/** Gbit/s over TLS. */
	rate: number;
	/** Of HAProxy, for the download. */
	cpuSeconds: number;
	/** Milliseconds, from the first packet to the end of the handshake. */
	connects: number[];
}

const CLIENT = join(import.meta.dir, "client.ts");

async function must(lab: Lab, from: "run" | "gw", ...command: string[]): Promise<string> {
	const { stdout, stderr, status } = await lab.exec(from, ...command);
	if (status !== 0) throw new Error(`${command[0]} ended with ${status}: ${stderr.trim()}`);
	return stdout;
}

async function measure(lab: Lab, way: Way, { mib, connections }: EgressBench): Promise<Round> {
	await must(lab, "gw", "nft", "flush", "ruleset");
	if (way === "gateway") await must(lab, "gw", "nft", "-f", join(lab.folder, "gateway", "nftables.conf"));
	const passed = lab.log().length;
	const before = await lab.proxySeconds();
	const took = "%{time_starttransfer} %{time_total} %{size_download}";
	const url = `https://github.test/mib/${mib}`;
	const said = await must(lab, "run", "curl", "-q", "-sS", "--fail", "--cacert", lab.ca, "-o", "/dev/null", "-w", took, url);
	const [first = 0, total = 0, size = 0] = said.split(" ").map(Number);
	if (size !== mib * 2 ** 20) throw new Error(`${size} bytes came of ${mib} MiB`);
	const cpuSeconds = (await lab.proxySeconds()) - before;
	const times = await must(lab, "run", process.execPath, CLIENT, GOOD, "github.test", String(connections), lab.ca);
	// The bench would be worth nothing if both went the same way.
	if (lab.log().length > passed !== (way === "gateway")) throw new Error(`what was to be ${way} was not`);
	return { rate: (size * 8) / 1e9 / (total - first), cpuSeconds, connects: JSON.parse(times) as number[] };
}

/** Measures everything in one run. `say` is told of progress. */
export async function benchEgress(options: EgressBench, say: (text: string) => void): Promise<Report> {
	const load = loadavg()[0] ?? Number.NaN;
	const lab = await keepTrack(await startLab("enforce", LISTS));
	try {
		const found: Record<Way, Round[]> = { forwarded: [], gateway: [] };
		for (let round = 1; round <= options.rounds; round++) {
			// Forth and back, so that a noisy moment meets both.
			for (const way of round % 2 === 1 ? WAYS : WAYS.toReversed()) found[way].push(await measure(lab, way, options));
			const [forwarded, gateway] = WAYS.map((way) => found[way].at(-1)?.rate.toFixed(2));
			say(`round ${round} of ${options.rounds}: forwarded ${forwarded} Gbit/s, through the gateway ${gateway} Gbit/s`);
		}
		return reportOf(options, found, load);
	} finally {
		await lab.stop();
	}
}

function reportOf(options: EgressBench, found: Record<Way, Round[]>, load: number): Report {
	const of = (way: Way) => {
		const connects = found[way].flatMap((round) => round.connects);
		return {
			gbitPerSecond: median(found[way].map(({ rate }) => rate)),
			haproxySecondsPerGib: median(found[way].map(({ cpuSeconds }) => (cpuSeconds * 1024) / options.mib)),
			...{ connectMs: median(connects), connectP99Ms: percentile(connects, 0.99) },
		};
	};
	const [forwarded, gateway] = [of("forwarded"), of("gateway")];
	/** Of each round, since the machine's noise changes from one to the next. */
	const ratios = found.gateway.map(({ rate }, at) => rate / (found.forwarded[at]?.rate ?? Number.NaN));
	const connectRatio = gateway.connectMs / forwarded.connectMs;
	const throughput: Bar = { name: `${options.mib} MiB over TLS, gateway / forwarded`, value: median(ratios), bound: 0.5, least: true };
	const row = (name: string, { gbitPerSecond, haproxySecondsPerGib, connectMs, connectP99Ms }: typeof gateway) => [
		...[name, gbitPerSecond.toFixed(2), haproxySecondsPerGib.toFixed(2), connectMs.toFixed(2), connectP99Ms.toFixed(2)],
	];
	return {
		name: "egress",
		figures: {
			rounds: options.rounds,
			mib: options.mib,
			connections: options.connections,
			loadBefore: load,
			forwarded,
			gateway,
			throughputRatio: median(ratios),
			connectRatio,
		},
		tables: [
			{
				title: `${options.mib} MiB over TLS and ${options.connections} new connections a round, medians of ${options.rounds} rounds`,
				head: ["way", "Gbit/s", "HAProxy s/GiB", "connect ms", "p99 ms"],
				rows: [row("forwarded", forwarded), row("gateway", gateway)],
			},
		],
		bars: [throughput],
		notes: [
			`A new connection takes ${connectRatio.toFixed(2)} times as long through the gateway: it reads the hello, resolves the name and connects anew.`,
			`Client, gateway and origin share ${availableParallelism()} cores here; the load before was ${load.toFixed(2)}.`,
		],
	};
}
