// Our check of a delivery's signature, held against Octokit's: it checks the bytes themselves and imports each key once.
import { describe, expect, test } from "bun:test";
import { sign, verify, verifyWithFallback } from "@octokit/webhooks-methods";
import fc from "fast-check";
import { isSigned } from "../../relay/webhook.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const secret = fc.string({ minLength: 1, maxLength: 64 });
const body = fc.string({ minLength: 1, maxLength: 2000, unit: "grapheme" });

describe("a signature", () => {
	test("made by Octokit holds here, for the secret or for the previous one, and for no other", async () => {
		const run = async (text: string, ours: string, previous: string, other: string) => {
			const signature = await sign(ours, text);
			expect(await isSigned(bytesOf(text), signature, [ours])).toBe(true);
			expect(await isSigned(bytesOf(text), signature, [previous, ours])).toBe(true);
			expect(await isSigned(bytesOf(text), signature, [other])).toBe(await verify(other, text, signature));
			expect(await isSigned(bytesOf(text), signature, [other, previous])).toBe(
				await verifyWithFallback(other, text, signature, [previous]),
			);
		};
		await fc.assert(fc.asyncProperty(body, secret, secret, secret, run), { numRuns: 200 });
	});

	test("of another body does not hold here where it does not hold for Octokit", async () => {
		const run = async (text: string, other: string) => {
			const signature = await sign("the secret", text);
			expect(await isSigned(bytesOf(other), signature, ["the secret"])).toBe(await verify("the secret", other, signature));
		};
		await fc.assert(fc.asyncProperty(body, body, run), { numRuns: 200 });
	});
});
