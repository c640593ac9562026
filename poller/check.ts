// Looks after a job whose clock ran out: GitHub's word first, then whether its machine came to anything (DESIGN 4, 5).
import type { CheckItem } from "../contract/lease.ts";
import { isInterruption } from "../contract/observe.ts";
import { idsOf, machineIds } from "./log-ids.ts";
import type { OutcomeBody } from "./outcome.ts";
import type { Instance, Ports, Runner } from "./ports.ts";
import type { ReadRun } from "./read-runs.ts";
import { endMachine, scopeOf } from "./runners.ts";
import { tellMachines } from "./tell-machines.ts";
import { type RunReading, standingOf } from "./verify.ts";

export async function check(ports: Ports, item: CheckItem, read: ReadRun): Promise<OutcomeBody> {
	const reading = await read(item.job);
	await tellRun(ports, item, reading);
	const standing = standingOf(reading, item.job.id, ports.now());
	if (!standing.queued) return isSame(item, standing.settle) ? { outcome: "extend" } : standing.settle;
	// A job that waited may be launched now; one that ran was taken back by GitHub, which the relay believes when it is read again.
	if (item.state !== "launched") return { outcome: "notQueued", status: "queued", conclusion: null, runnerName: null };
	return checkMachine(ports, item, standing.run.repository);
}

/** GitHub says what the ledger knows. */
function isSame({ state, machine }: CheckItem, body: OutcomeBody): boolean {
	if (body.outcome !== "notQueued") return false;
	if (state === "running") return body.status === "in_progress" && body.runnerName === machine?.runnerName;
	return state === "waiting" && ["waiting", "pending", "requested"].includes(body.status);
}

/** The end of a run is what a rerun waits for. */
async function tellRun({ relay, log }: Ports, item: CheckItem, reading: RunReading): Promise<void> {
	if (reading.kind !== "read" || reading.run.status !== "completed") return;
	const { id, attempt, status, conclusion } = reading.run;
	const facts = { jobs: [], runs: [{ id, attempt, status, conclusion }], machines: [], complete: false };
	await relay.observe(facts).catch((error: unknown) => log.warn({ ...idsOf(item), error: String(error) }, "not observed"));
}

async function checkMachine(ports: Ports, item: CheckItem, repository: string): Promise<OutcomeBody> {
	const { job, machine } = item;
	if (!machine) return { outcome: "failed", reason: "no machine of it is known" };
	const scope = scopeOf(ports.config, { repository, installationId: job.installationId });
	const [[instance = null], runner] = await Promise.all([
		ports.ec2.instances([machine.instanceId]),
		ports.github.findRunner(scope, machine.runnerName),
	]);
	const reason = whyLost(instance, runner);
	if (reason === null) return { outcome: "extend" };
	const { instanceId, runnerName } = machine;
	if (instance && isInterruption(instance.stateReason)) await tellTaken(ports, item, instance);
	const about = { ...(instance && machineIds(instance)), ...idsOf(item) };
	const { kept } = await endMachine(ports, { instanceId, runnerName, scope, force: false, about });
	if (kept !== null) return { outcome: "extend" };
	return { outcome: "failed", reason: `${instanceId}: ${reason}` };
}

/** While the job still holds the machine: the spot breaker counts EC2's word by whose it is, and a sweep may come only after the settle. */
async function tellTaken(ports: Ports, item: CheckItem, instance: Instance): Promise<void> {
	const told = tellMachines(ports, [instance], false);
	await told.catch((error: unknown) => ports.log.warn({ ...idsOf(item), error: String(error) }, "not observed"));
}

/** Why a machine that was launched some time ago, and whose job still waits, will not run it; null if it may yet. Pure. */
export function whyLost(instance: Instance | null, runner: Runner | null): string | null {
	if (runner?.busy) return null;
	if (!instance) return "EC2 does not list it any more";
	if (instance.state !== "pending" && instance.state !== "running")
		return `EC2 says ${instance.state}, ${instance.stateReason ?? "no reason given"}`;
	if (runner?.online) return null;
	return runner ? "its runner never came online" : "its runner is not registered any more";
}
