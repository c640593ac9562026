// The command line of `bun run cost`. Pure.
import { parseArgs } from "node:util";
import { factorOf, hourlyOf, type Settings } from "./cost-items.ts";

export const DEFAULTS: Settings = {
	...{ zones: 2, gatewayType: "t4g.small", memoryMb: 640, jobsPerMonth: 10_000, minutes: 6, jobType: "m8g.large", diskGb: 30 },
	...{ logGb: null, logDays: 30, uploadMbPerJob: 10, domains: 60, imageGb: 12, cloudflare: null, region: "us-east-1" },
};

export const HELP = `What Mayfly costs in a month: each item of the stack, with jobs and without any, and the machines of the jobs. An estimate from list
prices (build/cost-prices.json says from where and which were only remembered), without taxes, support and discounts.

usage: bun run cost [options] [--json | --markdown]

  --zones N             1 to 3 (default ${DEFAULTS.zones})
  --gateway-type T      instance type of the egress gateways (default ${DEFAULTS.gatewayType})
  --memory MB           of the poller (default ${DEFAULTS.memoryMb})
  --jobs-per-month N    (default ${DEFAULTS.jobsPerMonth})
  --minutes M           of a job's machine, from launch to off (default ${DEFAULTS.minutes})
  --job-type T          instance type of the jobs' machines, on demand (default ${DEFAULTS.jobType})
  --disk-gb G           of a job's machine (default ${DEFAULTS.diskGb})
  --log-gb G            of logs in a month (default: 0.1, and 100 KB for each job)
  --log-days D          for which they are kept (default ${DEFAULTS.logDays})
  --upload-mb-per-job M sent to the internet by a job (default ${DEFAULTS.uploadMbPerJob})
  --domains N           on all allowlists together (default ${DEFAULTS.domains})
  --image-gb G          snapshots of the images (default ${DEFAULTS.imageGb})
  --cloudflare PLAN     free or paid (default: free up to 5,000 jobs a day)
  --region R            (default ${DEFAULTS.region})
  --json                items and sums as one JSON object
  --markdown            the table of docs/cost.md
  --help                this text

examples:
  bun run cost --jobs-per-month 0
  bun run cost --zones 1 --gateway-type t4g.nano --jobs-per-month 500
  bun run cost --region eu-west-1 --jobs-per-month 100000 --minutes 12 --job-type c8g.xlarge --json | jq .total

exit status: 0 computed; 2 the command line is wrong
`;

export type Form = "text" | "json" | "markdown";
export interface CostOptions {
	settings: Settings;
	form: Form;
}

const text = { type: "string" } as const;
const flag = { type: "boolean", default: false } as const;
const OPTIONS = {
	...{ zones: text, "gateway-type": text, memory: text, "jobs-per-month": text, minutes: text, "job-type": text, "disk-gb": text },
	...{ "log-gb": text, "log-days": text, "upload-mb-per-job": text, domains: text, "image-gb": text, cloudflare: text, region: text },
	...{ json: flag, markdown: flag, help: { ...flag, short: "h" } },
} as const;

function amount(name: string, given: string | undefined, fallback: number, most = 1e9): number {
	if (given === undefined) return fallback;
	const value = Number(given);
	if (!/^[0-9]+(\.[0-9]+)?$/.test(given) || value > most)
		throw new Error(`--${name} takes a number from 0 to ${most}, not ${JSON.stringify(given)}`);
	return value;
}

function instanceType(name: string, given: string): string {
	if (hourlyOf(given) === null)
		throw new Error(`--${name}: no price is known for ${JSON.stringify(given)}; poller/prices.json has those that are`);
	return given;
}

function plan(given: string | undefined): Settings["cloudflare"] {
	if (given === undefined || given === "free" || given === "paid") return given ?? null;
	throw new Error(`--cloudflare is free or paid, not ${JSON.stringify(given)}`);
}

/** Reads the arguments. Throws an Error that says what is wrong with them. */
export function readOptions(argv: string[]): CostOptions | "help" {
	const { values } = parseArgs({ args: argv, options: OPTIONS });
	if (values.help) return "help";
	if (values.json && values.markdown) throw new Error("--json and --markdown: choose one");
	const zones = amount("zones", values.zones, DEFAULTS.zones);
	if (![1, 2, 3].includes(zones)) throw new Error(`--zones is 1, 2 or 3, not ${zones}`);
	const region = values.region ?? DEFAULTS.region;
	if (factorOf(region) === null) throw new Error(`--region: no prices are known for ${JSON.stringify(region)}`);
	return {
		form: values.json ? "json" : values.markdown ? "markdown" : "text",
		settings: {
			...{ zones, region, cloudflare: plan(values.cloudflare) },
			gatewayType: instanceType("gateway-type", values["gateway-type"] ?? DEFAULTS.gatewayType),
			jobType: instanceType("job-type", values["job-type"] ?? DEFAULTS.jobType),
			memoryMb: amount("memory", values.memory, DEFAULTS.memoryMb, 10_240),
			jobsPerMonth: amount("jobs-per-month", values["jobs-per-month"], DEFAULTS.jobsPerMonth),
			minutes: amount("minutes", values.minutes, DEFAULTS.minutes, 8640),
			diskGb: amount("disk-gb", values["disk-gb"], DEFAULTS.diskGb, 16_384),
			logGb: values["log-gb"] === undefined ? null : amount("log-gb", values["log-gb"], 0),
			logDays: amount("log-days", values["log-days"], DEFAULTS.logDays, 3653),
			uploadMbPerJob: amount("upload-mb-per-job", values["upload-mb-per-job"], DEFAULTS.uploadMbPerJob),
			domains: amount("domains", values.domains, DEFAULTS.domains, 100_000),
			imageGb: amount("image-gb", values["image-gb"], DEFAULTS.imageGb),
		},
	};
}
