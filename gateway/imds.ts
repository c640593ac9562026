// What a gateway asks its metadata service: who it is, its settings, and the passing keys of its role.
import * as v from "valibot";
import type { ImdsReader } from "../aws/imds-reader.ts";
import type { AwsCredentials } from "../aws/request.ts";
import { InstanceId, parserOf } from "../contract/parse.ts";

const Keys = v.object({
	AccessKeyId: v.pipe(v.string(), v.minLength(1)),
	SecretAccessKey: v.pipe(v.string(), v.minLength(1)),
	Token: v.string(),
	Expiration: v.pipe(v.string(), v.isoTimestamp()),
});
const parseKeys = parserOf(Keys);
const parseInstanceId = parserOf(InstanceId);

/** Keys are exchanged so long before they end. */
const EARLY_MS = 300_000;

/** What the metadata service said that cannot be used. */
export class InstanceError extends Error {
	override name = "InstanceError";
}

export interface Instance {
	/** Throws ImdsError or InstanceError, as the others do. */
	instanceId(): Promise<string>;
	/** Empty where there is none. */
	userData(): Promise<string>;
	credentials(): Promise<AwsCredentials & { expiration: Date }>;
}

function parseJson(text: string | null): unknown {
	try {
		return JSON.parse(text ?? "");
	} catch {
		return null;
	}
}

export function createInstance({ read }: Pick<ImdsReader, "read">, now: () => number): Instance {
	let kept: (AwsCredentials & { expiration: Date }) | null = null;
	const ask = async () => {
		const folder = "meta-data/iam/security-credentials/";
		const role = (await read(folder))?.trim().split("\n")[0];
		if (!role) throw new InstanceError("this instance has no role");
		const keys = parseKeys(parseJson(await read(`${folder}${role}`)));
		if (!keys.ok) throw new InstanceError(`the keys of role ${role}: ${keys.reason}`);
		const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken, Expiration } = keys.value;
		return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(Expiration) };
	};
	return {
		async instanceId() {
			const id = parseInstanceId(await read("meta-data/instance-id"));
			if (!id.ok) throw new InstanceError(`the instance's id: ${id.reason}`);
			return id.value;
		},
		userData: async () => (await read("user-data")) ?? "",
		async credentials() {
			if (kept === null || kept.expiration.getTime() - now() < EARLY_MS) kept = await ask();
			return kept;
		},
	};
}
