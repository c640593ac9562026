// From what the kernel logs for nftables' rules (egress/nftables.ts) to lines like HAProxy's, so that one question finds both. Pure.
import { LOG_PREFIX } from "../egress/nftables.ts";

/** Why, by the place that the rule names. */
const WHY: Record<string, string> = { forward: "not-routed", in: "not-served", out: "not-public", open: "open", many: "too-many" };

/** `at` is epoch ms. Null for any other record of the kernel's. */
export function dropLine(record: string, at: number): string | null {
	const start = record.indexOf(LOG_PREFIX);
	if (start < 0) return null;
	const [place = "", ...words] = record
		.slice(start + LOG_PREFIX.length)
		.trim()
		.split(/\s+/);
	if (!Object.hasOwn(WHY, place)) return null;
	const fields = new Map(words.map((word) => word.split("=", 2) as [string, string | undefined]));
	const number = (name: string) => Number(fields.get(name)) || null;
	return JSON.stringify({
		...{ at: (at / 1000).toFixed(3), gateway: "nft", src: fields.get("SRC") ?? "", port: number("SPT"), orig_dst: fields.get("DST") ?? "" },
		...{
			dport: number("DPT"),
			proto: (fields.get("PROTO") ?? "").toLowerCase(),
			iif: fields.get("IN") || null,
			oif: fields.get("OUT") || null,
		},
		...{ act: place === "open" ? "allow" : "deny", why: WHY[place] },
	});
}
