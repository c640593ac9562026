// The RSA keys of one stand-in: the App's, the OIDC issuer's, and the one that all its runners share.
import { createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

export interface KeyPair {
	privateKey: KeyObject;
	publicKey: KeyObject;
}

export interface Keys {
	app: { privateKey: string; publicKey: KeyObject };
	oidc: KeyPair;
	runner: KeyPair;
}

const newPair = (): Promise<KeyPair> => promisify(generateKeyPair)("rsa", { modulusLength: 2048 });

/** `appPrivateKey` is PEM; it is made when absent. */
export async function makeKeys(appPrivateKey: string | undefined): Promise<Keys> {
	const [app, oidc, runner] = await Promise.all([appPrivateKey ? null : newPair(), newPair(), newPair()]);
	const privateKey = appPrivateKey ?? String(app?.privateKey.export({ type: "pkcs8", format: "pem" }));
	return { app: { privateKey, publicKey: createPublicKey(privateKey) }, oidc, runner };
}
