// The artifacts bucket and what lies in it: made once for an account and region, filled with objects whose keys hold their hash.
import type { CloudFormation } from "./cloudformation.ts";
import type { Artifact } from "./package.ts";
import { hasEnded, hasSucceeded, isThere } from "./stack-state.ts";
import type { Bucket } from "./storage.ts";

export const ARTIFACTS_STACK = "mayfly-artifacts";
export const ARTIFACTS_TEMPLATE = "artifacts.yaml";

/** What keeps a deployment from going on, in words for the operator. */
export class Hindrance extends Error {
	constructor(reason: string) {
		super(reason);
		this.name = "Hindrance";
	}
}

interface Ports {
	cloudFormation: CloudFormation;
	storage: Bucket;
	sleep: (ms: number) => Promise<void>;
	say: (line: string) => void;
}
const PAUSE_MS = 2000;

/** Makes the bucket unless it is there. Throws a Hindrance when it cannot be ours. */
export async function ensureArtifactsBucket(ports: Ports, bucket: string, template: string, roleArn: string | null): Promise<void> {
	const there = await ports.storage.bucket(bucket);
	if (there === "ours") return;
	if (there === "others")
		throw new Hindrance(`the bucket ${bucket} cannot be used: it is in another account, or these credentials may not look at it`);
	const stack = await ports.cloudFormation.stack(ARTIFACTS_STACK);
	if (isThere(stack) && hasEnded(stack.status))
		throw new Hindrance(
			`the stack ${ARTIFACTS_STACK} is there (${stack.status}) and its bucket ${bucket} is not: delete the stack, then deploy again`,
		);
	ports.say(`making the bucket ${bucket} (stack ${ARTIFACTS_STACK})`);
	const id = stack?.id ?? (await ports.cloudFormation.create(ARTIFACTS_STACK, template, roleArn));
	for (;;) {
		const now = await ports.cloudFormation.stack(id);
		if (now && hasSucceeded(now.status)) return;
		if (!now || hasEnded(now.status))
			throw new Hindrance(`the stack ${ARTIFACTS_STACK} failed: ${now?.reason ?? now?.status ?? "it is gone"}`);
		await ports.sleep(PAUSE_MS);
	}
}

const TYPES: Record<string, string> = { yaml: "application/yaml", zip: "application/zip", txt: "text/plain" };

/** Uploads what is not there; gives how many that were. */
export async function uploadArtifacts(
	{ storage, say }: Pick<Ports, "storage" | "say">,
	bucket: string,
	artifacts: readonly Artifact[],
): Promise<number> {
	let uploaded = 0;
	for (const { key, body, sha256 } of artifacts) {
		if ((await storage.hashOf(bucket, key)) !== null) continue;
		await storage.put(bucket, { key, body, sha256, contentType: TYPES[key.split(".").at(-1) ?? ""] ?? "application/octet-stream" });
		say(`uploaded s3://${bucket}/${key} (${body.length} bytes)`);
		uploaded++;
	}
	return uploaded;
}
