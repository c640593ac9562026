// The poller's settings, from the environment that the entry hands in. Pure; every problem is named at once.
import type { AwsCredentials } from "../aws/request.ts";
import { type Infrastructure, parseInfrastructure } from "../contract/config.ts";

export interface PollerConfig {
	relayUrl: string;
	mailboxUrl: string;
	/** What machines use, where it differs. */
	mailboxBootUrl: string;
	reportUrl: string;
	configKey: string;
	githubApiUrl: string;
	/** Who signs the tokens of jobs. */
	oidcIssuer: string;
	appId: string;
	secretId: string;
	infrastructure: Infrastructure;
	region: string;
	credentials: AwsCredentials;
	ec2Url: string | undefined;
	secretsUrl: string;
	logLevel: string;
	/** How often machines and deliveries are looked over, ms. */
	sweepMs: number;
}
export type ConfigResult = { ok: true; config: PollerConfig } | { ok: false; problems: string[] };
type Environment = Record<string, string | undefined>;

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
const SWEEP_MS = 60_000;

/** Reads the settings. Problems name the variable, never its value. */
export function parsePollerConfig(env: Environment): ConfigResult {
	const problems: string[] = [];
	const needed = (name: string): string => {
		if (!env[name]) problems.push(`${name} is missing`);
		return env[name] ?? "";
	};
	const url = (name: string, fallback?: string): string => {
		const text = env[name] || (fallback ?? needed(name));
		if ((env[name] || fallback === undefined) && text !== "" && !/^https?:\/\/[^\s]+$/.test(text))
			problems.push(`${name} is not an http(s) URL`);
		return text.replace(/\/+$/, "");
	};
	const region = needed("AWS_REGION");
	const relayUrl = url("RELAY_URL");
	const mailboxUrl = url("MAILBOX_URL");
	const logLevel = env.LOG_LEVEL || "info";
	if (!LEVELS.includes(logLevel)) problems.push(`LOG_LEVEL is none of ${LEVELS.join(", ")}`);
	if (!/^[1-9][0-9]{0,8}$/.test(env.SWEEP_MS ?? "1")) problems.push("SWEEP_MS is not a number of milliseconds");
	const infrastructure = infrastructureOf(needed("INFRASTRUCTURE"), problems);
	const config = {
		...{ relayUrl, mailboxUrl, region, logLevel },
		mailboxBootUrl: url("MAILBOX_BOOT_URL", mailboxUrl),
		reportUrl: url("REPORT_URL", `${relayUrl}/report`),
		configKey: needed("CONFIG_KEY"),
		githubApiUrl: url("GITHUB_API_URL", "https://api.github.com"),
		oidcIssuer: url("OIDC_ISSUER", "https://token.actions.githubusercontent.com"),
		appId: needed("APP_ID"),
		secretId: needed("SECRET_ID"),
		credentials: {
			accessKeyId: needed("AWS_ACCESS_KEY_ID"),
			secretAccessKey: needed("AWS_SECRET_ACCESS_KEY"),
			...(env.AWS_SESSION_TOKEN && { sessionToken: env.AWS_SESSION_TOKEN }),
		},
		ec2Url: env.AWS_ENDPOINT_URL_EC2 ? url("AWS_ENDPOINT_URL_EC2") : undefined,
		secretsUrl: url("AWS_ENDPOINT_URL_SECRETS_MANAGER", `https://secretsmanager.${region}.amazonaws.com`),
		sweepMs: Number(env.SWEEP_MS ?? SWEEP_MS),
	};
	if (problems.length > 0 || infrastructure === null) return { ok: false, problems };
	return { ok: true, config: { ...config, infrastructure } };
}

/** Null, and its problems told, when it is not what the stack's template writes. */
function infrastructureOf(text: string, problems: string[]): Infrastructure | null {
	if (text === "") return null;
	const read = parseInfrastructure(text);
	if (read.ok) return read.value;
	problems.push(...read.problems.map((problem) => `INFRASTRUCTURE: ${problem}`));
	return null;
}
