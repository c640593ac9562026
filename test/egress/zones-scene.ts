// What the tests of two zones do over and over: read what came to CloudWatch, publish lists, ask for something from behind a gateway.
import { expect } from "bun:test";
import type { EgressDocument } from "../../contract/egress.ts";
import { eventually } from "./scene.ts";
import { DOCUMENT, GATEWAYS, type ZonesLab } from "./zones-lab.ts";

export type Line = Record<string, unknown>;
type Group = "proxy" | "gateway";

const has = (match: Line) => (line: Line) => Object.entries(match).every(([key, value]) => line[key] === value);

export const withHosts = (...hosts: string[]): EgressDocument => ({
	...DOCUMENT,
	lists: DOCUMENT.lists.map((list) => ({ ...list, hosts })),
});

export function createScene(lab: ZonesLab) {
	const lines = (group: Group) => lab.messages(group).flatMap((text) => (text.startsWith("{") ? [JSON.parse(text) as Line] : []));
	/** The newest line of a log group that came after so many. */
	const logged = (group: Group, match: Line, after = 0) => eventually(() => lines(group).slice(after).findLast(has(match)), 400, 100);
	const count = (group: Group) => lines(group).length;
	return {
		...{ lines, logged, count },
		/** Until both gateways have them. */
		async publish(document: EgressDocument): Promise<void> {
			const before = count("gateway");
			lab.publish(JSON.stringify(document));
			for (const instanceId of Object.values(GATEWAYS)) await logged("gateway", { event: "lists-installed", instanceId }, before);
		},
		/** What a runner is answered; empty if nothing. */
		passes: async (url: string, from: "ra" | "rb" = "ra") => (await lab.curl(from, url)).stdout.trim(),
		async isCut(url: string, ...args: string[]): Promise<void> {
			const before = lab.reached.length;
			const { stdout, status } = await lab.curl("ra", url, "--max-time", "2", ...args);
			expect([stdout, status === 0]).toEqual(["", false]);
			expect(lab.reached.slice(before)).toEqual([]);
		},
	};
}
