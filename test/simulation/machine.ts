// A model of the agent on one machine: boots, waits for its document, starts its runner, runs one job, is off.
import { type BootDocument, bootKey } from "../../contract/boot.ts";
import type { ReportPhase } from "../../contract/report.ts";
import type { Ec2Model, Machine } from "./ec2.ts";
import type { GitHubModel, SimRunner } from "./github.ts";
import type { Setting } from "./world.ts";

export interface MailboxModel {
	take(key: string): BootDocument | null;
	/** Calls once when there is something under a key. */
	when(key: string, call: () => void): void;
}
export interface MachineWorld {
	github: GitHubModel;
	ec2: () => Ec2Model;
	mailbox: MailboxModel;
	report(instanceId: string, jobId: number, phase: ReportPhase, sequence: number): void;
}

/** The launch template's deadline for a machine that never got a document. */
const UNCLAIMED_MS = 10 * 60_000;

/** Starts the life of a machine; it goes on until EC2 or the agent ends it. */
export function bootMachine(setting: Setting, world: MachineWorld, machine: Machine): void {
	const { clock, dice, faults, tell } = setting;
	const { instanceId, privateIp } = machine;
	const key = bootKey(privateIp, instanceId);
	const isAlive = () => machine.endedAt === null;
	let runner: SimRunner | null = null;
	let sequence = 0;
	let jobId = 0;
	const report = (phase: ReportPhase) => world.report(instanceId, jobId, phase, ++sequence);
	const off = (reason: string) => {
		if (!isAlive()) return;
		report("off");
		tell("agent", `${instanceId} switches itself off: ${reason}`);
		world.ec2().end(instanceId, "Client.InstanceInitiatedShutdown");
	};
	const later = (ms: number, call: () => void) => void clock.after(ms, () => isAlive() && call());
	machine.onEnd = () => {
		if (runner) world.github.lost(runner);
	};
	if (dice.chance(faults.now.bootFails)) {
		tell("agent", `${instanceId} never boots`);
		return;
	}

	function claim(): void {
		const document = world.mailbox.take(key);
		if (!document) return;
		jobId = document.jobId;
		report("claimed");
		later(document.limits.deadline - clock.now(), () => off("deadline"));
		later(500 + dice.below(3000), () => listen(document));
	}

	function listen({ jitConfig, limits }: BootDocument): void {
		if (dice.chance(faults.now.runnerHangs)) {
			tell("agent", `the runner of ${instanceId} hangs`);
			return;
		}
		runner = world.github.connect(jitConfig, (job) => {
			report("running");
			later(job.duration, () => {
				if (!runner) return;
				world.github.finished(runner, dice.chance(0.1) ? "failure" : "success");
				runner = null;
				machine.served = true;
				report("finished");
				later(limits.linger, () => off("its job is done"));
			});
		});
		if (!runner) {
			off("its registration is gone");
			return;
		}
		report("listening");
		watchIdle(limits.idle);
	}

	function watchIdle(ms: number): void {
		later(ms, () => {
			if (!runner) return;
			if (runner.job) return watchIdle(ms);
			report("idle");
			off("idle");
		});
	}

	later(8000 + dice.below(20_000), () => {
		world.mailbox.when(key, () => isAlive() && claim());
		later(UNCLAIMED_MS, () => sequence === 0 && off("no document came"));
	});
}
