// The gateway's settings: the instance's user data, over which the environment goes. A config, or every problem with the name of its variable. Pure.
import * as v from "valibot";

export interface Config {
	stack: string;
	region: string;
	zone: string;
	/** Zones in the order of the ring, each with its route table. */
	routeTables: Record<string, string>;
	mailboxUrl: string;
	/** Where the proxy's lines and the firewall's go. */
	logGroup: string;
	/** Where this program's own go. */
	ownLogGroup: string;
	/** Null: AWS's own for the region. */
	ec2Url: string | null;
	logsUrl: string;
	/** The VPC's, which DNS Firewall answers for. */
	resolver: string;
	/** Holds what is installed. */
	folder: string;
	haproxyUser: string;
	connections: number;
	/** Has HAProxy read its files again, or starts it. */
	reload: string[];
	syslogPort: number;
	pollMs: number;
}
export type ReadConfig = { ok: true; config: Config } | { ok: false; problems: string[] };
type Variables = Record<string, string | undefined>;

const Url = v.pipe(
	v.string("is required"),
	v.regex(/^https?:\/\/[^/]/, "is not an http(s) URL"),
	v.transform((url) => url.replace(/\/+$/, "")),
);
const Required = v.pipe(v.string("is required"), v.minLength(1, "is empty"));
const Zone = v.pipe(v.string("is required"), v.regex(/^[a-z0-9-]{1,64}$/, "is no availability zone"));
const Number_ = v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,8}$/, "is not a positive number"), v.transform(Number));
const RouteTables = v.pipe(
	v.string("is required"),
	v.regex(/^[a-z0-9-]+=rtb-[0-9a-z]+(,[a-z0-9-]+=rtb-[0-9a-z]+)*$/, "is not zone=rtb-… pairs with commas between them"),
	v.transform((text) => Object.fromEntries(text.split(",").map((pair) => pair.split("=") as [string, string]))),
);

const Variables_ = v.object({
	MAYFLY_STACK: Required,
	MAYFLY_REGION: v.pipe(v.string("is required"), v.regex(/^[a-z0-9-]{1,32}$/, "is no region")),
	MAYFLY_ZONE: Zone,
	MAYFLY_ROUTE_TABLES: RouteTables,
	MAYFLY_MAILBOX_URL: Url,
	MAYFLY_LOG_GROUP: Required,
	MAYFLY_OWN_LOG_GROUP: v.optional(Required),
	MAYFLY_EC2_URL: v.optional(Url),
	MAYFLY_LOGS_URL: v.optional(Url),
	MAYFLY_RESOLVER: v.optional(v.pipe(v.string(), v.regex(/^[0-9.]+:[0-9]+$/, "is not address:port")), "169.254.169.253:53"),
	MAYFLY_FOLDER: v.optional(v.pipe(v.string(), v.regex(/^\/[^\s]*$/, "is not an absolute path")), "/var/lib/mayfly-gateway"),
	MAYFLY_HAPROXY_USER: v.optional(v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]{0,31}$/, "is not a user name")), "haproxy"),
	MAYFLY_CONNECTIONS: v.optional(Number_, "20000"),
	MAYFLY_RELOAD: v.optional(v.pipe(v.string(), v.trim(), v.minLength(1, "is empty")), "systemctl reload-or-restart haproxy.service"),
	MAYFLY_SYSLOG_PORT: v.optional(Number_, "514"),
	MAYFLY_POLL_MS: v.optional(Number_, "15000"),
});

function toConfig(read: v.InferOutput<typeof Variables_>): Config {
	return {
		...{ stack: read.MAYFLY_STACK, region: read.MAYFLY_REGION, zone: read.MAYFLY_ZONE, routeTables: read.MAYFLY_ROUTE_TABLES },
		...{ mailboxUrl: read.MAYFLY_MAILBOX_URL, logGroup: read.MAYFLY_LOG_GROUP },
		ownLogGroup: read.MAYFLY_OWN_LOG_GROUP ?? `/mayfly/${read.MAYFLY_STACK}/gateway`,
		ec2Url: read.MAYFLY_EC2_URL ?? null,
		logsUrl: read.MAYFLY_LOGS_URL ?? `https://logs.${read.MAYFLY_REGION}.amazonaws.com`,
		...{ resolver: read.MAYFLY_RESOLVER, folder: read.MAYFLY_FOLDER, haproxyUser: read.MAYFLY_HAPROXY_USER },
		...{ connections: read.MAYFLY_CONNECTIONS, reload: read.MAYFLY_RELOAD.split(/\s+/) },
		...{ syslogPort: read.MAYFLY_SYSLOG_PORT, pollMs: read.MAYFLY_POLL_MS },
	};
}

/** `NAME=value` lines; others, such as empty ones and comments, say nothing. */
export function readUserData(text: string): Variables {
	return Object.fromEntries(
		text.split("\n").flatMap((line) => {
			const [, name, value] = /^\s*(MAYFLY_[A-Z0-9_]+)=(.*?)\s*$/.exec(line) ?? [];
			return name === undefined ? [] : [[name, value] as const];
		}),
	);
}

/** Reads the settings. A problem names its variable and not the value. */
export function readConfig(userData: string, env: Variables): ReadConfig {
	const result = v.safeParse(Variables_, { ...readUserData(userData), ...env });
	if (!result.success) return { ok: false, problems: result.issues.map((issue) => `${v.getDotPath(issue)}: ${saidOf(issue)}`) };
	const config = toConfig(result.output);
	if (Object.hasOwn(config.routeTables, config.zone)) return { ok: true, config };
	return { ok: false, problems: ["MAYFLY_ROUTE_TABLES: has no table for MAYFLY_ZONE"] };
}

function saidOf(issue: v.BaseIssue<unknown>): string {
	if (!issue.message.startsWith("Invalid ")) return issue.message;
	return issue.input === undefined ? "is required" : `expected ${issue.expected}`;
}
