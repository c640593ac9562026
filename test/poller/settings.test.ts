// The poller's settings.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { parsePollerConfig } from "../../poller/config.ts";

const TEMPLATE = { id: "lt-1", version: "1" };
const STACK = JSON.stringify({
	...{ stack: "mayfly", launchTemplates: { x64: TEMPLATE, arm64: TEMPLATE } },
	subnets: [
		{ id: "subnet-1", zone: "eu-west-1a", tier: "build" },
		{ id: "subnet-2", zone: "eu-west-1a" },
	],
});

describe("settings", () => {
	const FULL = {
		...{
			RELAY_URL: "https://relay.example/",
			MAILBOX_URL: "https://b.s3.eu-west-1.amazonaws.com",
			CONFIG_KEY: "config/1.json",
			APP_ID: "1",
		},
		...{ SECRET_ID: "s", INFRASTRUCTURE: STACK, AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" },
	};
	test("what is not set has a default", () => {
		expect(parsePollerConfig(FULL)).toMatchObject({
			ok: true,
			config: {
				...{ relayUrl: "https://relay.example", reportUrl: "https://relay.example/report", githubApiUrl: "https://api.github.com" },
				...{
					mailboxBootUrl: FULL.MAILBOX_URL,
					secretsUrl: "https://secretsmanager.eu-west-1.amazonaws.com",
					sweepMs: 60_000,
					logLevel: "info",
					infrastructure: { stack: "mayfly", subnets: [{ tier: "build" }, { tier: null }], images: null },
				},
			},
		});
	});
	const stackWith = (over: object) => JSON.stringify({ ...JSON.parse(STACK), ...over });
	test.each<[string, string, string[]]>([
		["nothing", "", ["INFRASTRUCTURE is missing"]],
		["no JSON", "{", ["INFRASTRUCTURE: not JSON"]],
		["no object", "null", ["INFRASTRUCTURE: body: expected Object"]],
		["no stack's name", stackWith({ stack: "-" }), ["INFRASTRUCTURE: stack: not a stack name"]],
		["no subnet", stackWith({ subnets: [] }), ["INFRASTRUCTURE: subnets: there is no subnet"]],
		[
			"much that is wrong",
			stackWith({ subnets: [{ id: 1, zone: "z", tier: 2 }], images: { x64: "ami-secret" } }),
			[
				"INFRASTRUCTURE: subnets.0.id: expected string",
				"INFRASTRUCTURE: subnets.0.tier: expected string",
				'INFRASTRUCTURE: images.arm64: expected "arm64"',
			],
		],
	])("%s as INFRASTRUCTURE is refused with every problem", (_, INFRASTRUCTURE, problems) => {
		expect(parsePollerConfig({ ...FULL, INFRASTRUCTURE })).toEqual({ ok: false, problems });
	});
	test("every problem is named at once, without its value", () => {
		const parsed = parsePollerConfig({ ...FULL, RELAY_URL: "ftp://secret", APP_ID: "", LOG_LEVEL: "loud", SWEEP_MS: "soon" });
		expect(parsed).toEqual({
			ok: false,
			problems: [
				"RELAY_URL is not an http(s) URL",
				"LOG_LEVEL is none of trace, debug, info, warn, error, fatal, silent",
				"SWEEP_MS is not a number of milliseconds",
				"APP_ID is missing",
			],
		});
	});
	test("no environment makes it throw", () => {
		fc.assert(
			fc.property(fc.dictionary(fc.constantFrom(...Object.keys(FULL), "REPORT_URL", "LOG_LEVEL", "SWEEP_MS"), fc.string()), (env) => {
				parsePollerConfig(env);
			}),
		);
	});
});
