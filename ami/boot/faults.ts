// What can go wrong in a machine, each as what its job does or what its disk lacks, and who must end it. Pure.

export interface Fault {
	/** One line for people. */
	says: string;
	/** What the job runs; it never ends by itself. */
	script?: string;
	/** Lines of a drop-in of the agent's unit: limits that production has as well, only longer. */
	unit?: string[];
	/** What of the disk is otherwise. */
	files?: Record<string, string | null>;
	/** The mailbox never has a document for the machine. */
	isForgotten?: boolean;
	/** Limits of mayfly.yml. */
	maxJob?: string;
	/** Overrides of the relay's clocks, ms. */
	clocks?: Record<string, number>;
	/** `machine`: it powers itself off. `outside`: it cannot, and the poller terminates it. */
	endedBy: "machine" | "outside";
	/** From when the job says so, or from the boot without a job: off by then, ms. What the settings come to, and as much again for a slow host. */
	withinMs: number;
}

const FOREVER = "sleep 100000";
/** The step's last line before the fault: its limit counts from there. */
export const NOW = "the fault is now";
const SAY = `echo "${NOW}"; sleep 1`;

const MASKED = [
	"set +e",
	"sudo systemctl stop mayfly-deadline.timer",
	"sudo rm -f /etc/systemd/system/mayfly-deadline.*",
	"sudo systemctl mask poweroff.target reboot.target halt.target systemd-poweroff.service systemd-halt.service systemd-reboot.service",
	"for name in poweroff reboot halt shutdown; do sudo ln -sf /bin/true /usr/sbin/$name; done",
	"sudo sed -i -e '/Action=/d' -e '/WatchdogSec=/d' -e '/RuntimeMaxSec=/d' /etc/systemd/system/mayfly-agent.service",
	"sudo systemctl mask systemd-exit.service",
	"sudo systemctl daemon-reload",
	"sudo mv /usr/bin/systemctl /usr/bin/systemctl.gone",
	"sudo pkill -STOP -x mayfly-agent",
].join("\n");

export const FAULTS = {
	"agent-killed": {
		says: "a job with sudo kills the agent",
		script: `${SAY}; sudo pkill -KILL -x mayfly-agent; ${FOREVER}`,
		endedBy: "machine",
		withinMs: 60_000,
	},
	"agent-stopped": {
		says: "a job with sudo stops the agent, which then says nothing any more",
		script: `${SAY}; sudo pkill -STOP -x mayfly-agent; ${FOREVER}`,
		unit: ["WatchdogSec=40"],
		endedBy: "machine",
		withinMs: 150_000,
	},
	"agent-corrupted": {
		says: "the agent's file is not a program any more",
		files: { "/usr/local/bin/mayfly-agent": "\0\0\0\0\0\0\0\0" },
		endedBy: "machine",
		withinMs: 120_000,
	},
	"mailbox-empty": {
		says: "no boot document ever comes",
		isForgotten: true,
		unit: ["Environment=MAYFLY_CLAIM_TIMEOUT_MS=20000"],
		endedBy: "machine",
		withinMs: 150_000,
	},
	"disk-full": {
		says: "a job fills the disk and goes on",
		script: `set +e; sudo fallocate -l "$(($(df --output=avail -B1M / | tail -1) + 40))M" /fill 2>/dev/null; sudo dd if=/dev/zero of=/fill2 bs=1M count=200 2>/dev/null; df -m / ; ${SAY}; ${FOREVER}`,
		maxJob: "45s",
		endedBy: "machine",
		withinMs: 180_000,
	},
	"fork-bomb": {
		says: "a job starts processes without end",
		script: `${SAY}; bomb() { bomb | bomb & }; bomb; ${FOREVER}`,
		maxJob: "30s",
		unit: ["WatchdogSec=40"],
		endedBy: "machine",
		withinMs: 180_000,
	},
	"power-off-masked": {
		says: "a job with sudo masks the deadline and power-off and stops the agent: nothing inside can end the machine",
		script: `${MASKED}\n${SAY}; ${FOREVER}`,
		clocks: { hardLimit: 100_000 },
		endedBy: "outside",
		withinMs: 240_000,
	},
} satisfies Record<string, Fault>;
export type FaultName = keyof typeof FAULTS;
