// What a boot is told by, and what many come to. Pure.
import type { Reads } from "../../ami/boot/control.ts";
import { median } from "../statistics.ts";

export interface Boot {
	/** From QEMU's start to the first request to IMDS of what starts the runner, ms. */
	requestAtMs: number;
	/** Of the root disk by then, and by the claim. */
	reads: Reads | null;
	claimReads: Reads | null;
	/** As systemd-analyze tells them, s. */
	kernelSeconds: number | null;
	userspaceSeconds: number | null;
}

const secondsOf = (text: string) =>
	[...text.matchAll(/([0-9.]+)(min|ms|s)\b/g)].reduce(
		(sum, [, value, unit]) => sum + Number(value) * ({ min: 60, ms: 0.001, s: 1 }[unit as "s"] ?? 0),
		0,
	);

/** `Startup finished in 2.154s (kernel) + 1min 4.390s (userspace) = …`, with or without firmware and initrd before them. */
export function phasesIn(text: string): Pick<Boot, "kernelSeconds" | "userspaceSeconds"> {
	const of = (name: string) => {
		const found = new RegExp(`(?:in|\\+) ((?:[0-9.]+(?:min|ms|s) ?)+)\\(${name}\\)`).exec(text)?.[1];
		return found === undefined ? null : secondsOf(found);
	};
	return { kernelSeconds: of("kernel"), userspaceSeconds: of("userspace") };
}

const medianOf = <T>(boots: T[], figure: (boot: T) => number | null | undefined) => median(boots.map((boot) => figure(boot) ?? Number.NaN));

export function figuresOf(boots: Boot[]) {
	return {
		requestSeconds: medianOf(boots, ({ requestAtMs }) => requestAtMs / 1000),
		kernelSeconds: medianOf(boots, ({ kernelSeconds }) => kernelSeconds),
		userspaceSeconds: medianOf(boots, ({ userspaceSeconds }) => userspaceSeconds),
		reads: medianOf(boots, ({ reads }) => reads?.reads),
		readMib: medianOf(boots, ({ reads }) => reads && reads.bytes / 2 ** 20),
		claimReads: medianOf(boots, ({ claimReads }) => claimReads?.reads),
		claimMib: medianOf(boots, ({ claimReads }) => claimReads && claimReads.bytes / 2 ** 20),
	};
}
