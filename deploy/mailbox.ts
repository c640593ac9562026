// A stack's mailbox bucket, brought to what the plan says: the poller's config, the gateways' list, the parts that machines fetch.
import { readFile } from "node:fs/promises";
import { EGRESS_KEY } from "../contract/egress.ts";
import type { Part, WantedRunner } from "./parts.ts";
import type { Bucket, StoredObject } from "./storage.ts";

/** The output of root.yaml that names the bucket. */
export const MAILBOX_OUTPUT = "MailboxBucket";

export interface MailboxContent {
	objects: StoredObject[];
	parts: Part[];
	wanted: WantedRunner[];
}

/** An object that the bucket lacks, or has otherwise. */
export interface Behind {
	key: string;
	sha256: string;
	read: () => Promise<StoredObject>;
}

export function lateLines(bucket: string, late: readonly Behind[]): string[] {
	return late.map(({ key }) => `  > upload  s3://${bucket}/${key}`);
}

export async function behind(storage: Bucket, bucket: string, { objects, parts }: MailboxContent): Promise<Behind[]> {
	const all: Behind[] = [
		...objects.map((object) => ({ key: object.key, sha256: object.sha256, read: async () => object })),
		...parts.map(({ key, sha256, path }) => ({
			...{ key, sha256 },
			read: async () => ({ key, sha256, body: await readFile(path), contentType: "application/octet-stream" }),
		})),
	];
	const hashes = await Promise.all(all.map(({ key }) => storage.hashOf(bucket, key)));
	return all.filter(({ sha256 }, at) => hashes[at] !== sha256);
}

/** Uploads one after the other: a part is a hundred megabytes. */
export async function bringUp(storage: Bucket, bucket: string, late: readonly Behind[], say: (line: string) => void): Promise<void> {
	for (const { key, read } of late) {
		await storage.put(bucket, await read());
		say(`uploaded s3://${bucket}/${key}`);
	}
}

/** Runners' archives that machines would look for in vain. */
export async function missingRunners(storage: Bucket, bucket: string, { wanted, parts }: MailboxContent): Promise<WantedRunner[]> {
	const unseen = wanted.filter(({ key }) => !parts.some((part) => part.key === key));
	const hashes = await Promise.all(unseen.map(({ key }) => storage.hashOf(bucket, key)));
	return unseen.filter((_, at) => hashes[at] === null);
}

/** What gateways go by now, to be put back if the change of the stack fails. */
export async function gatewaysList(storage: Bucket, bucket: string): Promise<string | null> {
	return storage.textOf(bucket, EGRESS_KEY);
}
