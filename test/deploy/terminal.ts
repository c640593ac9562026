// `bun run deploy` with somebody at a terminal.
import { join } from "node:path";

/** With a terminal, as util-linux's `script` makes one; each answer is typed when its question is there. */
export async function answering(endpoint: string, answer: string, argv: string[]): Promise<{ out: string; status: number }> {
	const main = join(import.meta.dir, "..", "..", "deploy", "main.ts");
	const command = [process.execPath, main, ...argv].map((word) => `'${word}'`).join(" ");
	const child = Bun.spawn(["script", "--quiet", "--return", "--command", command, "/dev/null"], {
		cwd: join(import.meta.dir, "..", ".."),
		env: {
			PATH: process.env.PATH,
			HOME: "/nonexistent",
			BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
			TERM: "xterm",
			AWS_ENDPOINT_URL: endpoint,
			AWS_ACCESS_KEY_ID: "test",
			AWS_SECRET_ACCESS_KEY: "test",
		},
		stdin: "pipe",
		stdout: "pipe",
		stderr: "pipe",
	});
	let out = "";
	let answered = false;
	for await (const part of child.stdout.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>)) {
		out += part;
		if (answered || !out.includes("(yes/no)")) continue;
		answered = true;
		child.stdin.write(answer);
		child.stdin.flush();
	}
	child.stdin.end();
	return { out, status: await child.exited };
}
