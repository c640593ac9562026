// `dist/egress/current.json` in the mailbox bucket: what the gateways of a stack let through. A deployment writes it, each gateway reads it.
import * as v from "valibot";
import { overlap, readCidr } from "./cidr.ts";
import { readEntry } from "./host.ts";
import { parserOf, VersionOne } from "./parse.ts";

/** Where it lies in the bucket. */
export const EGRESS_KEY = "dist/egress/current.json";

/** `enforce`: what is not listed is cut. `observe`: it passes, and the log says that it would not have. `open`: gateways only route. */
export const EGRESS_MODES = ["open", "observe", "enforce"] as const;
export const EgressMode = v.picklist(EGRESS_MODES);
export type EgressMode = v.InferOutput<typeof EgressMode>;

const Range = v.pipe(
	v.string(),
	v.check((text) => readCidr(text) !== null, "is no IPv4 range such as 10.77.0.0/16"),
);
/** As contract/host.ts writes it: what is written in another way was not written by a deployment. */
const Entry = v.pipe(
	v.string(),
	v.check((text) => {
		const reading = readEntry(text);
		return reading.ok && reading.value === text;
	}, "is no entry of an allowlist"),
);

export const EgressList = v.object({
	/** A tier's name, or `poller`. It becomes a part of file names and of HAProxy's words; `none` is what the log calls no list. */
	name: v.pipe(
		v.string(),
		v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "is no tier's name"),
		v.check((name) => name !== "none", "is taken"),
	),
	/** The subnets whose machines go by it. */
	sources: v.pipe(v.array(Range), v.minLength(1), v.maxLength(16)),
	/** Names, or `*.` and a domain. */
	hosts: v.pipe(v.array(Entry), v.maxLength(10_000)),
});
export type EgressList = v.InferOutput<typeof EgressList>;

/** A machine goes by one list: which one must not be a matter of order. */
function areApart(ranges: readonly string[]): boolean {
	const read = ranges.flatMap((text) => readCidr(text) ?? []);
	return read.every((one, at) => read.slice(at + 1).every((other) => !overlap(one, other)));
}

export const EgressDocument = v.object({
	version: VersionOne,
	mode: EgressMode,
	/** The gateways' own subnets: they alone may ask a gateway whether it is well. */
	gateways: v.pipe(v.array(Range), v.minLength(1), v.maxLength(3)),
	lists: v.pipe(
		v.array(EgressList),
		v.maxLength(16),
		v.check((lists) => new Set(lists.map(({ name }) => name)).size === lists.length, "two lists have one name"),
		v.check((lists) => areApart(lists.flatMap(({ sources }) => sources)), "sources overlap"),
	),
});
export type EgressDocument = v.InferOutput<typeof EgressDocument>;
export const parseEgressDocument = parserOf(EgressDocument);
