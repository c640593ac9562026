// The rules that keep the tree readable, checked: sizes, who may import whom, who may touch the outside world (docs/architecture.md).
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dir, "..");
const PARTS = ["contract", "aws", "relay", "poller", "agent", "gateway", "local", "cli", "deploy", "egress", "build", "ami", "test"];

function sourcesBelow(folder: string): string[] {
	return readdirSync(folder).flatMap((name) => {
		const path = join(folder, name);
		if (statSync(path).isDirectory()) return sourcesBelow(path);
		return /\.(ts|mjs)$/.test(name) ? [relative(root, path)] : [];
	});
}

const files = PARTS.flatMap((part) => sourcesBelow(join(root, part))).map((path) => ({
	path,
	text: readFileSync(join(root, path), "utf8"),
}));
const inside = (...parts: string[]) => files.filter(({ path }) => parts.some((part) => path.startsWith(`${part}/`)));
const importsOf = (text: string) => [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] as string);
const namesOf = (found: { path: string }[]) => found.map(({ path }) => path);

/** The files that may name the environment: one entry for each thing that is started. */
const ENTRIES = ["relay/worker.ts", "poller/handler.ts", "agent/main.ts", "gateway/main.ts"];
/** Decisions: no clock, randomness, network or process of their own. */
const DECISIONS = [
	"relay/ledger.ts",
	"relay/machines.ts",
	"relay/clocks.ts",
	"poller/verify.ts",
	"poller/plan.ts",
	"poller/offer.ts",
	"poller/launch-request.ts",
	"agent/life.ts",
	"agent/runner-lines.ts",
	"agent/exit.ts",
	"gateway/batches.ts",
	"gateway/drop-lines.ts",
	"gateway/render.ts",
	"gateway/sync.ts",
	"gateway/sight.ts",
	"gateway/take-over.ts",
];

describe("structure", () => {
	test("no source file is over 250 lines", () => {
		expect(namesOf(files.filter(({ text }) => text.split("\n").length > 251))).toEqual([]);
	});

	test("no file or folder is named for nothing", () => {
		expect(namesOf(files.filter(({ path }) => /(^|\/)(utils?|helpers?|common|shared|misc|lib)(\/|\.|$)/.test(path)))).toEqual([]);
	});

	test("relay, poller, agent and gateway import contract, AWS's edges and libraries, never each other", () => {
		const strays = inside("relay", "poller", "agent", "gateway").flatMap(({ path, text }) => {
			const part = path.split("/")[0];
			return importsOf(text)
				.filter((name) => name.startsWith("."))
				.map((name) => relative(root, join(root, path, "..", name)))
				.filter((target) => ![part, "contract", "aws", ...(part === "gateway" ? ["egress"] : [])].includes(target.split("/")[0] ?? ""))
				.filter((target) => target !== "package.json")
				.map((target) => `${path} -> ${target}`);
		});
		expect(strays).toEqual([]);
	});

	test("the command line imports contract, the egress lists, the reader of workflows and the choice of machines, never what runs in an account", () => {
		const strays = inside("cli").flatMap(({ path, text }) =>
			importsOf(text)
				.filter((name) => name.startsWith("."))
				.map((name) => relative(root, join(root, path, "..", name)))
				.filter((target) => !/^(cli|contract|egress|local\/workflow)\/|^poller\/(offer|instance-types)\.ts$/.test(target))
				.map((target) => `${path} -> ${target}`),
		);
		expect(strays).toEqual([]);
	});

	test("contract imports nothing of ours but itself", () => {
		const strays = inside("contract").filter(({ text }) => importsOf(text).some((name) => name.startsWith("../")));
		expect(namesOf(strays)).toEqual([]);
	});

	test("only entry files read the environment", () => {
		const readers = inside("contract", "aws", "egress", "relay", "poller", "agent", "gateway").filter(
			({ path, text }) => /process\.env|Bun\.env|import\.meta\.env/.test(text) && !ENTRIES.includes(path),
		);
		expect(namesOf(readers)).toEqual([]);
	});

	test("decisions hold no clock, randomness, network or process", () => {
		const found = files.filter(({ path }) => DECISIONS.includes(path));
		expect(namesOf(found).toSorted()).toEqual(DECISIONS.toSorted());
		const impure = found.filter(({ text }) =>
			/Date\.now|Math\.random|\bfetch\(|crypto\.|process\.|setTimeout|node:(fs|net|http|child_process)/.test(text),
		);
		expect(namesOf(impure)).toEqual([]);
	});

	test("no test mocks a module, is skipped for good or runs alone", () => {
		const marked = inside("test").filter(
			({ path, text }) => !path.endsWith("structure.test.ts") && /mock\.module|\b(test|describe|it)\.(skip|only|todo)\(/.test(text),
		);
		expect(namesOf(marked)).toEqual([]);
	});
});
