// The runner's own logs, `_diag` in its root, as an archive for the record. Job code can write there, so they are read with the runner's rights.
import { type Account, asAccount } from "./account.ts";

/** A longer archive is cut: what of it can be unpacked is worth more than nothing. */
const MAX_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 10_000;
/** Pages of the job's log, which GitHub has. */
const LEFT_OUT = ["--exclude=pages", "--exclude=blocks"];

/** A gzipped tar, possibly cut; null if there is nothing. Never rejects. */
export async function archiveDiagnostics(root: string, account: Account | null): Promise<Uint8Array | null> {
	try {
		const command = [...asAccount(account), "tar", "-czf", "-", ...LEFT_OUT, "-C", root, "_diag"];
		const tar = Bun.spawn(command, { cwd: "/", stdio: ["ignore", "pipe", "ignore"], timeout: TIMEOUT_MS, killSignal: "SIGKILL" });
		const chunks: Uint8Array[] = [];
		let length = 0;
		for await (const chunk of tar.stdout) {
			chunks.push(chunk.subarray(0, MAX_BYTES - length));
			length += chunk.length;
			if (length >= MAX_BYTES) break;
		}
		tar.kill("SIGKILL");
		return chunks.length === 0 ? null : Buffer.concat(chunks);
	} catch {
		return null;
	}
}
