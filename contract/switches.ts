// GET and POST /switches: safe states, one call away.
import * as v from "valibot";
import { parserOf, Text } from "./parse.ts";

export const Switches = v.object({
	/** No launches; events, checks and terminations go on. */
	pause: v.boolean(),
	onDemandOnly: v.boolean(),
	/** No new jobs are launched and none are taken in; what runs may end. */
	drain: v.boolean(),
});
export type Switches = v.InferOutput<typeof Switches>;
export const parseSwitches = parserOf(Switches);

/** As they stand, and why the relay turned one by itself. */
export const SwitchesView = v.object({ ...Switches.entries, reason: v.optional(Text) });
export type SwitchesView = v.InferOutput<typeof SwitchesView>;
export const parseSwitchesView = parserOf(SwitchesView);

/** A change names only the switches it turns. */
export const SwitchChange = v.pipe(
	v.partial(Switches),
	v.check((change) => Object.values(change).some((value) => value !== undefined), "names no known switch"),
);
export type SwitchChange = v.InferOutput<typeof SwitchChange>;
export const parseSwitchChange = parserOf(SwitchChange);
