// What the documents of the instance metadata service mean (FACTS 4.5).
import * as v from "valibot";
import type { ImdsReader } from "../aws/imds-reader.ts";
import { InstanceId, type Parsed, parserOf, Text } from "../contract/parse.ts";

const Identity = v.object({
	instanceId: InstanceId,
	privateIp: v.pipe(v.string(), v.ipv4()),
	region: Text,
	availabilityZone: Text,
	instanceType: Text,
	imageId: Text,
});
/** The part of the instance identity document that the agent needs. */
export type Identity = v.InferOutput<typeof Identity>;
const parseIdentity = parserOf(Identity);

const USER_DATA = "user-data";
const IDENTITY = "dynamic/instance-identity/document";
const LIFE_CYCLE = "meta-data/instance-life-cycle";
const INSTANCE_ACTION = "meta-data/spot/instance-action";
const REBALANCE = "meta-data/events/recommendations/rebalance";

export interface Imds {
	/** Throws ImdsError. */
	identity(): Promise<Parsed<Identity>>;
	/** Throws ImdsError. */
	isSpot(): Promise<boolean>;
	/** The mailbox that the user data names: an image belongs to no account. Throws ImdsError. */
	mailboxUrl(): Promise<string | null>;
	/** When EC2 takes the machine (epoch ms), null without a notice. Throws ImdsError. */
	terminateAt(): Promise<number | null>;
	/** When EC2 recommended to leave the machine, null without. Throws ImdsError. */
	rebalanceAt(): Promise<number | null>;
}

/** The moment in a document such as `{"action":"terminate","time":"2017-09-18T08:22:00Z"}`; null if it holds none. */
export function momentIn(document: string, field: string): number | null {
	const found = new RegExp(`"${field}"\\s*:\\s*"([^"]+)"`).exec(document)?.[1];
	const at = found === undefined ? Number.NaN : Date.parse(found);
	return Number.isNaN(at) ? null : at;
}

/** The line `MAYFLY_MAILBOX_URL=<url>` of a launch template's user data. Pure. */
export function mailboxUrlIn(userData: string): string | null {
	return /^MAYFLY_MAILBOX_URL=(https?:\/\/[^/\s]\S*?)\/*\s*$/m.exec(userData)?.[1] ?? null;
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

export function createImds({ read }: Pick<ImdsReader, "read">, now: () => number): Imds {
	return {
		identity: async () => parseIdentity(parseJson((await read(IDENTITY)) ?? "")),
		mailboxUrl: async () => mailboxUrlIn((await read(USER_DATA)) ?? ""),
		isSpot: async () => (await read(LIFE_CYCLE)) === "spot",
		async terminateAt() {
			const notice = await read(INSTANCE_ACTION);
			// A notice without a time that can be read is still one: it comes two minutes ahead.
			return notice === null ? null : (momentIn(notice, "time") ?? now() + 120_000);
		},
		async rebalanceAt() {
			const notice = await read(REBALANCE);
			return notice === null ? null : (momentIn(notice, "noticeTime") ?? now());
		},
	};
}
