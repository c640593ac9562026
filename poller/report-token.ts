// The token with which one machine reports (DESIGN 3): its id, an expiry, and the relay's own key over both. Pure.
import { createHmac } from "node:crypto";
import { reportTokenText } from "../contract/report.ts";

/** `expiry` in unix seconds. */
export function reportToken(key: string, instanceId: string, expiry: number): string {
	const text = reportTokenText(instanceId, expiry);
	return `${text}.${createHmac("sha256", key).update(text).digest("hex")}`;
}
