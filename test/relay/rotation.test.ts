// Every secret is replaced without a gap: the new one beside the old one, then alone, the relay started again each time.
import { describe, expect, test } from "bun:test";
import { parseConfig } from "../../relay/config.ts";
import { instanceId } from "./ledger-rows.ts";
import { OWNERS, payloadOf, type RelayUnderTest, relayUnderTest, reportToken, SECRETS, sign } from "./relay-under-test.ts";

type Name = keyof typeof SECRETS;

const fresh = (name: Name) => `new-${name}-9876543210fedcba9876543210`;
let jobs = 0;

/** The status of a call made with a secret. */
const CALLS: Record<Name, (relay: RelayUnderTest, secret: string) => Promise<Response>> = {
	WEBHOOK_SECRET: (relay, secret) => {
		const body = JSON.stringify(payloadOf(++jobs, "queued"));
		return relay.webhook(body, { "x-hub-signature-256": sign(body, secret) });
	},
	POLLER_TOKEN: (relay, secret) =>
		relay.call("/lease", relay.bearer(secret, { session: "s", requestId: `rotation-${++jobs}`, max: 1, waitSeconds: 0 })),
	OPERATOR_TOKEN: (relay, secret) => relay.call("/jobs", relay.bearer(secret)),
	REPORT_KEY: (relay, secret) => relay.report(instanceId(1), {}, reportToken(instanceId(1), 3600, secret)),
};

describe("rotation", () => {
	for (const name of Object.keys(CALLS) as Name[])
		test(`${name}: the old one works until it is taken away, the new one from its first day`, async () => {
			await using relay = await relayUnderTest();
			const isTaken = async (secret: string) => (await CALLS[name](relay, secret)).status < 300;
			const both = async () => [await isTaken(SECRETS[name]), await isTaken(fresh(name))];
			expect(await both()).toEqual([true, false]);
			await relay.kill("SIGTERM");
			await relay.restart({ [name]: fresh(name), [`${name}_PREVIOUS`]: SECRETS[name] });
			expect(await both()).toEqual([true, true]);
			await relay.kill("SIGTERM");
			await relay.restart({ [name]: fresh(name) });
			expect(await both()).toEqual([false, true]);
		});
});

describe("a secret that protects nothing", () => {
	const problemsOf = (vars: Record<string, unknown>) => {
		const read = parseConfig({ ...SECRETS, OWNERS, ...vars });
		return read.ok ? [] : read.problems;
	};
	for (const name of Object.keys(SECRETS) as Name[])
		for (const variable of [name, `${name}_PREVIOUS`])
			test(`in ${variable} is named, without its value`, () => {
				const other = name === "REPORT_KEY" ? "POLLER_TOKEN" : "REPORT_KEY";
				const weak = {
					"shorter than 32 characters": "0123456789abcdef0123456789abcde",
					"made of fewer than 8 different characters": "abcabcabcabcabcabcabcabcabcabcabcabc",
					[`the same as ${name === "REPORT_KEY" ? "POLLER_TOKEN" : name}`]: SECRETS[other],
				};
				for (const [why, value] of Object.entries(weak)) {
					const [problem, ...more] = problemsOf({ [variable]: value });
					expect(more).toEqual([]);
					expect(problem).toContain(`is weak: ${why}`);
					expect(problem).not.toContain(value);
				}
			});

	test("is one that is missing, blank or no text at all", () => {
		for (const name of Object.keys(SECRETS))
			for (const value of ["", "   ".repeat(20), undefined, 12345678, { text: "x" }])
				expect(problemsOf({ [name]: value })).toEqual([`${name} is missing`]);
	});

	test("is named with all the others at once", () => {
		expect(problemsOf({ WEBHOOK_SECRET: "", POLLER_TOKEN: "short", OWNERS: "" })).toHaveLength(3);
	});
});
