// The built poller in Node 24, with the built relay in workerd, between stand-ins that take as long as the real ones do.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readyParts } from "../../build/ready.ts";
import { type BootDocument, parseBootDocument } from "../../contract/boot.ts";
import { resolveFile } from "../../contract/config.ts";
import { parseMayflyYaml } from "../../contract/config-yaml.ts";
import { type Ec2, startEc2 } from "../../local/ec2.ts";
import { type GitHub, startGitHub } from "../../local/github.ts";
import type { Boot } from "../../local/instance.ts";
import { type Poller, startPoller } from "../../local/lambda.ts";
import { type Mailbox, startMailbox } from "../../local/mailbox.ts";
import { startSecrets } from "../../local/secrets.ts";
import { SECRETS } from "../relay/deliveries.ts";
import { startSubject } from "../relay/subjects.ts";
import { keepTrack } from "../running.ts";
import { LATENCIES } from "./latencies.ts";
import { startMachines } from "./machines.ts";

export interface Stage {
	github: GitHub;
	ec2: Ec2;
	mailbox: Mailbox;
	poller: Poller;
	/** Method and path of every call of GitHub's REST API, ids left out. */
	asked: string[];
	/** The boot documents in the order in which they were written, and when, epoch ms. */
	written: { at: number; document: BootDocument }[];
	/** Milliseconds from the start of the process until it leases. */
	startedAfter: number;
	stop(): Promise<void>;
}

const KEYS = { accessKeyId: "AKIABENCHBENCHBENCH0", secretAccessKey: "bench-secret-access-key-0123456789abcdef" };
const REGION = "eu-west-1";
const INFRASTRUCTURE = {
	stack: "bench",
	launchTemplates: { x64: { id: "lt-0a1b2c3d4e5f60001", version: "1" }, arm64: { id: "lt-0a1b2c3d4e5f60002", version: "1" } },
	subnets: ["a", "b", "c"].map((zone, at) => ({ id: `subnet-0a1b2c3d4e5f6000${at + 1}`, zone: `${REGION}${zone}` })),
};
const CONFIG = `
owners: [{ name: octo-org }]
images: { ubuntu: { arch: x64 } }
tiers: { build: { freeForm: true, allow: {} } }
`;

/** A machine that is on until it is ended; what it does there is machines.ts. */
const bootNothing: Boot = async () => ({
	...{ pid: null, directory: "", announceInterruption: () => {}, recommendRebalance: () => {}, kill: () => false },
	end: async () => {},
});

function slowEc2(): Promise<Ec2> {
	const { x64, arm64 } = INFRASTRUCTURE.launchTemplates;
	return startEc2({
		...{ keys: KEYS, region: REGION, boot: bootNothing, machines: 2000, subnets: INFRASTRUCTURE.subnets },
		launchTemplates: [
			{ id: x64.id, version: "1", imageId: "ami-0a1b2c3d4e5f60001", architecture: "x86_64" },
			{ id: arm64.id, version: "1", imageId: "ami-0a1b2c3d4e5f60002", architecture: "arm64" },
		],
	});
}

function configText(): string {
	const read = parseMayflyYaml(CONFIG);
	if (!read.ok) throw new Error(JSON.stringify(read.problems));
	return JSON.stringify(resolveFile(read.value));
}

/** Starts everything and waits until the poller leases. `under` limits the poller's process. */
export async function startStage(folder: string, under: string[] = []): Promise<Stage> {
	const parts: { stop(): Promise<void> }[] = [];
	const keep = async <T extends { stop(): Promise<void> }>(part: T): Promise<T> => {
		const kept = await keepTrack(part);
		parts.push(kept);
		return kept;
	};
	const written: Stage["written"] = [];
	const asked: string[] = [];
	const relay = await keep(await startSubject("relay", folder));
	const github = await keep(
		await startGitHub({
			...{ webhookUrl: `${relay.url}/webhook`, webhookSecret: SECRETS.WEBHOOK_SECRET },
			onExchange: ({ method, path }) => asked.push(`${method} ${path.replace(/[?].*/, "").replaceAll(/[0-9]{3,}/g, "#")}`),
		}),
	);
	github.faults.latencyMs = LATENCIES.github;
	const machines = await keep(startMachines());
	const note = async (key: string) => {
		const at = Date.now();
		const document = parseBootDocument(JSON.parse((await mailbox.read(key)) ?? "null"));
		if (!document.ok) throw new Error(document.reason);
		written.push({ at, document: document.value });
		machines.boot(document.value);
	};
	const mailbox = await keep(
		await startMailbox({
			...{ keys: KEYS, region: REGION, latencyMs: LATENCIES.aws },
			onRequest: ({ method, key, status }) => void (method === "PUT" && status === 200 && note(key)),
		}),
	);
	mailbox.put("config/bench.json", configText());
	const ec2 = await keep(await slowEc2());
	for (const action of ["DescribeInstances", "CreateTags", "TerminateInstances", "DescribeSpotPriceHistory"])
		ec2.faults.latencyMs[action] = LATENCIES.aws;
	ec2.faults.latencyMs.CreateFleet = LATENCIES.createFleet;
	const secret = JSON.stringify({
		...{ appPrivateKey: github.app.privateKey, pollerToken: SECRETS.POLLER_TOKEN, reportKey: SECRETS.REPORT_KEY },
	});
	const secrets = await keep(await startSecrets({ keys: KEYS, region: REGION, secrets: { "mayfly/bench": secret } }));
	const begun = performance.now();
	const leasing = Promise.withResolvers<number>();
	const poller = await startPoller({
		...{ bundle: (await readyParts()).poller, under },
		onLog: (line) => void (line.includes("session begins") && leasing.resolve(performance.now() - begun)),
		env: {
			...{ RELAY_URL: relay.url, MAILBOX_URL: mailbox.url, CONFIG_KEY: "config/bench.json", GITHUB_API_URL: github.url },
			...{ APP_ID: String(github.app.id), SECRET_ID: "mayfly/bench", INFRASTRUCTURE: JSON.stringify(INFRASTRUCTURE), AWS_REGION: REGION },
			...{ AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey, PATH: process.env.PATH ?? "" },
			...{ AWS_ENDPOINT_URL_EC2: ec2.url, AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url },
		},
	});
	await keep({ stop: () => poller.stop() });
	const startedAfter = await Promise.race([leasing.promise, Bun.sleep(START_MS).then(() => Number.NaN)]);
	const stop = async () => {
		for (const part of parts.splice(0).toReversed()) await part.stop();
	};
	return { github, ec2, mailbox, poller, asked, written, startedAfter, stop };
}

/** A poller that has not begun by then will not. */
const START_MS = 60_000;

/** Most memory that a process had at once, bytes; null once it is gone. */
export async function peakOf(pid: number): Promise<number | null> {
	const status = await readFile(join("/proc", String(pid), "status"), "utf8").catch(() => "");
	const kib = /^VmHWM:\s+([0-9]+) kB/m.exec(status)?.[1];
	return kib === undefined ? null : Number(kib) * 1024;
}
