// The RSA keys of the stand-in: the App's, the OIDC issuer's, and the one that all runners share. Making one takes longer than anything else here.
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

/** Made once in a process: nothing that is signed with them outlives it, or names another stand-in. */
let once: Promise<KeyPair[]> | null = null;

/** `appPrivateKey` is PEM; one is made when absent, once in a process. */
export async function makeKeys(appPrivateKey: string | undefined): Promise<Keys> {
	once ??= Promise.all([newPair(), newPair(), newPair()]);
	const [app, oidc, runner] = (await once) as [KeyPair, KeyPair, KeyPair];
	const privateKey = appPrivateKey ?? String(app.privateKey.export({ type: "pkcs8", format: "pem" }));
	return { app: { privateKey, publicKey: createPublicKey(privateKey) }, oidc, runner };
}
