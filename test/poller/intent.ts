// Whether an intent is one that the wire takes.
import * as v from "valibot";
import { Intent } from "../../contract/lease.ts";

export function parseIntent(input: unknown): boolean {
	return v.safeParse(Intent, input).success;
}
