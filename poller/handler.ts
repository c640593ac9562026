// The Lambda: reads the environment, makes the clients, runs one session or looks at one machine (DESIGN 5). The only file here that names process.env.
import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { parseResolvedFile, type ResolvedConfig, type ResolvedFile } from "../contract/config.ts";
import { type PollerConfig, parsePollerConfig } from "./config.ts";
import { createEc2 } from "./ec2.ts";
import { pacedEc2 } from "./ec2-pace.ts";
import { createGitHub } from "./github.ts";
import { lookAt } from "./look.ts";
import { createMailbox, type MailboxClient } from "./mailbox.ts";
import { metered } from "./metered.ts";
import { createMetrics } from "./metrics.ts";
import { createOidcKeys } from "./oidc-keys.ts";
import { paced } from "./points.ts";
import type { Ec2, Log, Metrics, Ports } from "./ports.ts";
import { createPrices } from "./prices.ts";
import { createRelay } from "./relay.ts";
import { type PollerSecret, readSecret } from "./secrets.ts";
import { runSession } from "./session.ts";
import { createLife, type Life } from "./until-over.ts";
import { wakeOf } from "./wake.ts";

/** What an invocation has before it reads anything. */
interface Begun {
	ec2: Ec2;
	log: Log;
	metrics: Metrics;
	endsAt: number;
}

const sleep = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

/**
 * Does what the event is for: one session, as long as the invocation lasts, or a look at one machine. Throws when the settings are wrong, and
 * in a session when the relay refuses this poller.
 */
export async function handler(event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<void> {
	const parsed = parsePollerConfig(process.env);
	if (!parsed.ok) throw new Error(`not configured: ${parsed.problems.join("; ")}`);
	const { config } = parsed;
	const { stack } = config.infrastructure;
	const session = randomUUID();
	const stdout = pino.destination({ dest: 1, sync: true });
	const log = pino({ level: config.logLevel, base: { session } }, stdout);
	const metrics = createMetrics({ stack, now: Date.now, write: (line) => void stdout.write(`${line}\n`) });
	const endsAt = Date.now() + context.getRemainingTimeInMillis();
	const wake = wakeOf(event);
	if (wake.for === "nothing") return log.warn({ reason: wake.reason }, "nothing to look at");
	const ec2 = createEc2({ region: config.region, credentials: config.credentials, endpoint: config.ec2Url });
	const life = createLife();
	const connect = () => connected(config, { ec2, log, metrics, endsAt }, life);
	try {
		if (wake.for === "instance") return await lookAt({ ec2, stack, log, connect }, wake.instanceId);
		const ports = await connect();
		log.info({ endsAt }, "session begins");
		log.info({ end: await runSession(ports, session, config.sweepMs) }, "session ends");
	} finally {
		life.end();
		metrics.flush(false);
	}
}

/** Reads the secret and the operator's file, and makes what else there is to work with. */
async function connected(config: PollerConfig, begun: Begun, life: Life): Promise<Ports> {
	const access = { region: config.region, credentials: config.credentials, fetch };
	const mailbox = createMailbox(access, config.mailboxUrl, sleep);
	const [secret, file] = await Promise.all([
		readSecret(access, config.secretsUrl, config.secretId),
		readResolvedFile(mailbox, config.configKey),
	]);
	return portsOf(config, secret, { ...file, infrastructure: config.infrastructure }, { ...begun, mailbox }, life);
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
	{ mailbox, ec2, ...rest }: Begun & { mailbox: MailboxClient },
	life: Life,
): Ports {
	const { region, infrastructure, appId, githubApiUrl: apiUrl } = config;
	const { log, metrics, endsAt } = rest;
	const now = Date.now;
	const pace = { now, sleep, begunAt: now(), endsAt };
	const rateLeft = metrics.rateLeft;
	const outside = metered(
		{
			mailbox: life.of(mailbox),
			relay: life.of(createRelay({ url: config.relayUrl, token: secret.pollerToken, fetch, sleep })),
			github: life.of(createGitHub({ apiUrl, appId, privateKey: secret.appPrivateKey, now, sleep, rateLeft })),
			ec2: life.of(ec2),
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
