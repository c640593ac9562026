// moto, an EC2 by other hands (PyPI `moto[server]`), on a free port: installed once into .cache, started for a test, stopped by its id.
import { existsSync } from "node:fs";
import { join } from "node:path";

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

async function urlFrom(output: ReadableStream<Uint8Array>): Promise<string> {
	let text = "";
	for await (const part of output.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>)) {
		text += part;
		const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(text)?.[1];
		if (url) return url;
	}
	throw new Error(`moto did not start: ${text}`);
}

export async function startMoto(): Promise<Moto> {
	const server = Bun.spawn([SERVER, "-H", "127.0.0.1", "-p", "0"], {
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
