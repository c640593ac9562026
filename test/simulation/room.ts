// Whether owners and repositories stay within the machines that they may have at a time.
import type { ResolvedConfig } from "../../contract/config.ts";
import { BOUNDS } from "./bounds.ts";
import type { Ec2Model } from "./ec2.ts";
import type { JobsModel } from "./jobs.ts";
import type { RelayModel } from "./relay.ts";
import type { Setting } from "./world.ts";

interface Models {
	jobs: JobsModel;
	ec2: Ec2Model;
	relay: RelayModel;
}

/** How many there are of each owner and of each of its repositories, by the repositories of all. */
function countsOf(repositories: readonly string[]): Map<string, number> {
	const names = repositories.map((it) => it.toLowerCase()).flatMap((it) => [it, it.split("/")[0] ?? ""]);
	return new Map([...Map.groupBy(names, (it) => it)].map(([name, { length }]) => [name, length]));
}

/** Each minute; gives how many machines beyond a cap there are at most, none if there is room. */
export function createRoomLook(
	{ broken }: Pick<Setting, "broken">,
	{ jobs, ec2, relay }: Models,
	{ owners }: Pick<ResolvedConfig, "owners">,
) {
	const owned = owners.map(({ name, ...caps }) => ({ owner: name.toLowerCase(), ...caps }));
	const capOf = (name: string) => {
		const found = owned.find(({ owner }) => owner === name.split("/")[0]);
		return (name.includes("/") ? found?.maxMachinesPerRepository : found?.maxMachines) ?? Number.POSITIVE_INFINITY;
	};
	/** Jobs that the ledger has granted a machine. */
	function granted(): string[] {
		return jobs.open().flatMap(({ id, runId }) => {
			const hasOne = ["launching", "launched", "running"].includes(relay.record(id)?.state ?? "");
			return hasOne ? (jobs.runs.get(runId)?.repository ?? []) : [];
		});
	}
	return (): number => {
		// One that has done its job is about to be off, and its place is given to the next.
		const busy = ec2.alive().filter(({ served }) => !served);
		const machines = countsOf(busy.map(({ tags }) => tags["mayfly:repository"] ?? ""));
		let over = 0;
		for (const [name, count] of machines) {
			over = Math.max(over, count - capOf(name));
			if (count > capOf(name) + BOUNDS.over) broken(`${count} machines of ${name} are alive, and it may have ${capOf(name)}`);
		}
		if (over === 0) return over;
		for (const [name, count] of countsOf(granted())) {
			if (count > capOf(name) + BOUNDS.granted) broken(`${count} jobs of ${name} were granted machines, and it may have ${capOf(name)}`);
		}
		return over;
	};
}
