// The poller's settings.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { parsePollerConfig } from "../../poller/config.ts";

describe("settings", () => {
	const FULL = {
		...{
			RELAY_URL: "https://relay.example/",
			MAILBOX_URL: "https://b.s3.eu-west-1.amazonaws.com",
			CONFIG_KEY: "config/1.json",
			APP_ID: "1",
		},
		...{ SECRET_ID: "s", STACK: "mayfly", AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" },
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
				},
			},
		});
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
