// Whether a machine did as it must. Pure.
import { FAULTS, type Fault, type FaultName } from "./faults.ts";
import type { Seen } from "./scene.ts";

export interface Verdict {
	/** Empty: it did. */
	problems: string[];
	/** The lines of assertions.sh. */
	checks: string[];
}

/** What every machine says on its console once its power is off. */
const POWER_DOWN = /reboot: Power down/;

function judgeJob({ machine, conclusion, record, reason }: Seen, checks: string[]): string[] {
	const problems: string[] = checks.filter((line) => line.startsWith("not ok"));
	if (checks.length === 0) problems.push("the job's checks said nothing");
	if (machine.asked === null) problems.push("IMDS was never asked");
	if (machine.claimed === null) problems.push("the boot document was never claimed");
	if (conclusion !== "success") problems.push(`the job ended with ${conclusion}`);
	const { bootMs, imdsMs, claimMs, launchMs, jobMs } = record?.measurements ?? {};
	if ([bootMs, imdsMs, claimMs, launchMs, jobMs].some((it) => typeof it !== "number")) problems.push("its timings are not whole");
	if (reason !== "Client.InstanceInitiatedShutdown") problems.push(`EC2 says that it ended by ${reason}`);
	return problems;
}

function judgeFault({ endedBy, withinMs, script, isForgotten, files }: Fault, seen: Seen): string[] {
	const { machine, saidAt, reason } = seen;
	const problems: string[] = [];
	if (script !== undefined && saidAt === null) problems.push("the fault never came");
	if (isForgotten && (machine.asked === null || machine.claimed !== null)) problems.push("it was not the mailbox that kept it waiting");
	if (files !== undefined && machine.asked !== null) problems.push("the agent ran");
	const offAfter = (machine.offAfterMs ?? Number.POSITIVE_INFINITY) - (saidAt ?? 0);
	if (offAfter > withinMs) problems.push(`it was off ${Math.round(offAfter / 1000)} s later, which is over ${withinMs / 1000} s`);
	const wanted = endedBy === "machine" ? "Client.InstanceInitiatedShutdown" : "Client.UserInitiatedShutdown";
	if (reason !== wanted) problems.push(`EC2 says that it ended by ${reason}, not by ${wanted}`);
	return problems;
}

export function judge(fault: FaultName | null, seen: Seen): Verdict {
	const checks = seen.log.filter((line) => /^(not )?ok: /.test(line));
	const problems = fault === null ? judgeJob(seen, checks) : judgeFault(FAULTS[fault], seen);
	const wentDown = POWER_DOWN.test(seen.console) || seen.machine.shutdown === "guest-shutdown";
	const mustGoDown = fault === null || FAULTS[fault].endedBy === "machine";
	if (mustGoDown && !wentDown) problems.push("it did not power itself off");
	if (!mustGoDown && wentDown) problems.push("it powered itself off: the fault was none");
	return { problems, checks };
}
