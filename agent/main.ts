// Entry of the agent: reads the environment, wires the outside world, exits once. Started by systemd in `/` with a clean environment
// (DESIGN 9); a non-zero exit code has it turn the machine off.
import { type Config, readConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { powerOff } from "./power.ts";
import { runAgent } from "./run.ts";
import { startWatchdog } from "./watchdog.ts";

/** Defined at build time. */
declare const MAYFLY_VERSION: string | undefined;

const VERSION = typeof MAYFLY_VERSION === "string" ? MAYFLY_VERSION : "0.0.0-source";
const HELP = `mayfly-agent ${VERSION}: runs one GitHub Actions job on this machine, then TURNS THE MACHINE OFF.

It takes no arguments but --version and --help. Variables:
  MAYFLY_MAILBOX_URL       the bucket with this machine's boot document (required)
  MAYFLY_IMDS_URL          http://169.254.169.254
  MAYFLY_RUNNER_ROOT       /opt/actions-runner
  MAYFLY_STATE_DIR         /run/mayfly
  MAYFLY_RUNNER_USER       runner; empty is the agent's own user
  MAYFLY_RUNNER_UNIT       the systemd unit that the runner becomes; empty is a process of the agent's
  MAYFLY_RUNNER_VERSION    of the runner in the image; empty is unknown
  MAYFLY_SSH_START         systemctl start ssh; only where a boot document names keys
  MAYFLY_POWER_OFF         systemctl poweroff
  MAYFLY_SPOT_POLL_MS      5000
  MAYFLY_CLAIM_TIMEOUT_MS  600000
  MAYFLY_CLOCKS            {}; JSON, overrides of other waits in ms
  LOG_LEVEL                info
`;
/** By then the runner was started, or nothing is in a hurry. */
const LOG_AFTER_MS = 250;
const EXIT = { off: 0, notOff: 1, usage: 2 } as const;

/** Whatever goes wrong in here, the machine goes off. */
async function liveAndDie(config: Config): Promise<number> {
	const now = Date.now;
	const log = createLog(config.logLevel, now);
	const crashed = Promise.withResolvers<never>();
	for (const name of ["uncaughtException", "unhandledRejection"] as const) process.on(name, (error) => crashed.reject(error));
	const build = { version: VERSION, arch: process.arch };
	try {
		const { ended, ask } = runAgent({ config, build, fetch, now, startedAt: performance.timeOrigin, log });
		for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => ask(name));
		if (config.watchdog) startWatchdog(config.watchdog);
		setTimeout(() => void log.load(), LOG_AFTER_MS);
		const isOff = await Promise.race([ended, crashed.promise]);
		await log.load();
		return isOff ? EXIT.off : EXIT.notOff;
	} catch (error) {
		log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, "the agent failed");
		await powerOff(config.powerOff, log);
		await log.load();
		return EXIT.notOff;
	}
}

async function main(args: string[]): Promise<number> {
	if (args.length > 0) {
		const [asked] = args;
		const isKnown = args.length === 1 && (asked === "--version" || asked === "--help");
		(isKnown ? process.stdout : process.stderr).write(asked === "--version" && isKnown ? `${VERSION}\n` : HELP);
		return isKnown ? EXIT.off : EXIT.usage;
	}
	const read = readConfig(process.env);
	if (read.ok) return await liveAndDie(read.config);
	process.stderr.write(read.problems.map((problem) => `mayfly-agent: ${problem}\n`).join(""));
	return EXIT.usage;
}

process.exit(await main(process.argv.slice(2)));
