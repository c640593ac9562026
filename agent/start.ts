// Begins the agent's life and sees to its end: whatever goes wrong in here, the machine goes off.

import type { Fetch, ImdsReader } from "../aws/imds-reader.ts";
import type { Config } from "./config.ts";
import { createImds } from "./imds.ts";
import { createLog } from "./log.ts";
import { powerOff } from "./power.ts";
import { runAgent } from "./run.ts";
import { startWatchdog } from "./watchdog.ts";

export interface Start {
	config: Config;
	version: string;
	reader: ImdsReader;
	fetch: Fetch;
}

/** By then the runner was started, or nothing is in a hurry. */
const LOG_AFTER_MS = 250;

/** Lives one machine's life. Whether the machine could be turned off. */
export async function start({ config, version, reader, fetch }: Start): Promise<boolean> {
	const now = Date.now;
	const log = createLog(config.logLevel, now);
	const crashed = Promise.withResolvers<never>();
	for (const name of ["uncaughtException", "unhandledRejection"] as const) process.on(name, (error) => crashed.reject(error));
	const build = { version, arch: process.arch };
	try {
		const imds = createImds(reader, now);
		const { ended, ask } = runAgent({ config, build, fetch, now, startedAt: performance.timeOrigin, log, imds });
		for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => ask(name));
		if (config.watchdog) startWatchdog(config.watchdog);
		setTimeout(() => void log.load(), LOG_AFTER_MS);
		const isOff = await Promise.race([ended, crashed.promise]);
		await log.load();
		return isOff;
	} catch (error) {
		log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, "the agent failed");
		await powerOff(config.powerOff, log);
		await log.load();
		return false;
	}
}
