// What the tests of a gateway that enforces ask of the lab: that something passes or is cut, and what the log says of it.
import { expect } from "bun:test";
import type { From, Lab } from "./lab.ts";
import { eventually } from "./scene.ts";

type Line = Record<string, unknown>;
interface At {
	to?: string;
	args?: string[];
}

export function createChecks(lab: Lab) {
	const matches = (match: Line) => (line: Line) => Object.entries(match).every(([key, value]) => line[key] === value);
	return {
		/** HAProxy's newest line of this kind, of those after so many. */
		logged: (match: Line, after = 0) => eventually(() => lab.log().slice(after).findLast(matches(match))),
		/** nftables' newest line that has all these words. */
		dropped: (...words: string[]) =>
			eventually(() => lab.kernelLog().findLast((line) => words.every((word) => `${line} `.includes(`${word} `)))),
		async passes(from: From, url: string, at: At = {}): Promise<string> {
			const { stdout, stderr } = await lab.curl(from, url, at);
			expect(stderr).toBe("");
			return stdout.trim();
		},
		/** Nothing comes back, and nothing of it reaches the internet. */
		async isCut(from: From, url: string, at: At = {}): Promise<void> {
			const before = lab.reached.length;
			const { stdout, status } = await lab.curl(from, url, at);
			expect([stdout, status === 0]).toEqual(["", false]);
			await Bun.sleep(50);
			expect(lab.reached.slice(before)).toEqual([]);
		},
		/** A shell of the runner's. */
		shell: async (script: string) => (await lab.exec("run", "bash", "-c", script)).stdout.trim(),
	};
}
