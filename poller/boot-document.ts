// All that one machine is told (DESIGN 6). Pure.
import { type BootDocument, recordKey } from "../contract/boot.ts";
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
}

/** A report may come a little after the machine should be off. */
const TOKEN_SLACK_MS = 15 * 60_000;

export function bootDocument({ candidate, instance, jitConfig, runnerName, launchedAt, machines }: BootFacts): BootDocument {
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
		runner: null,
		sshKeys: request.ssh ? tier.sshKeys : [],
		timestamps: { queuedAt: item.queuedAt, receivedAt: item.receivedAt, leasedAt: item.leasedAt, launchedAt },
		machine: { type: instance.type, zone: instance.zone, market: instance.market, image: request.image },
	};
}
