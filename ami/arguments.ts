// The command line of `bun run image`. Pure.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FAULTS, type FaultName } from "./boot/faults.ts";
import type { BuildOptions } from "./build/image.ts";
import { KINDS, type Kind } from "./build/parts.ts";
import type { PinsOptions } from "./pins/pins.ts";
import { BASES, type BaseName, VERSIONS_FILE } from "./versions.ts";

const defaultImage = (kind: Kind) => join(import.meta.dir, "..", ".cache", "image", `${kind}.raw`);
export const DEFAULT_IMAGE = defaultImage("runner");

export const HELP = `Builds the image that machines boot from, and boots it here.

usage: bun run image build [--kind KIND] [--base NAME] [--runner WHAT] [--dist DIR] [--mirror URL] [--versions FILE] [--out FILE] [--json]
       bun run image boot  [--image FILE] [--fault NAME] [--direct] [--keep] [--json]
       bun run image learn [--image FILE]
       bun run image pins  [--base NAME] [--versions FILE] [--write] [--json]

build: debootstrap, ami/provision/*.sh, the agent -> a disk (GPT, an ESP with kernel and command line in one, ext4). Needs root.
  --kind KIND      ${KINDS.join(" or ")}: what machines boot, or the egress gateway's (default runner)
  --base NAME      ${BASES.join(" or ")} (default debian)
  --runner WHAT    stand-in: the one of the local system; release: actions/runner's, as pinned; or the path of its tarball (default stand-in)
  --dist DIR       take our program from a folder of bun run build, checked by its SHA256SUMS (default: built from this checkout)
  --mirror URL     take packages from there, with the suite's updates and security fixes (default: what this machine's apt is set up with).
                   Debian's fixes are looked for beside it: /debian in URL is then /debian-security
  --versions FILE  the pins (default ami/versions.json)
  --out FILE       the disk (default .cache/image/KIND.raw); beside it FILE.json, FILE.cdx.json, FILE.vmlinuz

boot: QEMU with a NVMe root and the local stand-ins as 169.254.169.254, mailbox, GitHub; the relay in workerd; one job.
  --image FILE     the disk (default .cache/image/runner.raw)
  --fault NAME     have something go wrong: ${Object.keys(FAULTS).join(", ")}
  --direct         start the kernel without the firmware: some seconds less where nothing is accelerated
  --keep           leave the serial log and the stand-ins' logs there

learn: boots three times and writes down what of the agent's file a boot reads, into ami/files/agent.x64.pages, for the next build.
pins: compares the pins with the newest actions/runner and with what this machine's apt has of the packages: run it on a machine of the base.
  --write          take newer ones into the versions file

  --json           print the result as JSON and nothing else
  --help           this text

examples:
  bun run image build
  bun run image build --base ubuntu --runner release --out /var/tmp/mayfly.raw
  bun run image boot
  bun run image boot --fault agent-killed --json
  bun run image pins --write

exit status: 0 built, or booted and went as it must; 1 a part failed (its name is said) or the machine did not do as it must;
2 the command line is wrong; 130 interrupted, nothing is left behind. Of pins: 0 all are the newest; 1 there are newer ones; 3 not compared
`;

export type Command =
	| { command: "help" }
	| { command: "build"; options: Omit<BuildOptions, "epoch">; json: boolean }
	| { command: "learn"; image: string; json: boolean }
	| { command: "pins"; options: PinsOptions; json: boolean }
	| { command: "boot"; options: { image: string; fault: FaultName | null; direct: boolean; keep: boolean }; json: boolean };

const OPTIONS = {
	kind: { type: "string" },
	base: { type: "string" },
	runner: { type: "string" },
	dist: { type: "string" },
	mirror: { type: "string" },
	versions: { type: "string" },
	out: { type: "string" },
	image: { type: "string" },
	fault: { type: "string" },
	direct: { type: "boolean" },
	write: { type: "boolean" },
	keep: { type: "boolean" },
	json: { type: "boolean", default: false },
	help: { type: "boolean", short: "h" },
} as const;
const OF = {
	build: ["kind", "base", "runner", "dist", "mirror", "versions", "out", "json"],
	learn: ["image", "json"],
	boot: ["image", "fault", "direct", "keep", "json"],
	pins: ["base", "versions", "write", "json"],
};

const COMMANDS = Object.keys(OF) as (keyof typeof OF)[];

function chosen<T extends string>(name: string, given: string, known: readonly T[]): T {
	const found = known.find((it) => it === given);
	if (found === undefined) throw new Error(`--${name} is one of ${known.join(", ")}, not ${JSON.stringify(given)}`);
	return found;
}

/** Throws an Error that says what is wrong with the arguments. */
export function readArguments(argv: string[]): Command {
	const { values, positionals } = parseArgs({ args: argv, allowPositionals: true, options: OPTIONS });
	if (values.help) return { command: "help" };
	const [command, ...more] = positionals;
	const known = COMMANDS.find((name) => name === command);
	if (known === undefined || more.length > 0) throw new Error("say what to do: build, boot, learn or pins");
	const stray = Object.keys(values).find((name) => !OF[known].includes(name));
	if (stray !== undefined) throw new Error(`--${stray} is not for ${known}`);
	const { json } = values;
	const base: BaseName = chosen("base", values.base ?? "debian", BASES);
	if (known === "pins") {
		const { versions = VERSIONS_FILE, write = false } = values;
		return { command: known, options: { base, versions, write, json }, json };
	}
	if (known === "build") {
		const kind: Kind = chosen("kind", values.kind ?? "runner", KINDS);
		const { runner = "stand-in", dist = null, mirror = null, versions = VERSIONS_FILE, out = defaultImage(kind) } = values;
		if (mirror !== null && !/^(https?|file|copy):\//.test(mirror)) throw new Error(`--mirror takes a URL, not ${JSON.stringify(mirror)}`);
		return { command: known, options: { kind, base, runner, dist, mirror, versions, out }, json };
	}
	if (known === "learn") return { command: known, image: values.image ?? DEFAULT_IMAGE, json };
	const fault = values.fault === undefined ? null : chosen("fault", values.fault, Object.keys(FAULTS) as FaultName[]);
	const { image = DEFAULT_IMAGE, direct = false, keep = false } = values;
	return { command: known, options: { image, fault, direct, keep }, json };
}
