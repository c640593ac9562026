// Entry of the gateway's program: reads the environment and the instance's user data, wires the outside world, ends when systemd says so.
import { createImdsReader } from "../aws/imds-reader.ts";
import { readConfig } from "./config.ts";
import { createInstance } from "./imds.ts";
import { start } from "./start.ts";

/** Defined at build time. */
declare const MAYFLY_VERSION: string | undefined;

const VERSION = typeof MAYFLY_VERSION === "string" ? MAYFLY_VERSION : "0.0.0-source";
const IMDS_URL = "http://169.254.169.254";
const HELP = `mayfly-gateway ${VERSION}: keeps a gateway's lists fresh, brings its log to CloudWatch, and takes over the zones of gateways that are gone.

It takes no arguments but --version and --help. Variables, from the instance's user data or the environment, which goes over it:
  MAYFLY_STACK            the stack's name (required)
  MAYFLY_REGION           its region (required)
  MAYFLY_ZONE             this gateway's zone (required)
  MAYFLY_ROUTE_TABLES     zone=rtb-id,zone=rtb-id for all zones (required)
  MAYFLY_MAILBOX_URL      the bucket with dist/egress/current.json (required)
  MAYFLY_LOG_GROUP        where HAProxy's and nftables' lines go (required)
  MAYFLY_OWN_LOG_GROUP    /mayfly/<stack>/gateway
  MAYFLY_POLL_MS          15000; how often the mailbox is asked for lists
  MAYFLY_FOLDER           /var/lib/mayfly-gateway
  MAYFLY_RELOAD           systemctl reload-or-restart haproxy.service
  MAYFLY_RESOLVER         169.254.169.253:53
  MAYFLY_HAPROXY_USER     haproxy
  MAYFLY_CONNECTIONS      20000; at once
  MAYFLY_SYSLOG_PORT      514
  MAYFLY_EC2_URL          AWS's own for the region
  MAYFLY_LOGS_URL         https://logs.<region>.amazonaws.com
  MAYFLY_IMDS_URL         ${IMDS_URL}; from the environment alone

exit status: 0 ended by a signal; 1 failed; 2 the settings are wrong
`;
const EXIT = { ended: 0, failed: 1, usage: 2 } as const;

async function main(args: string[]): Promise<number> {
	if (args.length > 0) {
		const [asked] = args;
		const isKnown = args.length === 1 && (asked === "--version" || asked === "--help");
		(isKnown ? process.stdout : process.stderr).write(asked === "--version" && isKnown ? `${VERSION}\n` : HELP);
		return isKnown ? EXIT.ended : EXIT.usage;
	}
	const end = new AbortController();
	for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => end.abort());
	const reader = createImdsReader((process.env.MAYFLY_IMDS_URL || IMDS_URL).replace(/\/+$/, ""), fetch);
	const instance = createInstance(reader, Date.now);
	const read = readConfig(await instance.userData(), process.env);
	if (!read.ok) {
		process.stderr.write(read.problems.map((problem) => `mayfly-gateway: ${problem}\n`).join(""));
		return EXIT.usage;
	}
	const instanceId = await instance.instanceId();
	await start({ config: read.config, version: VERSION, instanceId, instance, fetch, signal: end.signal });
	return EXIT.ended;
}

process.exit(
	await main(process.argv.slice(2)).catch((error: unknown) => {
		process.stderr.write(`mayfly-gateway: ${error instanceof Error ? error.message : String(error)}\n`);
		return EXIT.failed;
	}),
);
