// `bun run bench <what>`: measures one part, prints what it found and keeps it below bench/results/.
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import { dirname } from "node:path";
import { benchAgent } from "./agent/main.ts";
import { benchBoot } from "./boot/main.ts";
import { benchEgress } from "./egress/main.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { benchPoller } from "./poller/main.ts";
import { benchRelay } from "./relay/main.ts";
import { type Report, reportJson, reportLines } from "./report.ts";
import { interrupt } from "./running.ts";
import { holds } from "./statistics.ts";

async function machine(): Promise<Record<string, unknown>> {
	const { version: workerd } = (await import("workerd/package.json")).default;
	const model = cpus()[0]?.model ?? "unknown";
	return { cpu: model, cores: availableParallelism(), memoryGiB: Math.round(totalmem() / 2 ** 30), workerd, bun: Bun.version };
}

async function keep(report: Report, options: Options): Promise<void> {
	const json = reportJson(report, await machine());
	await mkdir(dirname(options.out), { recursive: true });
	await writeFile(options.out, json);
	process.stdout.write(options.json ? json : `${reportLines(report).join("\n")}\n`);
}

async function main(argv: string[]): Promise<number> {
	let options: Options | "help";
	try {
		options = readOptions(argv);
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : String(error)}\ntry --help\n`);
		return 2;
	}
	if (options === "help") {
		process.stdout.write(HELP);
		return 0;
	}
	const interrupted = new AbortController();
	for (const name of ["SIGINT", "SIGTERM"] as const)
		process.once(name, () => {
			interrupted.abort();
			void interrupt();
		});
	try {
		const boot = (asked: Options, say: (text: string) => void) => benchBoot(asked, interrupted.signal, say);
		const bench = { relay: benchRelay, poller: benchPoller, agent: benchAgent, egress: benchEgress, boot }[options.part];
		const report = await bench(options, (text) => process.stderr.write(`${text}\n`));
		await keep(report, options);
		return report.bars.every(holds) ? 0 : 1;
	} catch (error) {
		if (!interrupted.signal.aborted) throw error;
		process.stderr.write("interrupted: nothing was kept\n");
		return 130;
	}
}

process.exit(await main(process.argv.slice(2)));
