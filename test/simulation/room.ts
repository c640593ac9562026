// Whether owners and repositories stay within the machines that they may have at a time: counted at EC2, not in the ledger's own books.
import type { ResolvedConfig } from "../../contract/config.ts";
import { BOUNDS } from "./bounds.ts";
import type { Ec2Model, Machine } from "./ec2.ts";
import type { Setting } from "./world.ts";

const repositoryOf = ({ tags }: Machine) => (tags["mayfly:repository"] ?? "").toLowerCase();

/** Each minute; gives how many machines beyond a cap there are at most, below zero if there is room. */
export function createRoomLook({ broken }: Pick<Setting, "broken">, ec2: Ec2Model, { owners }: Pick<ResolvedConfig, "owners">) {
	return (): number => {
		// One that has done its job is about to be off, and its place is given to the next.
		const busy = ec2.alive().filter(({ served }) => !served);
		const most = new Map<string, { cap: number | null; machines: number }>();
		for (const { name, maxMachines, maxMachinesPerRepository } of owners) {
			const its = busy.map(repositoryOf).filter((repository) => repository.startsWith(`${name.toLowerCase()}/`));
			most.set(name, { cap: maxMachines, machines: its.length });
			for (const [repository, { length: machines }] of Map.groupBy(its, (it) => it))
				most.set(repository, { cap: maxMachinesPerRepository, machines });
		}
		let over = Number.NEGATIVE_INFINITY;
		for (const [whose, { cap, machines }] of most) {
			if (cap === null) continue;
			over = Math.max(over, machines - cap);
			if (machines > cap + BOUNDS.over) broken(`${whose} has ${machines} machines, and may have ${cap}`);
		}
		return over;
	};
}
