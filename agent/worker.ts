// Looks for the runner's worker: a Listener can take a job and never start one (FACTS 1.10). Touches /proc.
import { readdirSync, readFileSync } from "node:fs";

/** The process's name, as the kernel keeps it. */
const WORKER = "Runner.Worker";

/** Whether any process of this machine is a worker. One that ends meanwhile is none. */
export function isWorkerThere(proc = "/proc"): boolean {
	return readdirSync(proc)
		.filter((name) => /^\d+$/.test(name))
		.some((pid) => {
			try {
				return readFileSync(`${proc}/${pid}/comm`, "utf8").trimEnd() === WORKER;
			} catch {
				return false;
			}
		});
}
