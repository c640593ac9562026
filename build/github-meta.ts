// `bun run github-meta`: compares what GitHub says of its hosts with egress/github-meta.json. Touches GitHub and files; decides nothing.
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { ofetch } from "ofetch";
import * as v from "valibot";
import groups from "../egress/groups.json";
import { differenceLines, differences, type MetaDomains, readMeta, Snapshot, snapshotText } from "./meta-difference.ts";

const SNAPSHOT = join(import.meta.dir, "..", "egress", "github-meta.json");

const HELP = `Compares the hosts that GitHub names for Actions (GET /meta: domains.actions, domains.actions_inbound.full_domains) with those that somebody
has looked at (egress/github-meta.json). What GitHub adds is reported and never admitted: lists come from egress/groups.json alone.

usage: bun run github-meta [--from FILE] [--api URL] [--json] [--write] [--snapshot FILE]

  --from FILE      a saved answer (\`curl -s https://api.github.com/meta > FILE\`), or - for stdin, instead of asking GitHub
  --api URL        GitHub's API (default https://api.github.com)
  --json           print one JSON object and nothing else
  --write          for whoever has looked at each name: take the answer as the new snapshot
  --snapshot FILE  the snapshot (default egress/github-meta.json)
  --help           this text

examples:
  bun run github-meta
  curl -s https://api.github.com/meta | bun run github-meta --from - --json

exit status: 0 the same, or written; 1 something was added or removed; 2 the command line is wrong, or an answer cannot be had or read
`;

const LONGEST_MS = 30_000;

interface Options {
	from: string | undefined;
	api: string;
	json: boolean;
	write: boolean;
	snapshot: string;
}

/** Throws with what is wrong. */
function readOptions(argv: string[]): Options | "help" {
	const { values } = parseArgs({
		args: argv,
		options: {
			from: { type: "string" },
			api: { type: "string" },
			json: { type: "boolean", default: false },
			write: { type: "boolean", default: false },
			snapshot: { type: "string", default: SNAPSHOT },
			help: { type: "boolean", short: "h", default: false },
		},
	});
	if (values.help) return "help";
	if (values.from !== undefined && values.api !== undefined) throw new Error("--from and --api exclude each other");
	const { from, api = "https://api.github.com", json, write, snapshot } = values;
	if (!URL.canParse(api)) throw new Error(`--api ${api} is no URL`);
	return { from, api, json, write, snapshot };
}

async function textOf({ from, api }: Options): Promise<string> {
	if (from !== undefined) return from === "-" ? await Bun.stdin.text() : await readFile(from, "utf8");
	return ofetch(`${api.replace(/\/+$/, "")}/meta`, {
		...{ responseType: "text", timeout: LONGEST_MS, retry: 2 },
		headers: { accept: "application/vnd.github+json", "user-agent": "mayfly" },
	});
}

/** Throws with the reason. */
async function answerOf(options: Options): Promise<MetaDomains> {
	const read = readMeta(JSON.parse(await textOf(options)));
	if (!read.ok) throw new Error(`this is no answer of GET /meta:\n${read.reasons.slice(0, 20).join("\n")}`);
	return read.domains;
}

async function compare(options: Options): Promise<number> {
	const before = v.parse(Snapshot, JSON.parse(await readFile(options.snapshot, "utf8")));
	const domains = await answerOf(options);
	const found = differences(before.domains, domains, groups);
	if (options.write) {
		const source = options.from === undefined ? `GET ${options.api}/meta` : `GET /meta, saved as ${basename(options.from)}`;
		const reviewed = new Date().toISOString().slice(0, "2026-11-29".length);
		await writeFile(options.snapshot, snapshotText({ ...before, source, reviewed, domains }));
	}
	const same = found.length === 0;
	if (options.json)
		process.stdout.write(`${JSON.stringify({ same, reviewed: before.reviewed, written: options.write, differences: found })}\n`);
	else {
		const written = options.write ? [`written to ${options.snapshot}; egress/groups.json is as it was`] : [];
		process.stdout.write(`${[...differenceLines(found, before.reviewed), ...written].join("\n")}\n`);
	}
	return same || options.write ? 0 : 1;
}

async function main(argv: string[]): Promise<number> {
	let options: ReturnType<typeof readOptions>;
	try {
		options = readOptions(argv);
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
		return 2;
	}
	if (options === "help") {
		process.stdout.write(HELP);
		return 0;
	}
	try {
		return await compare(options);
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
		return 2;
	}
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
