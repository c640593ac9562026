// JIT configurations in GitHub's own encoding (FACTS 1.2), and the assertion their key signs. Pure but for the signature.
import type { KeyObject } from "node:crypto";
import { readJwt } from "./jwt.ts";
import type { RunnerCredentials, RunnerSettings } from "./protocol.ts";

export interface RunnerKeys {
	// One pair for all runners of this stand-in, where GitHub makes one each: making a key takes longer than everything else here.
	// Runners are told apart by their client id alone.
	privateKey: KeyObject;
	publicKey: KeyObject;
}

export interface JitOptions {
	runner: { id: number; name: string; clientId: string; groupId: number; groupName: string; workFolder: string };
	/** Where runners talk to; ends with a slash. */
	brokerUrl: string;
	keys: RunnerKeys;
}

/** base64 of a JSON object of file names to the base64 of their bytes. */
export function encodeJitConfig({ runner, brokerUrl, keys }: JitOptions): string {
	const settings: RunnerSettings = {
		...{ AgentId: runner.id, AgentName: runner.name, PoolId: runner.groupId, PoolName: runner.groupName },
		...{ DisableUpdate: true, Ephemeral: true, UseV2Flow: true, GitHubUrl: "", WorkFolder: runner.workFolder },
		...{ ServerUrl: brokerUrl, ServerUrlV2: brokerUrl },
	};
	const credentials: RunnerCredentials = { Scheme: "OAuth", Data: { ClientId: runner.clientId, AuthorizationUrl: `${brokerUrl}token` } };
	const files = { ".runner": settings, ".credentials": credentials, ".credentials_rsaparams": keys.privateKey.export({ format: "jwk" }) };
	const encoded = Object.entries(files).map(([name, content]) => [name, Buffer.from(JSON.stringify(content)).toString("base64")]);
	return Buffer.from(JSON.stringify(Object.fromEntries(encoded))).toString("base64");
}

/** Whether the assertion speaks for this client, now (milliseconds). */
export function isAssertionOf(clientId: string, assertion: string, brokerUrl: string, keys: RunnerKeys, now: number): boolean {
	const claims = readJwt(assertion, keys.publicKey);
	if (!claims || (claims.sub !== clientId && claims.iss !== clientId)) return false;
	if (typeof claims.exp !== "number" || claims.exp * 1000 <= now) return false;
	return claims.aud === undefined || claims.aud === `${brokerUrl}token`;
}
