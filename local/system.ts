// The whole system on one machine: the three real parts, wired to the stand-ins for everything around them.
import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readyParts } from "../build/ready.ts";
import { resolveFile } from "../contract/config.ts";
import { parseMayflyYaml } from "../contract/config-yaml.ts";
import { type JobView, parseJobList } from "../contract/job.ts";
import { parseStats, type Stats } from "../contract/stats.ts";
import { type Ec2, startEc2 } from "./ec2.ts";
import { type GitHub, type GitHubOptions, startGitHub } from "./github.ts";
import { type Boot, createBoot } from "./instance.ts";
import { type Poller, startPoller } from "./lambda.ts";
import { type Mailbox, startMailbox } from "./mailbox.ts";
import { type Relay, startRelay } from "./relay.ts";
import { layoutRunner } from "./runner/layout.ts";
import { type Secrets, startSecrets } from "./secrets.ts";

export interface SystemOptions {
	/** State, logs and the machines' directories; the caller's to remove. */
	folder: string;
	/** Instances alive at once. */
	machines: number;
	signal?: AbortSignal;
	/** Leave the machines' directories there. */
	keep?: boolean;
	/** Overrides of the relay's clocks, ms. */
	clocks?: Record<string, number>;
	/** Overrides of GitHub's clocks and an eye on every exchange. */
	github?: GitHubOptions;
	/** How long one invocation of the Lambda may take, ms. */
	sessionMs?: number;
	/** A mayfly.yml to use instead of local/mayfly.yml. */
	configFile?: string;
	/** Machines that are no processes here. */
	elsewhere?: Elsewhere;
}

/** How machines boot that are not processes of this machine, and where they reach what is. */
export interface Elsewhere {
	boot(around: { mailbox: Mailbox; relayUrl: string; githubUrl: string }): Boot;
	urls: Record<"mailbox" | "relay" | "github", string>;
}

export interface System {
	/** `owner/name` of the repository that the App is installed on. */
	repository: string;
	github: GitHub;
	ec2: Ec2;
	mailbox: Mailbox;
	secrets: Secrets;
	relay: Relay;
	/** Starts the relay again on what it had stored, at the same URL. */
	restartRelay(): Promise<void>;
	poller: Poller;
	/** Everything that only some of the parts may know, by name. */
	credentials: Record<"webhook" | "poller" | "operator" | "report" | "aws" | "appKey", string>;
	/** The relay's view of every job, by id. */
	ledger(): Promise<Map<number, JobView>>;
	stats(): Promise<Stats>;
	/** Ends every process and server that the system started. */
	stop(): Promise<void>;
}

const REGION = "eu-west-1";
const OWNER = "octo-org";
const REPOSITORY = `${OWNER}/octo-repo`;
const CONFIG_KEY = "config/local.json";
const SECRET_ID = "mayfly/poller";
const INFRASTRUCTURE = {
	stack: "local",
	launchTemplates: { x64: { id: "lt-0a1b2c3d4e5f60001", version: "1" }, arm64: { id: "lt-0a1b2c3d4e5f60002", version: "1" } },
	subnets: ["a", "b", "c"].map((zone, at) => ({ id: `subnet-0a1b2c3d4e5f6000${at + 1}`, zone: `${REGION}${zone}` })),
};
/** Shorter than in an account: nobody wants to wait here for what is minutes there. */
const SPOT_POLL = "1000";
const SWEEP = "2000";
/** A step that ignores Ctrl-C (bash that waits for a child does) is ended within a spot notice of seconds. */
const STEP_ENDS = { interrupt: 1_000, terminate: 500 };

const newToken = () => randomBytes(24).toString("hex");

async function resolvedConfig(file: string): Promise<string> {
	const read = parseMayflyYaml(await readFile(file, "utf8"));
	if (!read.ok) throw new Error(`${file}: ${read.problems.map(({ path, reason }) => `${path}: ${reason}`).join("; ")}`);
	return JSON.stringify(resolveFile(read.value));
}

/** Starts everything. If a part cannot be started, what already runs is stopped again. */
export async function startSystem(options: SystemOptions): Promise<System> {
	const started: { stop(): Promise<void> }[] = [];
	const stop = async () => {
		for (const part of started.splice(0).toReversed()) await part.stop();
	};
	const keep = <T extends { stop(): Promise<void> }>(part: T): T => {
		started.push(part);
		options.signal?.throwIfAborted();
		return part;
	};
	try {
		return await wire(options, keep, stop);
	} catch (error) {
		await stop();
		throw error;
	}
}

/** A relay that is being started again is asked again, for as long as a start may take. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
	for (let tries = 1; ; tries++) {
		try {
			return await ask();
		} catch (error) {
			if (tries === 100) throw error;
			await Bun.sleep(100);
		}
	}
}

/** EventBridge's part: EC2's word on machines that end, to the poller. Gives what stops it. */
function forwardEnds(ec2: Ec2, poller: Poller): () => void {
	return ec2.onState(({ instanceId, state }) => {
		if (state !== "shutting-down" && state !== "terminated") return;
		const type = { source: "aws.ec2", "detail-type": "EC2 Instance State-change Notification" };
		poller.invoke({ ...type, detail: { "instance-id": instanceId, state } });
	});
}

async function wire(
	options: SystemOptions,
	keep: <T extends { stop(): Promise<void> }>(part: T) => T,
	stop: () => Promise<void>,
): Promise<System> {
	const { folder } = options;
	const parts = await readyParts();
	const tokens = { webhook: newToken(), poller: newToken(), operator: newToken(), report: newToken() };
	const keys = { accessKeyId: `AKIA${randomBytes(8).toString("hex").toUpperCase()}`, secretAccessKey: newToken() };
	await mkdir(folder, { recursive: true });

	const vars = {
		...{ WEBHOOK_SECRET: tokens.webhook, POLLER_TOKEN: tokens.poller, OPERATOR_TOKEN: tokens.operator, REPORT_KEY: tokens.report },
		...{ OWNERS: OWNER, CLOCKS: JSON.stringify(options.clocks ?? {}) },
	};
	const startIt = () => startRelay({ bundle: parts.relay, stateDir: join(folder, "relay"), vars });
	let relay = await startIt();
	let isStopped = false;
	keep({ stop: () => relay.stop() });
	const { elsewhere } = options;
	const github = keep(
		await startGitHub({
			webhookUrl: `${relay.url}/webhook`,
			webhookSecret: tokens.webhook,
			machinesUrl: elsewhere?.urls.github,
			...options.github,
		}),
	);
	const mailbox = keep(await startMailbox({ keys, region: REGION }));
	mailbox.put(CONFIG_KEY, await resolvedConfig(options.configFile ?? join(import.meta.dir, "mayfly.yml")));
	const processes = createBoot({
		agent: [parts.agent],
		directory: join(folder, "m"),
		mailbox,
		prepareRunner: (directory) => layoutRunner(directory, { bun: process.execPath, clocks: STEP_ENDS }),
		path: process.env.PATH ?? "/usr/bin:/bin",
		env: { MAYFLY_SPOT_POLL_MS: SPOT_POLL },
		keep: options.keep,
	});
	const ec2 = keep(
		await startEc2({
			keys,
			region: REGION,
			boot: elsewhere?.boot({ mailbox, relayUrl: relay.url, githubUrl: github.url }) ?? processes,
			machines: options.machines,
			subnets: INFRASTRUCTURE.subnets,
			launchTemplates: [
				{ id: INFRASTRUCTURE.launchTemplates.x64.id, version: "1", imageId: "ami-0a1b2c3d4e5f60001", architecture: "x86_64" },
				{ id: INFRASTRUCTURE.launchTemplates.arm64.id, version: "1", imageId: "ami-0a1b2c3d4e5f60002", architecture: "arm64" },
			],
		}),
	);
	const secret = JSON.stringify({ appPrivateKey: github.app.privateKey, pollerToken: tokens.poller, reportKey: tokens.report });
	const secrets = keep(await startSecrets({ keys, region: REGION, secrets: { [SECRET_ID]: secret } }));
	const poller = keep(
		await startPoller({
			bundle: parts.poller,
			sessionMs: options.sessionMs,
			logFile: join(folder, "poller.log"),
			env: {
				...{ RELAY_URL: relay.url, MAILBOX_URL: mailbox.url, CONFIG_KEY, GITHUB_API_URL: github.url, APP_ID: String(github.app.id) },
				...{
					OIDC_ISSUER: github.url,
					SECRET_ID,
					INFRASTRUCTURE: JSON.stringify(INFRASTRUCTURE),
					AWS_REGION: REGION,
					LOG_LEVEL: "debug",
					SWEEP_MS: SWEEP,
				},
				...(elsewhere && { REPORT_URL: `${elsewhere.urls.relay}/report`, MAILBOX_BOOT_URL: elsewhere.urls.mailbox }),
				...{ AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey },
				...{ AWS_ENDPOINT_URL_EC2: ec2.url, AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url },
			},
		}),
	);
	const stopForwarding = forwardEnds(ec2, poller);
	keep({ stop: async () => stopForwarding() });
	const operator = { headers: { authorization: `Bearer ${tokens.operator}` } };
	const read = async (path: string) => (await patiently(() => fetch(`${relay.url}${path}`, operator))).json();
	return {
		...{ repository: REPOSITORY, github, ec2, mailbox, secrets, poller },
		credentials: { ...tokens, aws: keys.secretAccessKey, appKey: github.app.privateKey },
		async stop() {
			isStopped = true;
			await stop();
		},
		get relay() {
			return relay;
		},
		async restartRelay() {
			await relay.stop();
			const again = await startIt();
			relay = again;
			// Who stops the system meanwhile stopped the one before.
			if (isStopped) await again.stop();
		},
		async ledger() {
			const list = parseJobList(await read("/jobs?limit=1000"));
			if (!list.ok) throw new Error(`GET /jobs: ${list.reason}`);
			return new Map(list.value.jobs.map((job) => [job.id, job]));
		},
		async stats() {
			const stats = parseStats(await read("/stats"));
			if (!stats.ok) throw new Error(`GET /stats: ${stats.reason}`);
			return stats.value;
		},
	};
}
