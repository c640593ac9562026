// Entry of the agent: reads the environment, wires the outside world, exits once. Started by systemd in `/` with a clean environment
// (DESIGN 9); a non-zero exit code has it turn the machine off.
// Only what the first request to IMDS needs is imported at once; the rest is read while that is on its way.
import { createImdsReader } from "../aws/imds-reader.ts";

/** Defined at build time. */
declare const MAYFLY_VERSION: string | undefined;

const VERSION = typeof MAYFLY_VERSION === "string" ? MAYFLY_VERSION : "0.0.0-source";
/** The address of every machine's own (FACTS 4.5). */
const IMDS_URL = "http://169.254.169.254";
const HELP = `mayfly-agent ${VERSION}: runs one GitHub Actions job on this machine, then TURNS THE MACHINE OFF.

It takes no arguments but --version and --help. Variables:
  MAYFLY_MAILBOX_URL       the bucket with this machine's boot document (required);
                           user-data: the one that the launch template's user data names
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
const EXIT = { off: 0, notOff: 1, usage: 2 } as const;

async function main(args: string[]): Promise<number> {
	if (args.length > 0) {
		const [asked] = args;
		const isKnown = args.length === 1 && (asked === "--version" || asked === "--help");
		(isKnown ? process.stdout : process.stderr).write(asked === "--version" && isKnown ? `${VERSION}\n` : HELP);
		return isKnown ? EXIT.off : EXIT.usage;
	}
	const reader = createImdsReader((process.env.MAYFLY_IMDS_URL || IMDS_URL).replace(/\/+$/, ""), fetch);
	reader.begin();
	// Reading the rest takes some milliseconds of a core, which the request would have to wait for.
	await Bun.sleep(1);
	const [{ readConfig }, { start }] = await Promise.all([import("./config.ts"), import("./start.ts")]);
	const read = readConfig(process.env);
	if (read.ok) return (await start({ config: read.config, version: VERSION, reader, fetch })) ? EXIT.off : EXIT.notOff;
	process.stderr.write(read.problems.map((problem) => `mayfly-agent: ${problem}\n`).join(""));
	return EXIT.usage;
}

process.exit(await main(process.argv.slice(2)));
