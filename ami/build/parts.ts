// What goes into an image beside packages: its program, the runner, units and files, each with the hash that its script checks it by.
import { copyFile, cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readyGateway, readyParts } from "../../build/ready.ts";
import { version as ours } from "../../package.json";
import { ImageProblem } from "../problem.ts";
import { type Architecture, runnerPin, type Versions } from "../versions.ts";
import { run, type Workshop } from "./command.ts";
import { makeStandIn } from "./stand-in.ts";

export interface PartsOptions {
	versions: Versions;
	architecture: Architecture;
	/** A folder of `bun run build` with its SHA256SUMS; null: the program is built from this checkout. */
	dist: string | null;
	/** `stand-in`, `release` (downloaded) or the path of a release's tarball. */
	runner: string;
}

export interface Parts {
	folder: string;
	/** What the provisioning scripts are told, beside PARTS. */
	env: Record<string, string>;
	/** For the bill of materials. */
	files: { name: string; version: string; sha256: string }[];
}

export const KINDS = ["runner", "gateway"] as const;
export type Kind = (typeof KINDS)[number];

const AMI = join(import.meta.dir, "..");
const DOWNLOAD_MS = 300_000;

export async function sha256Of(file: string): Promise<string> {
	const hasher = new Bun.CryptoHasher("sha256");
	for await (const chunk of Bun.file(file).stream()) hasher.update(chunk);
	return hasher.digest("hex");
}

/** The hash that SHA256SUMS has for a file. Pure. */
export function listedHash(sums: string, name: string): string | null {
	const line = sums.split("\n").find((text) => text.endsWith(`  ${name}`));
	return line && /^[0-9a-f]{64} /.test(line) ? line.slice(0, 64) : null;
}

/** One of our programs, and the hash that it must have. A built one has its own; one of a folder that folder's. */
async function layProgram(part: "agent" | "gateway", to: string, { dist, architecture }: PartsOptions): Promise<string> {
	if (dist === null) {
		await copyFile(part === "agent" ? (await readyParts()).agent : await readyGateway(), to);
		return await sha256Of(to);
	}
	const name = `mayfly-${part}-linux-${architecture}`;
	const sums = await readFile(join(dist, "SHA256SUMS"), "utf8").catch((cause) => {
		throw new ImageProblem(part, `${dist} has no SHA256SUMS: run bun run build`, { cause });
	});
	const sha256 = listedHash(sums, name);
	if (sha256 === null) throw new ImageProblem(part, `no sha256 for ${name} in ${join(dist, "SHA256SUMS")}`);
	await copyFile(join(dist, name), to).catch((cause) => {
		throw new ImageProblem(part, `${join(dist, name)} cannot be read`, { cause });
	});
	const found = await sha256Of(to);
	if (found !== sha256) throw new ImageProblem(part, `${join(dist, name)} has sha256 ${found}, SHA256SUMS says ${sha256}`);
	return sha256;
}

async function download(version: string, architecture: Architecture, to: string, signal: AbortSignal): Promise<void> {
	const url = `https://github.com/actions/runner/releases/download/v${version}/actions-runner-linux-${architecture}-${version}.tar.gz`;
	try {
		const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_MS)]) });
		if (!answer.ok) throw new Error(`status ${answer.status}`);
		await Bun.write(to, answer);
	} catch (cause) {
		signal.throwIfAborted();
		throw new ImageProblem("runner", `${url} cannot be fetched: ${cause instanceof Error ? cause.message : cause}`, { cause });
	}
}

async function layRunner(to: string, { runner, versions, architecture }: PartsOptions, shop: Workshop) {
	if (runner === "stand-in") return { version: await makeStandIn(to, shop), sha256: await sha256Of(to) };
	const pin = runnerPin(versions, architecture);
	if (runner === "release") await download(pin.version, architecture, to, shop.signal);
	else
		await copyFile(runner, to).catch((cause) => {
			throw new ImageProblem("runner", `${runner} cannot be read`, { cause });
		});
	const found = await sha256Of(to);
	if (found !== pin.sha256)
		throw new ImageProblem("runner", `${runner === "release" ? "the release" : runner} has sha256 ${found}, pinned is ${pin.sha256}`);
	return pin;
}

async function layRunnerParts(options: PartsOptions, shop: Workshop): Promise<Parts> {
	const folder = join(shop.folder, "parts");
	await mkdir(folder, { recursive: true });
	const agent = await layProgram("agent", join(folder, "mayfly-agent"), options);
	const { version, sha256 } = await layRunner(join(folder, "actions-runner.tar.gz"), options, shop);
	await cp(join(AMI, "units"), join(folder, "units"), { recursive: true });
	await cp(join(AMI, "files"), join(folder, "files"), { recursive: true });
	const compile = ["cc", "-Os", "-static", "-s", "-Wall", "-Wextra", "-Werror", "-Wl,--build-id=none"];
	await run("read-ahead", [...compile, "-o", join(folder, "read-ahead"), join(AMI, "files/read-ahead.c")], shop);
	for (const name of ["units.allow", "rules.allow"]) await copyFile(join(AMI, name), join(folder, name));
	const files = [
		{ name: "mayfly-agent", version: ours, sha256: agent },
		{ name: "actions-runner", version, sha256 },
	];
	return {
		folder,
		files,
		env: { ARCHITECTURE: options.architecture, AGENT_SHA256: agent, RUNNER_VERSION: version, RUNNER_SHA256: sha256 },
	};
}

/** The gateway's: no runner, no agent, its own allowlist. */
async function layGatewayParts(options: PartsOptions, shop: Workshop): Promise<Parts> {
	const folder = join(shop.folder, "parts");
	await mkdir(folder, { recursive: true });
	const sha256 = await layProgram("gateway", join(folder, "mayfly-gateway"), options);
	await cp(join(AMI, "gateway"), join(folder, "gateway"), { recursive: true });
	await cp(join(AMI, "files"), join(folder, "files"), { recursive: true });
	await copyFile(join(AMI, "rules.allow"), join(folder, "rules.allow"));
	await copyFile(join(AMI, "gateway/units.allow"), join(folder, "units.allow"));
	const files = [{ name: "mayfly-gateway", version: ours, sha256 }];
	return { folder, files, env: { ARCHITECTURE: options.architecture, GATEWAY_SHA256: sha256 } };
}

/** Lays them out in a folder of the workshop. */
export async function layParts(kind: Kind, options: PartsOptions, shop: Workshop): Promise<Parts> {
	return kind === "gateway" ? await layGatewayParts(options, shop) : await layRunnerParts(options, shop);
}
