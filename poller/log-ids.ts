// What a log line is about: the same names in every line, so that it joins with the logs of jobs, proxies, name servers and flows, by
// instance, private address and time (docs/watching.md). Pure.
import type { WorkItem } from "../contract/lease.ts";
import type { Instance } from "./ports.ts";

function known(ids: object): object {
	return Object.fromEntries(Object.entries(ids).filter(([, value]) => value !== undefined && value !== null));
}

/** The job, run and machine of a leased item, as far as it names them. */
export function idsOf(item: WorkItem): object {
	const { workId } = item;
	if (item.kind === "rerun") return { workId, runId: item.runId, repository: item.repository };
	const about = { workId, jobId: item.job?.id, runId: item.job?.runId, repository: item.job?.repository };
	if (item.kind === "terminate") return known({ ...about, instanceId: item.instanceId, runnerName: item.runnerName });
	if (item.kind === "check") return known({ ...about, instanceId: item.machine?.instanceId, privateIp: item.machine?.privateIp });
	return about;
}

/** A machine, and the job it was made for once it has its tags. Times are epoch ms. */
export function machineIds({ instanceId, privateIp, launchedAt, tags }: Instance): object {
	const numberIn = (tag: string) => Number(tags[tag]) || null;
	return known({ jobId: numberIn("mayfly:job"), runId: numberIn("mayfly:run"), instanceId, privateIp, launchedAt });
}
