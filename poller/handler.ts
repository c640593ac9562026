// The Lambda: reads the environment, makes the clients, runs one session (DESIGN 5). The only file here that names process.env.
import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { parseResolvedFile, type ResolvedConfig, type ResolvedFile } from "../contract/config.ts";
import { type PollerConfig, parsePollerConfig } from "./config.ts";
import { createEc2 } from "./ec2.ts";
import { pacedEc2 } from "./ec2-pace.ts";
import { createGitHub } from "./github.ts";
import { createMailbox, type MailboxClient } from "./mailbox.ts";
import { metered } from "./metered.ts";
import { createMetrics } from "./metrics.ts";
import { createOidcKeys } from "./oidc-keys.ts";
import { paced } from "./points.ts";
import type { Log, Metrics, Ports } from "./ports.ts";
import { createPrices } from "./prices.ts";
import { createRelay } from "./relay.ts";
import { type PollerSecret, readSecret } from "./secrets.ts";
import { runSession } from "./session.ts";
import { createLife, type Life } from "./until-over.ts";

const sleep = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

/** Runs one session, as long as the invocation lasts. Throws when the settings are wrong or the relay refuses this poller. */
export async function handler(_event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<void> {
	const parsed = parsePollerConfig(process.env);
	if (!parsed.ok) throw new Error(`not configured: ${parsed.problems.join("; ")}`);
	const { config } = parsed;
	const session = randomUUID();
	const stdout = pino.destination({ dest: 1, sync: true });
	const log = pino({ level: config.logLevel, base: { session } }, stdout);
	const metrics = createMetrics({ stack: config.infrastructure.stack, now: Date.now, write: (line) => void stdout.write(`${line}\n`) });
	const endsAt = Date.now() + context.getRemainingTimeInMillis();
	const access = { region: config.region, credentials: config.credentials, fetch };
	const mailbox = createMailbox(access, config.mailboxUrl, sleep);
	const [secret, file] = await Promise.all([
		readSecret(access, config.secretsUrl, config.secretId),
		readResolvedFile(mailbox, config.configKey),
	]);
	const life = createLife();
	const resolved = { ...file, infrastructure: config.infrastructure };
	const ports = portsOf(config, secret, resolved, { mailbox, log, metrics, endsAt }, life);
	log.info({ endsAt }, "session begins");
	const end = await runSession(ports, session, config.sweepMs).finally(life.end);
	log.info({ end }, "session ends");
}

async function readResolvedFile(mailbox: MailboxClient, key: string): Promise<ResolvedFile> {
	const parsed = parseResolvedFile(JSON.parse(await mailbox.get(key)));
	if (!parsed.ok) throw new Error(`the config at ${key} is not one that this build reads: ${parsed.reason}`);
	return parsed.value;
}

function portsOf(
	config: PollerConfig,
	secret: PollerSecret,
	resolved: ResolvedConfig,
	{ mailbox, ...rest }: { mailbox: MailboxClient; log: Log; metrics: Metrics; endsAt: number },
	life: Life,
): Ports {
	const { region, credentials, infrastructure, appId, githubApiUrl: apiUrl } = config;
	const { log, metrics, endsAt } = rest;
	const now = Date.now;
	const pace = { now, sleep, begunAt: now(), endsAt };
	const rateLeft = metrics.rateLeft;
	const outside = metered(
		{
			mailbox: life.of(mailbox),
			relay: life.of(createRelay({ url: config.relayUrl, token: secret.pollerToken, fetch, sleep })),
			github: life.of(createGitHub({ apiUrl, appId, privateKey: secret.appPrivateKey, now, sleep, rateLeft })),
			ec2: life.of(createEc2({ region, credentials, endpoint: config.ec2Url })),
		},
		metrics,
	);
	return {
		...rest,
		...outside,
		...{ config: resolved, stack: infrastructure.stack, now, sleep },
		prices: createPrices({ ec2: outside.ec2, region, log, now }),
		github: paced(outside.github, pace),
		ec2: pacedEc2(outside.ec2, pace),
		oidc: createOidcKeys(config.oidcIssuer, fetch),
		machines: { reportUrl: config.reportUrl, reportKey: secret.reportKey, mailboxUrl: config.mailboxBootUrl },
	};
}
