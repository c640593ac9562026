// `bun run image`: builds the image that machines boot from, and boots it here. Entry: reads the command line, exits once.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, HELP, readArguments } from "./arguments.ts";
import { buildImage, type Manifest } from "./build/image.ts";
import { comparePins, PINS_EXIT } from "./pins/pins.ts";
import { ImageProblem } from "./problem.ts";

const EXIT = { ok: 0, problem: 1, usage: 2, interrupted: 130 } as const;

function shown({ file, sha256, sizeMiB, writtenMiB, packages, sbom, files, runner, suite, architecture }: Manifest): string {
	return [
		...packages.map(({ name, version }) => `${name} ${version}`),
		"",
		`${packages.length} packages of ${suite}, ${files.map(({ name, version }) => `${name} ${version}`).join(", ")}${runner?.kind === "stand-in" ? " (a stand-in)" : ""}, ${architecture}`,
		`size: ${sizeMiB} MiB, of which ${writtenMiB} MiB are written`,
		`sbom: ${sbom}`,
		`sha256: ${sha256}  ${file}`,
	].join("\n");
}

async function build({ options, json }: Extract<Command, { command: "build" }>, signal: AbortSignal): Promise<number> {
	const begun = performance.now();
	const say = (text: string) => process.stderr.write(`${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);
	const epoch = Number(process.env.SOURCE_DATE_EPOCH) || null;
	const manifest = await buildImage({ ...options, epoch }, signal, json ? () => {} : say);
	process.stdout.write(`${json ? JSON.stringify(manifest) : shown(manifest)}\n`);
	return EXIT.ok;
}

async function learn(image: string, signal: AbortSignal): Promise<number> {
	const { learnPages } = await import("./boot/hot-pages.ts");
	const folder = await mkdtemp(join(tmpdir(), "mfi-"));
	try {
		process.stdout.write(`${await learnPages(image, folder, signal, (text) => process.stderr.write(`${text}\n`))}\n`);
		return EXIT.ok;
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

async function main(argv: string[]): Promise<number> {
	let command: Command;
	try {
		command = readArguments(argv);
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : error}\nsee bun run image --help\n`);
		return EXIT.usage;
	}
	if (command.command === "help") {
		process.stdout.write(HELP);
		return EXIT.ok;
	}
	const interrupted = new AbortController();
	for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => interrupted.abort(name));
	try {
		if (command.command === "build") return await build(command, interrupted.signal);
		if (command.command === "learn") return await learn(command.image, interrupted.signal);
		if (command.command === "pins") return await comparePins(command.options, process.env, (text) => void process.stdout.write(text));
		const { boot } = await import("./boot/main.ts");
		return await boot(command.options, command.json, interrupted.signal);
	} catch (error) {
		if (interrupted.signal.aborted) {
			process.stderr.write("interrupted: nothing is left behind\n");
			return EXIT.interrupted;
		}
		if (!(error instanceof ImageProblem)) throw error;
		process.stderr.write(`${error.message}\n`);
		if (command.json) process.stdout.write(`${JSON.stringify({ ok: false, part: error.part, reason: error.message })}\n`);
		return command.command === "pins" ? PINS_EXIT.failed : EXIT.problem;
	}
}

process.exitCode = await main(process.argv.slice(2));
