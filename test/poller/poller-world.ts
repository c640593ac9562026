// The poller's real bundle in Node 24, between the stand-ins of GitHub and AWS and a relay that tests write the lines of.
import { readyParts } from "../../build/ready.ts";
import { type BootDocument, bootKey, parseBootDocument } from "../../contract/boot.ts";
import { parseInfrastructure, type ResolvedConfig, resolveFile } from "../../contract/config.ts";
import { parseMayflyYaml } from "../../contract/config-yaml.ts";
import type { CheckItem, LaunchItem } from "../../contract/lease.ts";
import type { Ec2 } from "../../local/ec2.ts";
import { checkExchange } from "../../local/github/openapi.ts";
import type { ReleaseOptions } from "../../local/github/releases-api.ts";
import type { RunOptions } from "../../local/github/runs.ts";
import type { Permissions, RunnerGroupOptions } from "../../local/github/world.ts";
import { type GitHub, startGitHub } from "../../local/github.ts";
import { type Poller, startPoller } from "../../local/lambda.ts";
import { type Mailbox, startMailbox } from "../../local/mailbox.ts";
import { startSecrets } from "../../local/secrets.ts";
import type { Job } from "../../local/workflow/model.ts";
import { ARM64, KEYS, REGION, SUBNETS, startAccount, X64 } from "../fakes/aws-account.ts";
import { type FakeRelay, startFakeRelay } from "../fakes/relay.ts";
import { job, workflow } from "../local/github-client.ts";

export const TOKEN = "the-token-of-the-poller-under-test-0";
export const REPORT_KEY = "the-report-key-of-the-poller-under-test";
const REPOSITORY = "octo-org/octo-repo";

export const CONFIG = `
owners: [{ name: octo-org }]
images: { x64: { arch: x64 }, arm64: { arch: arm64 } }
presets:
  small: { tier: build, cpu: 2, ram: 4+8, image: x64, labels: [[self-hosted, linux]] }
  own: { tier: closed, cpu: 2, image: x64 }
tiers:
  build: { freeForm: true, allow: { forks: true } }
  closed: { allow: { events: [push], actors: [nobody] } }
`;

/** What the stack's template would write. */
export function infrastructure(
	subnets: { id: string; zone: string; tier?: string }[] = SUBNETS,
	images: { x64: string; arm64: string } | null = null,
): string {
	const launchTemplates = { x64: { id: X64.id, version: "1" }, arm64: { id: ARM64.id, version: "1" } };
	return JSON.stringify({ stack: "test", launchTemplates, subnets, images });
}

export function resolved(text = CONFIG): ResolvedConfig {
	const read = parseMayflyYaml(text);
	if (!read.ok) throw new Error(JSON.stringify(read.problems));
	const stack = parseInfrastructure(infrastructure());
	if (!stack.ok) throw new Error(stack.problems.join("; "));
	return { ...resolveFile(read.value), infrastructure: stack.value };
}

export interface World {
	relay: FakeRelay;
	github: GitHub;
	ec2: Ec2;
	mailbox: Mailbox;
	poller: Poller;
	/** What was asked of GitHub that its description does not know, or answered otherwise. */
	problems: string[];
	/** `GET /repos/...` of every REST exchange, ids left out. */
	asked: string[];
	log: Record<string, unknown>[];
	/** A run whose jobs wait for machines: the launch items that a relay would hand out. */
	queue(...specs: Partial<Job>[]): LaunchItem[];
	/** The same of a run that came about in its own way. */
	queueRun(how: Partial<RunOptions>, ...specs: Partial<Job>[]): LaunchItem[];
	document(instanceId: string): Promise<BootDocument>;
	stop(): Promise<void>;
}

/** Path of the built poller. */
export async function builtPoller(): Promise<string> {
	return (await readyParts()).poller;
}

function itemsOf(github: GitHub, how: Partial<RunOptions>, specs: Partial<Job>[]): LaunchItem[] {
	const jobs = specs.map((spec, at) => job(`job${at}`, { runsOn: ["self-hosted", "linux"], ...spec }));
	const run = github.createRun({ repository: REPOSITORY, workflow: workflow(...jobs), ...how });
	return github
		.jobs()
		.filter((it) => it.runId === run.id)
		.map((it) => launchItem(it.id, run.id, github.world.accounts[0]?.installationId ?? 0));
}

export function launchItem(id: number, runId: number, installationId: number, more: Partial<LaunchItem> = {}): LaunchItem {
	const pointer = { id, runId, attempt: 1, repository: REPOSITORY, owner: "octo-org", installationId, labels: ["a-hint"], name: "job" };
	const now = Date.now();
	return {
		...{
			kind: "launch",
			workId: `launch-${id}`,
			leaseId: `lease-${id}`,
			job: pointer,
			intent: null,
			onDemand: false,
			environment: null,
			isEnvironmentKnown: true,
		},
		...{ source: "webhook", queuedAt: now - 20, receivedAt: now - 10, leasedAt: now },
		...more,
	};
}

export function checkItem({ job, leaseId }: LaunchItem, state: CheckItem["state"], machine: CheckItem["machine"] = null): CheckItem {
	return { kind: "check", workId: `check-${job.id}`, leaseId, job, state, machine, since: Date.now() - 180_000 };
}

export async function startWorld(
	more: {
		env?: Record<string, string>;
		machines?: number;
		config?: string;
		sessionMs?: number;
		permissions?: Permissions;
		runnerGroups?: RunnerGroupOptions[];
		releases?: ReleaseOptions[];
		imageTags?: Record<string, Record<string, string>>;
	} = {},
): Promise<World> {
	const relay = startFakeRelay(TOKEN);
	const problems: string[] = [];
	const asked: string[] = [];
	const github = await startGitHub({
		accounts: [
			{
				...{ login: "octo-org", repositories: [{ name: "octo-repo", protectedEnvironments: ["production"] }] },
				...{ permissions: more.permissions, runnerGroups: more.runnerGroups },
			},
		],
		releases: more.releases,
		onExchange(exchange) {
			problems.push(...checkExchange(exchange));
			asked.push(`${exchange.method} ${exchange.path.replace(/[?].*/, "").replace(/[0-9]{3,}/g, "#")}`);
		},
	});
	const ec2 = await startAccount({ machines: more.machines, imageTags: more.imageTags });
	const mailbox = await startMailbox({ keys: KEYS, region: REGION });
	const { infrastructure: _, ...file } = resolved(more.config);
	mailbox.put("config/test.json", JSON.stringify(file));
	const secret = JSON.stringify({ appPrivateKey: github.app.privateKey, pollerToken: TOKEN, reportKey: REPORT_KEY });
	const secrets = await startSecrets({ keys: KEYS, region: REGION, secrets: { "mayfly/test": secret } });
	const log: Record<string, unknown>[] = [];
	const poller = await startPoller({
		bundle: await builtPoller(),
		sessionMs: more.sessionMs,
		onLog: (line) => void log.push(JSON.parse(line) as Record<string, unknown>),
		env: {
			...{
				RELAY_URL: relay.url,
				MAILBOX_URL: mailbox.url,
				CONFIG_KEY: "config/test.json",
				GITHUB_API_URL: github.url,
				OIDC_ISSUER: github.url,
			},
			...{
				APP_ID: String(github.app.id),
				SECRET_ID: "mayfly/test",
				INFRASTRUCTURE: infrastructure(),
				AWS_REGION: REGION,
				LOG_LEVEL: "debug",
			},
			...{ AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey },
			...{ AWS_ENDPOINT_URL_EC2: ec2.url, AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url },
			...more.env,
		},
	});
	return {
		...{ relay, github, ec2, mailbox, poller, problems, asked, log },
		queue: (...specs) => itemsOf(github, {}, specs),
		queueRun: (how, ...specs) => itemsOf(github, how, specs),
		async document(instanceId) {
			const { privateIp = "" } = ec2.instances().find((it) => it.instanceId === instanceId) ?? {};
			const document = parseBootDocument(JSON.parse((await mailbox.read(bootKey(privateIp, instanceId))) ?? "null"));
			if (!document.ok) throw new Error(document.reason);
			return document.value;
		},
		async stop() {
			for (const part of [poller, relay, github, ec2, mailbox, secrets]) await part.stop();
		},
	};
}
