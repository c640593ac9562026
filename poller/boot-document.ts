// All that one machine is told (DESIGN 6). Pure.
import { type BootDocument, recordKey } from "../contract/boot.ts";
import type { ResolvedConfig } from "../contract/config.ts";
import type { Candidate } from "./plan.ts";
import type { Instance } from "./ports.ts";
import { reportToken } from "./report-token.ts";

export interface BootFacts {
	candidate: Candidate;
	instance: Instance & { privateIp: string };
	jitConfig: string;
	runnerName: string;
	/** When the launch was made, epoch ms. */
	launchedAt: number;
	machines: { reportUrl: string; reportKey: string; mailboxUrl: string };
	/** The oldest runner that machines may use. */
	runner: ResolvedConfig["runner"];
}

/** A report may come a little after the machine should be off. */
const TOKEN_SLACK_MS = 15 * 60_000;

/** Where a machine finds the runner that it may have to take instead of its image's: `dist/` is for all machines to read. */
function runnerFor({ admitted }: Candidate, runner: BootFacts["runner"], mailboxUrl: string): BootDocument["runner"] {
	const { arch } = admitted.request;
	const sha256 = runner?.sha256[arch] ?? null;
	if (runner === null || sha256 === null) return null;
	const { version } = runner;
	return { version, sha256, url: `${mailboxUrl}/dist/actions-runner-linux-${arch}-${version}.tar.gz` };
}

export function bootDocument({ candidate, instance, jitConfig, runnerName, launchedAt, machines, runner }: BootFacts): BootDocument {
	const { item, run, admitted } = candidate;
	const { tier, request } = admitted;
	const deadline = launchedAt + tier.limits.boot + tier.limits.maxJob;
	const expiry = Math.ceil((deadline + TOKEN_SLACK_MS) / 1000);
	return {
		...{ version: 1, instanceId: instance.instanceId, jobId: item.job.id, jitConfig, runnerName },
		report: { url: machines.reportUrl, token: reportToken(machines.reportKey, instance.instanceId, expiry) },
		recordUrl: `${machines.mailboxUrl}/${recordKey(instance.privateIp, instance.instanceId)}`,
		grant: {
			...{ tier: tier.kind, jobId: item.job.id, runId: item.job.runId, repository: run.repository },
			...{ repositoryId: run.repositoryId, rule: tier.allow, notAfter: deadline },
			// A token that another machine's job had is for that machine.
			oidc: candidate.oidc && { ...candidate.oidc, audience: `${candidate.oidc.audience}:${instance.instanceId}` },
		},
		limits: {
			...{ idle: tier.limits.idle, maxJob: tier.limits.maxJob, deadline, linger: tier.limits.linger },
			hold: request.debug ? tier.limits.debug : 0,
		},
		runner: runnerFor(candidate, runner, machines.mailboxUrl),
		sshKeys: request.ssh ? tier.sshKeys : [],
		timestamps: { queuedAt: item.queuedAt, receivedAt: item.receivedAt, leasedAt: item.leasedAt, launchedAt },
		machine: { type: instance.type, zone: instance.zone, market: instance.market, image: request.image },
	};
}
