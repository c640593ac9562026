// The Lambda: reads the environment, makes the clients, runs one session (DESIGN 5). The only file here that names process.env.
import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { parseResolvedConfig, type ResolvedConfig } from "../contract/config.ts";
import { type PollerConfig, parsePollerConfig } from "./config.ts";
import { createEc2 } from "./ec2.ts";
import { createGitHub } from "./github.ts";
import { createMailbox, type MailboxClient } from "./mailbox.ts";
import { paced } from "./points.ts";
import type { Log, Ports } from "./ports.ts";
import { createPrices } from "./prices.ts";
import { createRelay } from "./relay.ts";
import { type PollerSecret, readSecret } from "./secrets.ts";
import { runSession } from "./session.ts";

const sleep = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

/** Runs one session, as long as the invocation lasts. Throws when the settings are wrong or the relay refuses this poller. */
export async function handler(_event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<void> {
	const parsed = parsePollerConfig(process.env);
	if (!parsed.ok) throw new Error(`not configured: ${parsed.problems.join("; ")}`);
	const { config } = parsed;
	const session = randomUUID();
	const log = pino({ level: config.logLevel, base: { session } }, pino.destination({ dest: 1, sync: true }));
	const endsAt = Date.now() + context.getRemainingTimeInMillis();
	const access = { region: config.region, credentials: config.credentials, fetch };
	const mailbox = createMailbox(access, config.mailboxUrl, sleep);
	const [secret, resolved] = await Promise.all([
		readSecret(access, config.secretsUrl, config.secretId),
		readResolvedConfig(mailbox, config.configKey),
	]);
	const ports = portsOf(config, secret, resolved, { mailbox, log, endsAt });
	log.info({ endsAt }, "session begins");
	const end = await runSession(ports, session, config.sweepMs);
	log.info({ end }, "session ends");
}

async function readResolvedConfig(mailbox: MailboxClient, key: string): Promise<ResolvedConfig> {
	const parsed = parseResolvedConfig(JSON.parse(await mailbox.get(key)));
	if (!parsed.ok) throw new Error(`the config at ${key} is not one that this build reads: ${parsed.reason}`);
	return parsed.value;
}

function portsOf(
	config: PollerConfig,
	secret: PollerSecret,
	resolved: ResolvedConfig,
	rest: { mailbox: MailboxClient; log: Log; endsAt: number },
): Ports {
	const { region, credentials, stack } = config;
	const now = Date.now;
	const ec2 = createEc2({ region, credentials, endpoint: config.ec2Url });
	return {
		...rest,
		...{ config: resolved, stack, now, sleep },
		relay: createRelay({ url: config.relayUrl, token: secret.pollerToken, fetch, sleep }),
		github: paced(createGitHub({ apiUrl: config.githubApiUrl, appId: config.appId, privateKey: secret.appPrivateKey, now, sleep }), {
			...{ now, sleep, begunAt: now(), endsAt: rest.endsAt },
		}),
		...{ ec2, prices: createPrices({ ec2, region, log: rest.log, now }) },
		machines: { reportUrl: config.reportUrl, reportKey: secret.reportKey, mailboxUrl: config.mailboxBootUrl },
	};
}
