// Registrations whose machines are gone: deleted on second sight, in every place that can be looked at.
import { describe, expect, test } from "bun:test";
import { sweepGhosts } from "../../poller/ghosts.ts";
import { GitHubError } from "../../poller/github-error.ts";
import type { Instance, Ports, Runner } from "../../poller/ports.ts";
import { CONFIG, resolved } from "./poller-world.ts";

const config = resolved(CONFIG.replace("octo-org }", "octo-org, endpoint: repo }"));
const active = ["gone", "here"].map((name) => ({ repository: `octo-org/${name}`, installationId: 7 }));
const nameOf = (digit: number) => `mayfly-i-0123456789abcdef${digit}-1`;
const runner = (id: number, more: Partial<Runner> = {}) => ({ id, name: nameOf(id), online: false, busy: false, ...more });
const ALIVE = { instanceId: "i-0123456789abcdef4", state: "running" } as Instance;

/** Two looks, one after the other; gives the ids of the runners that were deleted in each. */
async function look(...runners: (Runner & { name: string })[]): Promise<number[][]> {
	const deleted: number[] = [];
	const ports = {
		...{ config, stack: "test", log: { info: () => undefined, warn: () => undefined } },
		ec2: { withTag: async () => [ALIVE] },
		github: {
			async runners({ repository }: { repository: string }) {
				if (repository.endsWith("gone")) throw new GitHubError("GET runners", 404, "Not Found", null);
				return runners;
			},
			deleteRunner: async (_: unknown, id: number) => void deleted.push(id),
		},
	} as unknown as Ports;
	const seen = await sweepGhosts(ports, active, new Set());
	const first = deleted.splice(0);
	await sweepGhosts(ports, active, seen);
	return [first, deleted];
}

describe("a registration without a machine", () => {
	test("is deleted when it is seen again, whatever other repositories answer", async () => {
		expect(await look(runner(1))).toEqual([[], [1]]);
	});

	test("is none that works, that is there, whose machine lives, or that is not ours", async () => {
		const others = [runner(2, { online: true }), runner(3, { busy: true }), runner(4), { ...runner(5), name: "a-person's" }];
		expect(await look(...others)).toEqual([[], []]);
	});
});
