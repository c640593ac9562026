// The agent's environment, read once: a config, or every problem with the name of its variable. Pure.
import * as v from "valibot";
import { CLOCKS, type Clocks } from "./clocks.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Config {
	/** Null: the launch template's user data names it. */
	mailboxUrl: string | null;
	runnerRoot: string;
	/** The hook's script and socket lie here; no job may write to it. */
	stateDir: string;
	/** Null: the runner runs as the agent's own user. */
	runnerUser: string | null;
	/** The systemd unit that the runner becomes; null: a process of the agent's. */
	runnerUnit: string | null;
	/** The version of the image's runner; null: not known. */
	runnerVersion: string | null;
	/** Where and how often systemd wants to hear of us; null: it does not. */
	watchdog: { socket: string; pauseMs: number } | null;
	/** Starts the SSH server, where a document names keys. */
	sshStart: string[];
	powerOff: string[];
	logLevel: LogLevel;
	clocks: Clocks;
	/** What of the agent's environment the runner, and so every job, may see. */
	inherited: Record<string, string>;
}

/** What an image says instead of a mailbox: its account's launch template knows. */
const USER_DATA = "user-data";
/** Everything else of the agent's environment stays with the agent: jobs inherit what the runner has (FACTS 1.11). */
const INHERITED =
	"PATH HOME LANG LC_ALL TZ TMPDIR http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR".split(" ");

const Url = v.pipe(
	v.string("is required"),
	v.regex(/^https?:\/\/[^/]/, "is not an http(s) URL"),
	v.transform((url) => url.replace(/\/+$/, "")),
);
const Folder = v.pipe(v.string(), v.regex(/^\/[^\0]*$/, "is not an absolute path"));
const Wait = v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,9}$/, "is not a positive number of milliseconds"), v.transform(Number));
const ClockChanges = v.pipe(
	v.string(),
	v.parseJson(undefined, "is not JSON"),
	v.partial(v.strictObject(v.entriesFromList(Object.keys(CLOCKS) as (keyof Clocks)[], v.pipe(v.number(), v.minValue(0))))),
);

const Environment = v.object({
	MAYFLY_IMDS_URL: v.optional(Url, "http://169.254.169.254"),
	// Never without a word: whoever tries the agent at a desk keeps the desk.
	MAYFLY_MAILBOX_URL: v.pipe(
		v.string(),
		v.check((url) => url === USER_DATA || v.is(Url, url), "is neither user-data nor an http(s) URL"),
	),
	MAYFLY_RUNNER_ROOT: v.optional(Folder, "/opt/actions-runner"),
	MAYFLY_STATE_DIR: v.optional(Folder, "/run/mayfly"),
	MAYFLY_RUNNER_USER: v.optional(v.pipe(v.string(), v.regex(/^([a-z_][a-z0-9_-]{0,31})?$/, "is not a user name")), "runner"),
	MAYFLY_RUNNER_UNIT: v.optional(v.pipe(v.string(), v.regex(/^([A-Za-z0-9:_.@-]{1,200})?$/, "is not a unit's name")), ""),
	MAYFLY_RUNNER_VERSION: v.optional(v.pipe(v.string(), v.regex(/^([0-9]+(\.[0-9]+)+)?$/, "is not a version")), ""),
	MAYFLY_SSH_START: v.optional(v.pipe(v.string(), v.trim(), v.minLength(1, "is empty")), "systemctl start ssh"),
	MAYFLY_POWER_OFF: v.optional(v.pipe(v.string(), v.trim(), v.minLength(1, "is empty")), "systemctl poweroff"),
	MAYFLY_SPOT_POLL_MS: v.optional(Wait, String(CLOCKS.spotPoll)),
	MAYFLY_CLAIM_TIMEOUT_MS: v.optional(Wait, String(CLOCKS.claim)),
	MAYFLY_CLOCKS: v.optional(ClockChanges, "{}"),
	NOTIFY_SOCKET: v.optional(v.string(), ""),
	WATCHDOG_USEC: v.optional(v.string(), ""),
	LOG_LEVEL: v.optional(v.picklist(LOG_LEVELS, `is none of ${LOG_LEVELS.join(", ")}`), "info"),
});

/** Two messages may be lost (sd_watchdog_enabled(3)). */
function watchdogOf(socket: string, usec: number): Config["watchdog"] {
	return socket !== "" && usec > 0 ? { socket, pauseMs: usec / 1000 / 3 } : null;
}

export type ReadConfig = { ok: true; config: Config } | { ok: false; problems: string[] };

function toConfig(read: v.InferOutput<typeof Environment>, env: Record<string, string | undefined>): Config {
	const inherited = INHERITED.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
	return {
		mailboxUrl: read.MAYFLY_MAILBOX_URL === USER_DATA ? null : v.parse(Url, read.MAYFLY_MAILBOX_URL),
		runnerRoot: read.MAYFLY_RUNNER_ROOT,
		stateDir: read.MAYFLY_STATE_DIR,
		runnerUser: read.MAYFLY_RUNNER_USER || null,
		runnerUnit: read.MAYFLY_RUNNER_UNIT || null,
		runnerVersion: read.MAYFLY_RUNNER_VERSION || null,
		watchdog: watchdogOf(read.NOTIFY_SOCKET, Number(read.WATCHDOG_USEC)),
		sshStart: read.MAYFLY_SSH_START.split(/\s+/),
		powerOff: read.MAYFLY_POWER_OFF.split(/\s+/),
		logLevel: read.LOG_LEVEL,
		clocks: { ...CLOCKS, spotPoll: read.MAYFLY_SPOT_POLL_MS, claim: read.MAYFLY_CLAIM_TIMEOUT_MS, ...read.MAYFLY_CLOCKS },
		inherited: Object.fromEntries(inherited),
	};
}

/** Reads the environment. A problem names its variable and not the value. */
export function readConfig(env: Record<string, string | undefined>): ReadConfig {
	const result = v.safeParse(Environment, env);
	if (result.success) return { ok: true, config: toConfig(result.output, env) };
	const problems = result.issues.map((issue) => {
		const [name, ...path] = (v.getDotPath(issue) ?? "").split(".");
		const said = issue.message.startsWith("Invalid ")
			? issue.input === undefined
				? "is required"
				: `expected ${issue.expected}`
			: issue.message;
		return [name, ...path].join(".").concat(`: ${said}`);
	});
	return { ok: false, problems };
}
