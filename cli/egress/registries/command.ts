// `bun run mayfly egress registries`: asks the clients of this machine where they get packages from.
import { parseArgs } from "node:util";
import type { Terminal } from "../../terminal.ts";
import { apt } from "./apt.ts";
import { cargo } from "./cargo.ts";
import type { Client } from "./client.ts";
import { docker } from "./docker.ts";
import { go } from "./go.ts";
import { registriesOf, registriesYaml } from "./hosts.ts";
import { type Machine, thisMachine } from "./machine.ts";
import { npm } from "./npm.ts";
import { pip } from "./pip.ts";

const CLIENTS: Record<string, Client> = { npm, pip, go, cargo, apt, docker };
export const CLIENT_NAMES = Object.keys(CLIENTS);
const NOT_KNOWN = 1;

/** Throws with what is wrong. */
function readArguments(argv: string[]): { clients: string[]; tier: string; json: boolean } {
	const { values, positionals } = parseArgs({
		args: argv,
		allowPositionals: true,
		options: { json: { type: "boolean", default: false }, tier: { type: "string", default: "build" } },
	});
	const strange = positionals.filter((name) => !Object.hasOwn(CLIENTS, name));
	if (strange.length > 0) throw new Error(`there is no client ${strange.join(", ")}: there is ${CLIENT_NAMES.join(", ")}`);
	if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(values.tier)) throw new Error(`--tier ${JSON.stringify(values.tier)} is no tier's name`);
	return { clients: [...new Set(positionals)], tier: values.tier, json: values.json };
}

/** Throws when the command line is wrong; gives the exit status otherwise. */
export async function registries(argv: string[], terminal: Terminal): Promise<number> {
	const { clients, tier, json } = readArguments(argv);
	const machine: Machine = thisMachine(terminal.env, terminal.folder);
	const asked = clients.length > 0 ? clients : CLIENT_NAMES;
	const found = registriesOf(
		tier,
		await Promise.all(asked.map(async (name) => [name, (await CLIENTS[name]?.(machine)) ?? null] as [string, Awaited<ReturnType<Client>>])),
	);
	terminal.out(json ? `${JSON.stringify(found)}\n` : registriesYaml(found));
	if (found.missing.length === 0 || clients.length === 0) return 0;
	terminal.err(`${found.missing.join(", ")}: not installed here, so its registry is not known\n`);
	return NOT_KNOWN;
}
