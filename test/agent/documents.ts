// Boot documents for the tests' machine, and what they are made of.
import type { BootDocument } from "../../contract/boot.ts";

export const INSTANCE = "i-0abcdef1234567890";
export const PRIVATE_IP = "10.0.17.9";
export const REPOSITORY = "octo-org/octo-repo";

const base64 = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64");

/** In the encoding of FACTS 1.2, of a runner of this name. */
export function jitConfig(name: string): string {
	return base64({ ".runner": base64({ AgentId: 1, AgentName: name, Ephemeral: true }), ".credentials": base64({}) });
}

export function bootDocument(servers: { relay: string; mailbox: string }, over: Partial<BootDocument> = {}): BootDocument {
	const now = Date.now();
	return {
		...{ version: 1, instanceId: INSTANCE, jobId: 42, jitConfig: jitConfig(`mayfly-${INSTANCE}-1`), runnerName: `mayfly-${INSTANCE}-1` },
		report: { url: `${servers.relay}/report`, token: `${INSTANCE}.2000000000.${"0f".repeat(32)}` },
		recordUrl: `https://bucket.s3.eu-west-1.amazonaws.com/records/${PRIVATE_IP}/${INSTANCE}.json`,
		grant: {
			...{ tier: "build", jobId: 42, runId: 7, repository: REPOSITORY, repositoryId: null },
			...{ rule: { forks: true }, oidc: null, notAfter: now + 600_000 },
		},
		limits: { idle: 60_000, maxJob: 60_000, deadline: now + 600_000, hold: 0, linger: 50 },
		...{ runner: null, sshKeys: [] },
		timestamps: { queuedAt: now - 9000, receivedAt: now - 8000, leasedAt: now - 7900, launchedAt: now - 6000 },
		machine: { type: "m8g.xlarge", zone: "eu-west-1b", market: "spot", image: "ubuntu24-arm64" },
		...over,
	};
}
