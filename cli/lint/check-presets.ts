// Whether there are machines for the presets of a mayfly.yml: the file alone cannot tell, the table of types can. Pure.
import type { ResolvedFile } from "../../contract/config.ts";
import type { ConfigProblem } from "../../contract/config-checks.ts";
import { type MachineRequest, resolveLabels } from "../../contract/label.ts";
import { INSTANCE_TYPES } from "../../poller/instance-types.ts";
import { typesFor, whyNone } from "../../poller/offer.ts";

/** Why the poller would refuse a machine that labels may ask for; null if there are types for it. */
export function whyNoMachine(request: MachineRequest): string | null {
	return typesFor(request, INSTANCE_TYPES).length > 0 ? null : whyNone(request);
}

/** Why the poller refuses every job of a deploy tier (poller/guard.ts), where no owner is a personal account. */
function whyNoGroup({ tier }: MachineRequest, { tiers, owners }: ResolvedFile): string | null {
	const { kind, runnerGroupId } = tiers[tier] ?? {};
	if (kind !== "deploy" || runnerGroupId !== null || owners.some(({ endpoint }) => endpoint === "repo")) return null;
	return `the tier ${tier} names no runnerGroupId, and organisations need one.`;
}

/** Presets whose every job would be refused. */
export function presetProblems(config: ResolvedFile): ConfigProblem[] {
	return Object.keys(config.presets).flatMap((id) => {
		const reading = resolveLabels([`mayfly=1/env=${config.environment}/runner=${id}`], config);
		const reason = reading.ok ? (whyNoGroup(reading.request, config) ?? whyNoMachine(reading.request)) : reading.reason;
		return reason === null ? [] : [{ path: `presets.${id}`, reason: `every job of it is refused: ${reason}` }];
	});
}
