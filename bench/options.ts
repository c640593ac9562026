// The command line of `bun run bench`. Pure.
import { join } from "node:path";
import { parseArgs } from "node:util";

export const HELP = `Measures a part of Mayfly on this machine. Figures are ratios within one run; absolute ones belong to the machine.

usage: bun run bench relay  [--rounds N] [--requests N] [--rows N] [--out FILE] [--json]
       bun run bench poller [--rounds N] [--jobs N,N,...] [--sizes MB,MB,...] [--out FILE] [--json]
       bun run bench agent  [--boots N] [--job-seconds N] [--out FILE] [--json]
       bun run bench boot   [--rounds N] [--out FILE] [--json]    (needs root and QEMU)
       bun run bench egress [--rounds N] [--mib N] [--connections N] [--out FILE] [--json]

  --rounds N      rounds of each measurement, of which the median counts (default 5)
  --requests N    relay: webhooks for each number of senders in a round (default 6000)
  --rows N        relay: ended jobs behind the slowest lease (default 1000000; about 2 GB of disk while it runs)
  --jobs N,...    poller: jobs that come at once (default 1,10,100,1000; the last takes nine minutes, which is GitHub's budget)
  --sizes MB,...  poller: memory of the function, with the share of a CPU that Lambda gives it; needs root (default 128,256,512,640,768,1024)
  --boots N       agent: boots of the agent and of what it is compared with (default 20)
  --job-seconds N agent: length of the job whose CPU time is measured (default 60)
  --mib N         egress: how much is downloaded each way in a round; needs root, HAProxy and nftables (default 1024)
  --connections N egress: new connections each way in a round (default 200)
  --out FILE      where the figures go (default bench/results/<part>.json)
  --json          print the figures as JSON and nothing else

exit status: 0 every bar was kept; 1 one was missed; 2 the command line is wrong; 130 interrupted, nothing is left behind
`;

export interface Options {
	part: "relay" | "poller" | "agent" | "egress" | "boot";
	rounds: number;
	requests: number;
	rows: number;
	jobs: number[];
	sizes: number[];
	boots: number;
	jobSeconds: number;
	mib: number;
	connections: number;
	out: string;
	json: boolean;
}

function wholeNumber(name: string, text: string): number {
	if (!/^[1-9][0-9]{0,7}$/.test(text)) throw new Error(`--${name} takes a whole number from 1, not ${JSON.stringify(text)}`);
	return Number(text);
}

/** An empty list measures none. */
function wholeNumbers(name: string, text: string): number[] {
	return text === "" ? [] : text.split(",").map((part) => wholeNumber(name, part));
}

/** Reads the arguments. Throws an Error that says what is wrong with them. */
export function readOptions(argv: string[]): Options | "help" {
	const { values, positionals } = parseArgs({
		args: argv,
		allowPositionals: true,
		options: {
			rounds: { type: "string", default: "5" },
			requests: { type: "string", default: "6000" },
			rows: { type: "string", default: "1000000" },
			jobs: { type: "string", default: "1,10,100,1000" },
			sizes: { type: "string", default: "128,256,512,640,768,1024" },
			boots: { type: "string", default: "20" },
			"job-seconds": { type: "string", default: "60" },
			mib: { type: "string", default: "1024" },
			connections: { type: "string", default: "200" },
			out: { type: "string" },
			json: { type: "boolean", default: false },
			help: { type: "boolean", short: "h", default: false },
		},
	});
	if (values.help) return "help";
	const [part, ...more] = positionals;
	if (part !== "relay" && part !== "poller" && part !== "agent" && part !== "egress" && part !== "boot")
		throw new Error("say what to measure: relay, poller, agent, egress or boot");
	if (more.length > 0) throw new Error("one part at a time");
	return {
		...{ part, rounds: wholeNumber("rounds", values.rounds), requests: wholeNumber("requests", values.requests) },
		...{ boots: wholeNumber("boots", values.boots), jobSeconds: wholeNumber("job-seconds", values["job-seconds"]) },
		...{ mib: wholeNumber("mib", values.mib), connections: wholeNumber("connections", values.connections) },
		...{ rows: wholeNumber("rows", values.rows), jobs: wholeNumbers("jobs", values.jobs), sizes: wholeNumbers("sizes", values.sizes) },
		...{ out: values.out ?? join(import.meta.dir, "results", `${part}.json`), json: values.json },
	};
}
