// What the documents promise, tried: commands, labels and links.
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { RULES } from "../cli/lint/problem.ts";
import { parseResolvedFile, resolveFile } from "../contract/config.ts";
import { parseMayflyYaml } from "../contract/config-yaml.ts";
import { resolveLabels } from "../contract/label.ts";
import settings from "../package.json";

const root = join(import.meta.dir, "..");
const documents = [
	"README.md",
	"CHANGELOG.md",
	...["docs", "docs/decisions"].flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name))),
]
	.filter((name) => name.endsWith(".md"))
	.map((name) => ({ name, text: readFileSync(join(root, name), "utf8") }));

function localConfig() {
	const read = parseMayflyYaml(readFileSync(join(root, "local", "mayfly.yml"), "utf8"));
	if (!read.ok) throw new Error(JSON.stringify(read.problems));
	return resolveFile(read.value);
}

describe("the documents", () => {
	test("name the pinned Bun and only scripts that exist", () => {
		const pinned = settings.packageManager.split("@")[1];
		for (const { name, text } of documents) {
			for (const [, version] of text.matchAll(/npx -y bun@([0-9.]+)/g)) expect([name, version]).toEqual([name, pinned]);
			for (const [, script] of text.matchAll(/bun(?:@[0-9.]+)? run ([a-z-]+)/g))
				expect([name, Object.keys(settings.scripts)]).toEqual([name, expect.arrayContaining([script])]);
		}
	});

	test("show labels that the local configuration serves", () => {
		const config = localConfig();
		const shown = documents.flatMap(({ text }) =>
			[...text.matchAll(/runs-on: (mayfly=\S+ github\.run_id \S+)/g)].map((match) => match[1] ?? ""),
		);
		expect(shown.length).toBeGreaterThan(2);
		for (const label of shown) expect([label, resolveLabels([label.replace(/\$\{\{.*?\}\}/, "1")], config).ok]).toEqual([label, true]);
	});

	test("say of every rule of lint what it finds", () => {
		const text = readFileSync(join(root, "docs", "configuration.md"), "utf8");
		expect(Object.keys(RULES).filter((rule) => !new RegExp(`^\\| .*\`${rule}\`.* \\|`, "m").test(text))).toEqual([]);
	});

	test("link to nothing that is not there", () => {
		const broken = documents.flatMap(({ name, text }) =>
			[...text.matchAll(/\]\((?!https?:)([^)#]+)/g)]
				.map((match) => join(dirname(name), match[1] ?? ""))
				.filter((target) => !existsSync(join(root, target))),
		);
		expect(broken).toEqual([]);
	});

	test("link to headings that are there", () => {
		const anchorsOf = (text: string) =>
			[...text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
				heading
					.toLowerCase()
					.replace(/[^\p{L}0-9 _-]/gu, "")
					.replaceAll(" ", "-"),
			);
		const links = documents.flatMap(({ name, text }) =>
			[...text.matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)].map(([, target = "", anchor = ""]) => ({
				from: name,
				to: target === "" ? name : join(dirname(name), target),
				anchor,
			})),
		);
		expect(links.length).toBeGreaterThan(5);
		const broken = links.filter(({ to, anchor }) => !anchorsOf(documents.find(({ name }) => name === to)?.text ?? "").includes(anchor));
		expect(broken).toEqual([]);
	});

	test("mention no file of ours that is not there", () => {
		const mentioned = documents.flatMap(({ text }) =>
			[
				...text.matchAll(
					/`((?:relay|poller|agent|gateway|egress|aws|deploy|ami|cloudformation|local|cli|contract|build|test|docs)\/[\w./-]+\.(?:ts|yml|yaml|json|sh|md))`/g,
				),
			].map((match) => match[1] ?? ""),
		);
		expect(mentioned.filter((path) => !existsSync(join(root, path)))).toEqual([]);
	});

	test("the local configuration survives its journey to the poller", () => {
		const config = localConfig();
		expect(parseResolvedFile(JSON.parse(JSON.stringify(config)))).toEqual({ ok: true, value: config });
	});
});
