// Tells systemd that the agent is alive, for as long as its event loop turns: WatchdogSec of its unit ends one that hangs or was stopped, and
// the machine goes off with it. The message is a datagram on a unix socket, which this runtime cannot send: systemd-notify does.

import type { Config } from "./config.ts";

const COMMAND = ["systemd-notify", "WATCHDOG=1"];
/** Speaks until the process ends. */
export function startWatchdog({ socket, pauseMs }: NonNullable<Config["watchdog"]>, path = "/usr/bin:/bin"): void {
	const speak = () => {
		try {
			Bun.spawn(COMMAND, { cwd: "/", env: { NOTIFY_SOCKET: socket, PATH: path }, stdio: ["ignore", "ignore", "ignore"] }).unref();
		} catch {
			// It is said again, or systemd ends us.
		}
	};
	setInterval(speak, pauseMs).unref();
}
