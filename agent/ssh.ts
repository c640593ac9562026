// Lets people in by SSH where their operator said so: the boot document names keys, most documents name none.
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "./account.ts";
import type { Log } from "./log.ts";

/** Gives the runner's user these keys and starts the server that the image keeps off. The job runs whether or not that works. */
export function openSsh(keys: readonly string[], account: Account | null, start: string[], log: Log): void {
	if (keys.length === 0) return;
	try {
		if (account === null) throw new Error("the runner has no user of its own");
		const folder = join(account.home, ".ssh");
		const file = join(folder, "authorized_keys");
		mkdirSync(folder, { recursive: true });
		writeFileSync(file, keys.map((key) => `${key.replaceAll(/\s+/g, " ").trim()}\n`).join(""));
		for (const [path, mode] of [
			[folder, 0o700],
			[file, 0o600],
		] as const) {
			chmodSync(path, mode);
			chownSync(path, account.uid, account.gid);
		}
		Bun.spawn(start, { cwd: "/", stdio: ["ignore", "ignore", "ignore"] }).unref();
		log.info({ keys: keys.length }, "people may connect by SSH");
	} catch (error) {
		log.error({ error: String(error) }, "nobody can connect by SSH");
	}
}
