// `mayfly egress registries` with clients in the PATH that are tiny programs: hosts come from what clients say, and are never guessed.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { readMayflyFile } from "../../egress/mayfly-file.ts";
import { withFiles } from "./repository.ts";

setDefaultTimeout(60_000);
const MAIN = join(import.meta.dir, "..", "..", "cli", "main.ts");

/** A program that answers to what it is asked; to all else it fails, as clients do. */
const program = (answers: Record<string, string>) =>
	`#!/bin/sh\ncase "$*" in\n${Object.entries(answers)
		.map(([asked, answer]) => `"${asked.replaceAll("$", "\\$")}") cat <<'END'\n${answer}\nEND\n;;`)
		.join("\n")}\n*) echo "not asked before: $*" >&2; exit 1;;\nesac\n`;

/** Runs in a folder whose files below `bin/` are the only programs there are, beside the shell's own. */
async function run(files: Record<string, string>, args: string[], env: Record<string, string> = {}) {
	return withFiles({ "project/.keep": "", "bin/.keep": "", ...files }, async (folder) => {
		for (const name of await readdir(join(folder, "bin"))) await chmod(join(folder, "bin", name), 0o755);
		await symlink(Bun.which("cat") ?? "/bin/cat", join(folder, "bin", "cat"));
		const child = Bun.spawn([process.execPath, MAIN, "egress", "registries", ...args], {
			...{ cwd: join(folder, "project"), env: { PATH: join(folder, "bin"), HOME: folder, ...env } },
			...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
		});
		const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
		return { out, err, code };
	});
}
const hostsOf = async (...given: Parameters<typeof run>) => {
	const { out } = await run(given[0], [...given[1], "--json"], given[2]);
	const { hosts, notes, missing } = JSON.parse(out);
	return {
		hosts: (hosts as { host: string; for: string[]; problem: string | null }[]).map(({ host, for: by, problem }) => [
			host,
			by.join(", "),
			problem,
		]),
		notes: (notes as { client: string; note: string }[]).map(({ client, note }) => `${client}: ${note}`).join("\n"),
		missing,
	};
};

const NPM = {
	"config get registry": "https://npm.example.com/",
	"config list --json": '{"@acme:registry":"https://acme.example.net/npm/","registry":"x"}',
};
const PIP = { "--version": "pip 99", "config get global.index-url": "https://user:secret@pip.example.com/simple" };
const GO = {
	"env GOPROXY GOSUMDB": "https://go.example.com|https://go2.example.com,direct\nsum.example.com+abc123 https://sums.example.com",
};
const APT = {
	"indextargets --format $(SITE)":
		"http://deb.example.com/debian\nhttp://deb.example.com/debian\nhttps://sec.example.com/debian\nfile:/srv/apt",
};
const DOCKER = {
	"info --format {{json .}}":
		'{"IndexServerAddress":"https://hub.example.com/v1/","RegistryConfig":{"Mirrors":["https://mirror.example.com:5000/"]}}',
};

test("what clients say becomes lines for mayfly.yml, which takes them", async () => {
	const { out, err, code } = await run({ "bin/npm": program(NPM), "bin/pip": program(PIP), "bin/go": program(GO) }, [
		"npm",
		"pip",
		"go",
		"--tier",
		"web",
	]);
	expect([err, code]).toEqual(["", 0]);
	expect(out).not.toContain("secret");
	const { tiers } = parse(out);
	expect(tiers).toEqual({
		web: {
			egress: {
				hosts: ["acme.example.net", "go.example.com", "go2.example.com", "npm.example.com", "pip.example.com", "sums.example.com"],
			},
		},
	});
	tiers.web.allow = {};
	expect(readMayflyFile(JSON.stringify({ owners: [{ name: "octo-org" }], images: {}, tiers })).ok).toBe(true);
});

describe("npm", () => {
	test("says its registry and those of scopes", async () => {
		const { hosts } = await hostsOf({ "bin/npm": program(NPM) }, ["npm"]);
		expect(hosts).toEqual([
			["acme.example.net", "npm @acme", null],
			["npm.example.com", "npm registry", null],
		]);
	});

	test("that says nothing is told so", async () => {
		const { hosts, notes } = await hostsOf({ "bin/npm": program({ "config get registry": "undefined" }) }, ["npm"]);
		expect([hosts, notes]).toEqual([[], "npm: npm config get registry said nothing"]);
	});
});

describe("pip", () => {
	test("that has no index set names its own default in its help, wherever the lines break", async () => {
		const help =
			"  -i, --index-url <url>       Base URL of the Python Package Index (default\n                              https://default.example.org/simple). This\n  --extra-index-url <url>";
		const { hosts, notes } = await hostsOf({ "bin/pip3": program({ "--version": "pip 99", "install --help": help }) }, ["pip"]);
		expect(hosts).toEqual([["default.example.org", "pip its own default", null]]);
		expect(notes).toContain("observe");
	});

	test("is overruled by its variables, and has further indexes", async () => {
		const answers = { ...PIP, "config get global.extra-index-url": "https://a.example.com/simple\nhttps://b.example.com/simple" };
		const { hosts } = await hostsOf({ "bin/pip": program(answers) }, ["pip"], { PIP_INDEX_URL: "https://ci.example.com/simple" });
		expect(hosts.map(([host]) => host)).toEqual(["a.example.com", "b.example.com", "ci.example.com"]);
	});

	test("whose help says no default is told so, and nothing is guessed", async () => {
		const { hosts, notes } = await hostsOf({ "bin/pip": program({ "--version": "pip 99" }) }, ["pip"]);
		expect(hosts).toEqual([]);
		expect(notes).toContain("said nothing");
	});
});

describe("go", () => {
	test("asks modules' own hosts with direct, which is told", async () => {
		const { notes } = await hostsOf({ "bin/go": program(GO) }, ["go"]);
		expect(notes).toContain("(direct)");
	});

	test.each([
		["off\noff", []],
		["https://go.example.com\nsum.example.com", ["go.example.com", "sum.example.com"]],
		["file:///srv/go\noff", [""]],
	])("with %p asks %p", async (answer, hosts) => {
		const found = await hostsOf({ "bin/go": program({ "env GOPROXY GOSUMDB": answer }) }, ["go"]);
		expect(found.hosts.filter(([, , problem]) => problem === null).map(([host]) => host)).toEqual(hosts.filter((host) => host !== ""));
	});
});

describe("cargo", () => {
	const bin = { "bin/cargo": program({ "--version": "cargo 9" }) };
	test("follows what replaces its registry, the nearest file first, and names other registries", async () => {
		const near =
			'[source.crates-io]\nreplace-with = "one"\n[source.one]\nreplace-with = "two"\n[registries.own]\nindex = "sparse+https://own.example.com/index/"\n';
		const far = '[source.crates-io]\nreplace-with = "bad"\n[source.two]\nregistry = "sparse+https://crates.example.com/index/"\n';
		const { hosts } = await hostsOf({ ...bin, "project/.cargo/config.toml": near, ".cargo/config.toml": far }, ["cargo"]);
		expect(hosts).toEqual([
			["crates.example.com", "cargo source.crates-io", null],
			["own.example.com", "cargo registries.own", null],
		]);
	});

	test("without a setting is known by what it has fetched", async () => {
		const index = "home/registry/index/index.example.com-0123456789abcdef/config.json";
		const files = { ...bin, [index]: '{"dl": "https://static.example.com/crates/{crate}", "api": "https://api.example.com"}' };
		const found = await withFiles({}, async () => hostsOf(files, ["cargo"], { CARGO_HOME: "../home" }));
		expect(found.hosts.map(([host]) => host)).toEqual(["index.example.com", "static.example.com"]);
	});

	test("that has fetched nothing is not guessed", async () => {
		const { hosts, notes } = await hostsOf(bin, ["cargo"]);
		expect(hosts).toEqual([]);
		expect(notes).toContain("in none of its settings");
	});

	test("that takes crates from a folder asks nobody, and a broken file is told", async () => {
		const local = '[source.crates-io]\nreplace-with = "v"\n[source.v]\ndirectory = "vendor"\n';
		expect(await hostsOf({ ...bin, ".cargo/config.toml": local }, ["cargo"])).toEqual({ hosts: [], notes: "", missing: [] });
		expect((await hostsOf({ ...bin, ".cargo/config.toml": "[[[" }, ["cargo"])).notes).toContain("not TOML");
	});
});

test("apt says its sites, and what is asked for on port 80 is told", async () => {
	const { hosts, notes } = await hostsOf({ "bin/apt-get": program(APT) }, ["apt"]);
	expect(hosts).toEqual([
		["deb.example.com", "apt sources", null],
		["file:", "apt sources", "is asked for by file, which the gateway does not pass"],
		["sec.example.com", "apt sources", null],
	]);
	expect(notes).toContain("port 80");
});

test("docker says its registry and mirrors, and a port that the gateway does not pass is no line", async () => {
	const { hosts, notes } = await hostsOf({ "bin/docker": program(DOCKER) }, ["docker"]);
	expect(hosts).toEqual([
		["hub.example.com", "docker the daemon's own registry", null],
		["mirror.example.com", "docker registry-mirrors", "is asked for on port 5000: the gateway passes 443 and 80"],
	]);
	expect(notes).toContain("tokens and layers");
});

describe("a client that is not installed", () => {
	test("is said, and of all of them that is no failure", async () => {
		const { out, code } = await run({ "bin/npm": program(NPM) }, []);
		expect(code).toBe(0);
		expect(out).toContain("# docker is not installed here: nothing is known of it");
		expect(Object.keys(parse(out).tiers)).toEqual(["build"]);
	});

	test("and was named is a failure", async () => {
		const { out, err, code } = await run({ "bin/npm": program(NPM) }, ["npm", "go"]);
		expect([code, err]).toEqual([1, "go: not installed here, so its registry is not known\n"]);
		expect(parse(out).tiers.build.egress.hosts).toEqual(["acme.example.net", "npm.example.com"]);
	});
});

test("what a client says is text: it is no other line of YAML, and no address is admitted", async () => {
	const answers = {
		"config get registry": "https://10.0.0.1/",
		"config list --json": '{"@a\\n        - evil.example #:registry":"https://ok.example.com","@b:registry":"https://*.example.com"}',
	};
	const { out } = await run({ "bin/npm": program(answers) }, ["npm"]);
	expect(parse(out).tiers.build.egress.hosts).toEqual(["ok.example.com"]);
	expect(out).toContain("names are admitted, never addresses");
});

test.each([[["nuget"]], [["--loud"]], [["npm", "--tier", "a b"]]])("given %p it says what there is and exits with 2", async (args) => {
	const { out, err, code } = await run({}, args);
	expect([out, code]).toEqual(["", 2]);
	expect(err).toContain("--help");
});

test("no registry's host stands in the code or in the data: the clients know theirs", async () => {
	const root = join(import.meta.dir, "..", "..");
	const files = [...new Bun.Glob("{cli,egress,contract,docs}/**/*.{ts,json,md,yml}").scanSync(root)];
	const texts = await Promise.all(files.map((file) => Bun.file(join(root, file)).text()));
	// Written apart, so that this file has none either.
	const names = [
		["registry", "npmjs"],
		["pypi", "org"],
		["crates", "io/"],
		["proxy", "golang"],
	];
	const found = files.filter((_, at) => names.some((parts) => texts[at]?.includes(parts.join("."))));
	expect(found).toEqual([]);
});
