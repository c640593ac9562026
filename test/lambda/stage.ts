// What is around the function: the built relay in workerd, and the stand-ins of GitHub and AWS.
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readyParts } from "../../build/ready.ts";
import { type JobDetail, parseJobDetail } from "../../contract/job.ts";
import type { Ec2 } from "../../local/ec2.ts";
import { checkExchange } from "../../local/github/openapi.ts";
import { type GitHub, startGitHub } from "../../local/github.ts";
import { type Mailbox, startMailbox } from "../../local/mailbox.ts";
import { startRelay } from "../../local/relay.ts";
import { startSecrets } from "../../local/secrets.ts";
import { KEYS, REGION, startAccount } from "../fakes/aws-account.ts";
import { infrastructure, resolved } from "../poller/poller-world.ts";

const TOKENS = {
	...{ WEBHOOK_SECRET: "lambda-webhook-secret-0123456789abcdef", POLLER_TOKEN: "lambda-poller-token-0123456789abcdef01" },
	...{ OPERATOR_TOKEN: "lambda-operator-token-0123456789abcdef", REPORT_KEY: "lambda-report-key-0123456789abcdef0123" },
};
/** No clock of the relay brings a launched job forward here. */
const CLOCKS = JSON.stringify({ checkAfter: 3_600_000 });
const [CONFIG_KEY, SECRET_ID] = ["config/lambda.json", "mayfly/lambda"];

export interface Stage {
	github: GitHub;
	ec2: Ec2;
	mailbox: Mailbox;
	/** As Lambda unpacks it: the zip's one file. */
	task: string;
	/** The function's environment, without what Lambda sets. */
	env: Record<string, string>;
	/** What was asked of GitHub that its description does not know, or answered otherwise. */
	problems: string[];
	/** The relay's own view. */
	job(id: number): Promise<JobDetail>;
	stop(): Promise<void>;
}

export async function startStage(folder: string): Promise<Stage> {
	const built = await readyParts();
	const task = join(folder, "task");
	await mkdir(task, { recursive: true });
	await copyFile(built.poller, join(task, "poller.mjs"));
	const problems: string[] = [];
	const relay = await startRelay({ bundle: built.relay, stateDir: join(folder, "relay"), vars: { ...TOKENS, OWNERS: "octo-org", CLOCKS } });
	const github = await startGitHub({
		...{ webhookUrl: `${relay.url}/webhook`, webhookSecret: TOKENS.WEBHOOK_SECRET },
		onExchange: (exchange) => void problems.push(...checkExchange(exchange)),
	});
	const ec2 = await startAccount();
	const mailbox = await startMailbox({ keys: KEYS, region: REGION });
	const { infrastructure: _, ...file } = resolved();
	mailbox.put(CONFIG_KEY, JSON.stringify(file));
	const secret = { appPrivateKey: github.app.privateKey, pollerToken: TOKENS.POLLER_TOKEN, reportKey: TOKENS.REPORT_KEY };
	const secrets = await startSecrets({ keys: KEYS, region: REGION, secrets: { [SECRET_ID]: JSON.stringify(secret) } });
	return {
		...{ github, ec2, mailbox, task, problems },
		env: {
			...{ RELAY_URL: relay.url, MAILBOX_URL: mailbox.url, CONFIG_KEY, GITHUB_API_URL: github.url, APP_ID: String(github.app.id) },
			...{ SECRET_ID, INFRASTRUCTURE: infrastructure(), LOG_LEVEL: "debug", AWS_REGION: REGION },
			...{ AWS_ENDPOINT_URL_EC2: ec2.url, AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url },
			...{ AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey },
		},
		async job(id) {
			const headers = { authorization: `Bearer ${TOKENS.OPERATOR_TOKEN}` };
			const read = parseJobDetail(await (await fetch(`${relay.url}/jobs/${id}`, { headers })).json());
			if (!read.ok) throw new Error(`GET /jobs/${id}: ${read.reason}`);
			return read.value;
		},
		async stop() {
			for (const part of [github, relay, ec2, mailbox, secrets]) await part.stop();
		},
	};
}
