// The files that make a runner root somebody's runner: `.runner`, `.credentials`, `.credentials_rsaparams` (FACTS 1.2). Touches the root only.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { RunnerCredentials, RunnerSettings } from "../github/protocol.ts";

export interface Registration {
	settings: RunnerSettings;
	credentials: RunnerCredentials;
	/** Private key, a JWK. */
	key: JsonWebKey;
}

const FILES = [".runner", ".credentials", ".credentials_rsaparams"];

/** The files of a just-in-time configuration: base64 of a JSON object of file names to the base64 of their bytes. Throws if it is not one. */
function filesOf(encoded: string): [name: string, content: Buffer][] {
	const files: unknown = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
	if (typeof files !== "object" || files === null || Array.isArray(files)) throw new Error("the configuration is not a JSON object");
	return Object.entries(files).map(([name, content]) => {
		if (typeof content !== "string" || name !== basename(name)) throw new Error(`the configuration holds no file for ${name}`);
		return [name, Buffer.from(content, "base64")];
	});
}

export function writeJitConfig(root: string, encoded: string): void {
	for (const [name, content] of filesOf(encoded)) writeFileSync(join(root, name), content, { mode: 0o600 });
}

/** What a just-in-time configuration makes of a runner, without a root to write it to. Throws if it is not one. */
export function registrationOf(encoded: string): Registration {
	const files = Object.fromEntries(filesOf(encoded));
	const [settings, credentials, key] = FILES.map((name) => JSON.parse(files[name]?.toString("utf8") ?? "null"));
	return { settings, credentials, key };
}

/** What the root is configured as; null if it is not, or not fully. */
export function readRegistration(root: string): Registration | null {
	try {
		const [settings, credentials, key] = FILES.map((name) => JSON.parse(readFileSync(join(root, name), "utf8")));
		return { settings, credentials, key };
	} catch {
		return null;
	}
}

export function removeRegistration(root: string): void {
	for (const name of FILES) rmSync(join(root, name), { force: true });
}
