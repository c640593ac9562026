// A bucket as a deployment uses it, always of one account: a bucket of that name in somebody else's account is refused by S3. Touches the network.
import { GetObjectCommand, HeadBucketCommand, HeadObjectCommand, NotFound, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type Cause, causeOf, told } from "./errors.ts";

/** A call that S3 refused or did not answer. */
export class StorageError extends Error {
	readonly why: Cause;
	constructor(operation: string, target: string, cause: unknown) {
		super(told(operation, target, cause), { cause });
		this.name = "StorageError";
		this.why = causeOf(cause);
	}
}

export interface StoredObject {
	key: string;
	body: Uint8Array;
	sha256: string;
	contentType: string;
}
export type Bucket = ReturnType<typeof createStorage>;

const isAbsent = (error: unknown) => error instanceof NotFound || causeOf(error) === "absent";

/** Throws StorageErrors. */
export function createStorage(region: string, account: string, abortSignal: AbortSignal) {
	const client = new S3Client({ region });
	const owned = (Bucket: string) => ({ Bucket, ExpectedBucketOwner: account });
	async function unlessAbsent<T>(operation: string, target: string, answer: Promise<T>): Promise<T | null> {
		try {
			return await answer;
		} catch (error) {
			if (isAbsent(error)) return null;
			throw new StorageError(operation, target, error);
		}
	}
	return {
		/** `others`: there is one of that name, in an account that is not this one. */
		async bucket(name: string): Promise<"ours" | "absent" | "others"> {
			try {
				return (await unlessAbsent("HeadBucket", name, client.send(new HeadBucketCommand(owned(name)), { abortSignal }))) === null
					? "absent"
					: "ours";
			} catch (error) {
				if (error instanceof StorageError && error.why === "refused") return "others";
				throw error;
			}
		},
		/** The hash that an object was stored with; null: there is no such object. */
		async hashOf(bucket: string, Key: string): Promise<string | null> {
			const asked = client.send(new HeadObjectCommand({ ...owned(bucket), Key }), { abortSignal });
			const found = await unlessAbsent("HeadObject", `s3://${bucket}/${Key}`, asked);
			return found && (found.Metadata?.sha256 ?? "");
		},
		async textOf(bucket: string, Key: string): Promise<string | null> {
			const asked = client.send(new GetObjectCommand({ ...owned(bucket), Key }), { abortSignal });
			const found = await unlessAbsent("GetObject", `s3://${bucket}/${Key}`, asked);
			return (await found?.Body?.transformToString()) ?? null;
		},
		async put(bucket: string, { key, body, sha256, contentType }: StoredObject): Promise<void> {
			const about = { ContentType: contentType, Metadata: { sha256 }, ContentLength: body.length };
			try {
				await client.send(new PutObjectCommand({ ...owned(bucket), Key: key, Body: body, ...about }), { abortSignal });
			} catch (error) {
				throw new StorageError("PutObject", `s3://${bucket}/${key}`, error);
			}
		},
	};
}
