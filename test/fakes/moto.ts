// moto, an EC2 by other hands (PyPI `moto[server]`), on a free port: installed once into .cache, started for a test, stopped by its id.
import { existsSync } from "node:fs";
import { glob, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const VERSION = "5.2.5";
const FOLDER = join(import.meta.dir, "..", "..", ".cache", `moto-${VERSION}`);
const SERVER = join(FOLDER, "bin", "moto_server");

export interface Moto {
	url: string;
	stop(): Promise<void>;
}

async function run(...command: string[]): Promise<void> {
	const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
	const problem = await new Response(child.stderr).text();
	if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${problem.trim()}`);
}

/** Makes the virtual environment unless it is there; a half-made one is made again. */
export async function installMoto(): Promise<void> {
	if (existsSync(SERVER)) return;
	await run("python3", "-m", "venv", "--clear", FOLDER);
	await run(join(FOLDER, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", `moto[server]==${VERSION}`);
}

/** The path of a file or folder that moto ships, such as `ec2/resources/instance_types.json.gz`. */
export async function motoFile(name: string): Promise<string> {
	for await (const path of glob(`lib/python3*/site-packages/moto/${name}`, { cwd: FOLDER })) return join(FOLDER, path);
	throw new Error(`moto ${VERSION} has no ${name}`);
}

/** The names of the files in one of moto's folders. */
export async function motoFolder(name: string): Promise<string[]> {
	return (await readdir(await motoFile(name))).toSorted();
}

/** One of its JSON files, read. */
export async function motoJson(name: string): Promise<unknown> {
	return JSON.parse(gunzipSync(await readFile(await motoFile(name))).toString("utf8"));
}

async function urlFrom(output: ReadableStream<Uint8Array>): Promise<string> {
	let text = "";
	for await (const part of output.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>)) {
		text += part;
		const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(text)?.[1];
		if (url) return url;
	}
	throw new Error(`moto did not start: ${text}`);
}

const PYTHON = join(FOLDER, "bin", "python3");

/** With `cloudFormation`, gaps of its CloudFormation are closed (moto-server.py). */
export async function startMoto({ cloudFormation = false } = {}): Promise<Moto> {
	const command = cloudFormation ? [PYTHON, join(import.meta.dir, "moto-server.py")] : [SERVER];
	const server = Bun.spawn([...command, "-H", "127.0.0.1", "-p", "0"], {
		stdin: "ignore",
		stdout: "ignore",
		stderr: "pipe",
		env: { ...process.env, NO_COLOR: "1" },
	});
	const stop = async () => {
		server.kill("SIGKILL");
		await server.exited;
	};
	try {
		return { url: await urlFrom(server.stderr), stop };
	} catch (error) {
		await stop();
		throw error;
	}
}
