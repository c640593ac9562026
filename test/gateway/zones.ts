// Gateways of a stack by a simulated clock: each looks by gateway/sight.ts and decides by take-over.ts; EC2, their machines and their network are here.
import { firstSight, looked, moved, type Peer, type Routes, type Sight, STEP_MS, told, wantsTold } from "../../gateway/sight.ts";
import { decide } from "../../gateway/take-over.ts";
import type { Dice } from "../dice.ts";

export interface Machine extends Peer {
	/** EC2 lists it. */
	isRunning: boolean;
	/** Its HAProxy answers. */
	proxies: boolean;
	/** Its own program does its steps. */
	steps: boolean;
	/** AWS answers it. */
	hasWayOut: boolean;
	sight: Sight;
	stepsAt: number;
}
export interface Moved {
	at: number;
	zone: string;
	by: string;
	reason: string;
}

export function createZones(zones: readonly string[], dice: Dice) {
	let now = 1_000_000;
	let count = 0;
	const machines: Machine[] = [];
	const routes: Routes = {};
	const moves: Moved[] = [];
	/** Pairs that cannot reach each other. */
	const cut = new Set<string>();
	const pair = (one: string, other: string) => [one, other].toSorted().join(" ");

	function add(zone: string): Machine {
		const instanceId = `i-${zone}${++count}`;
		const machine = {
			...{ instanceId, zone, privateIp: `10.0.0.${count}`, launchedAt: now },
			...{ isRunning: true, proxies: true, steps: true, hasWayOut: true },
			...{ sight: firstSight(instanceId, zone, zones), stepsAt: now + dice.below(STEP_MS) },
		};
		machines.push(machine);
		return machine;
	}
	for (const zone of zones) routes[zone] = add(zone).instanceId;

	const isWell = (machine: Machine) => machine.isRunning && machine.proxies;
	const listed = (): Peer[] => machines.filter(({ isRunning }) => isRunning);
	/** Now and then EC2 answers as things were some seconds ago. */
	const history: { until: number; routes: Routes }[] = [];
	const read = (): Routes => {
		const older = history.find(({ until }) => until > now - 4000);
		return { ...(older && dice.below(4) === 0 ? older.routes : routes) };
	};

	function step(machine: Machine): void {
		const { instanceId: me } = machine;
		const answers = Object.fromEntries(
			machine.sight.peers
				.filter(({ instanceId }) => instanceId !== me)
				.map(({ instanceId }) => {
					const other = machines.find((one) => one.instanceId === instanceId);
					return [instanceId, other !== undefined && isWell(other) && !cut.has(pair(me, instanceId))];
				}),
		);
		machine.sight = looked(machine.sight, machine.proxies, answers, now);
		machine.stepsAt = now + STEP_MS + dice.below(300);
		if (!wantsTold(machine.sight, now)) return;
		if (!machine.hasWayOut) {
			machine.stepsAt += 4000;
			return;
		}
		machine.sight = told(machine.sight, listed(), read(), now);
		for (const { zone, reason } of decide(machine.sight, now)) {
			// The request may be lost.
			if (dice.below(20) === 0) continue;
			history.push({ until: now, routes: { ...routes } });
			routes[zone] = me;
			moves.push({ at: now, zone, by: me, reason });
			machine.sight = moved(machine.sight, zone, now);
		}
	}

	return {
		machines,
		routes,
		moves,
		add,
		cut: (one: Machine, other: Machine) => void cut.add(pair(one.instanceId, other.instanceId)),
		mend: () => cut.clear(),
		now: () => now,
		/** The machines that their zones' routes lead to do not work. */
		astray: () => zones.filter((zone) => !machines.some((machine) => machine.instanceId === routes[zone] && isWell(machine))),
		/** Whether anybody can act. */
		isAbleTo: () => machines.some((machine) => isWell(machine) && machine.steps && machine.hasWayOut),
		run(ms: number): void {
			const end = now + ms;
			for (;;) {
				const next = machines.filter(({ isRunning, steps }) => isRunning && steps).toSorted((one, other) => one.stepsAt - other.stepsAt)[0];
				if (!next || next.stepsAt > end) break;
				now = Math.max(now, next.stepsAt);
				step(next);
			}
			now = end;
		},
	};
}
export type Zones = ReturnType<typeof createZones>;
