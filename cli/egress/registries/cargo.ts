// Cargo: what its configuration says; its own registry is in no setting, so that is known only from what it has fetched.
import { dirname, join } from "node:path";
import type { Answer, Client, Named } from "./client.ts";
import type { Machine } from "./machine.ts";

type Table = Record<string, unknown>;
const isTable = (value: unknown): value is Table => typeof value === "object" && value !== null && !Array.isArray(value);
const tables = (value: unknown): [string, Table][] =>
	Object.entries(isTable(value) ? value : {}).filter((entry): entry is [string, Table] => isTable(entry[1]));

const cargoHome = ({ env, home }: Machine) => env.CARGO_HOME || join(home, ".cargo");

/** Nearest first: what stands there goes before. */
function placesFrom(folder: string, home: string): string[] {
	const above = dirname(folder);
	return [join(folder, ".cargo"), ...(above === folder ? [home] : placesFrom(above, home))];
}

async function settings(machine: Machine): Promise<{ sources: Map<string, Table>; registries: Map<string, Table>; unread: string[] }> {
	const [sources, registries, unread] = [new Map<string, Table>(), new Map<string, Table>(), [] as string[]];
	for (const place of new Set(placesFrom(machine.folder, cargoHome(machine)))) {
		const file = (await machine.read(join(place, "config"))) ?? (await machine.read(join(place, "config.toml")));
		if (file === null) continue;
		try {
			const read = Bun.TOML.parse(file) as Table;
			for (const [name, table] of tables(read.source)) if (!sources.has(name)) sources.set(name, table);
			for (const [name, table] of tables(read.registries)) if (!registries.has(name)) registries.set(name, table);
		} catch {
			unread.push(`${place} has a configuration that is not TOML`);
		}
	}
	return { sources, registries, unread };
}

const plain = (index: string) => index.replace(/^(sparse|registry)\+/, "");

/** what takes the place of Cargo's own registry: a URL, or a folder of this machine, which is asked of nobody. */
function replacement(sources: Map<string, Table>, registries: Map<string, Table>): string | "local" | null {
	const seen = new Set<string>();
	for (
		let name = sources.get("crates-io")?.["replace-with"];
		typeof name === "string" && !seen.has(name);
		name = sources.get(name)?.["replace-with"]
	) {
		seen.add(name);
		const source = sources.get(name) ?? {};
		const url = source.registry ?? registries.get(name)?.index;
		if (typeof url === "string") return plain(url);
		if ("directory" in source || "local-registry" in source) return "local";
	}
	return null;
}

/** Folders of the index cache are called by host; `config.json` in them says where crates lie. */
async function fetched(machine: Machine): Promise<Named[]> {
	const folder = join(cargoHome(machine), "registry", "index");
	const names = await machine.list(folder);
	const all = await Promise.all(
		names.map(async (name) => {
			const host = name.replace(/-[0-9a-f]{16}$/, "");
			const config = /"dl"\s*:\s*"([^"]+)"/.exec((await machine.read(join(folder, name, "config.json"))) ?? "");
			return [{ url: host, by: "an index that it has fetched" }, ...(config?.[1] ? [{ url: config[1], by: `dl of ${host}` }] : [])];
		}),
	);
	return all.flat().toSorted((one, other) => (one.url < other.url ? -1 : 1));
}

export const cargo: Client = async (machine): Promise<Answer | null> => {
	if ((await machine.run("cargo", "--version")) === null) return null;
	const { sources, registries, unread } = await settings(machine);
	const instead = replacement(sources, registries);
	const known = instead === null ? await fetched(machine) : [];
	const variables = Object.entries(machine.env).filter(([name, value]) => /^CARGO_REGISTRIES_.+_INDEX$/.test(name) && value);
	return {
		urls: [
			...(instead === null || instead === "local" ? [] : [{ url: instead, by: "source.crates-io" }]),
			...[...registries].flatMap(([name, { index }]) =>
				typeof index === "string" ? [{ url: plain(index), by: `registries.${name}` }] : [],
			),
			...variables.map(([name, url]) => ({ url: plain(url ?? ""), by: name })),
			...known,
		],
		notes: [
			...unread,
			...(instead === null && known.length === 0
				? [
						"cargo's own registry is in none of its settings and nothing was fetched from it here: run cargo fetch once, or see what observe shows",
					]
				: []),
		],
	};
};
