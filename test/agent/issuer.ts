// An issuer of OIDC tokens as GitHub is one for jobs: keys that are published, and tokens with any claims and any signature.
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { INSTANCE, REPOSITORY } from "./documents.ts";

export const ISSUER = "https://token.actions.githubusercontent.com";
export const AUDIENCE = `mayfly:stack:${INSTANCE}`;
const WORKFLOW = `${REPOSITORY}/.github/workflows/deploy.yml@refs/heads/main`;

export interface Forgery {
	claims?: Record<string, unknown>;
	header?: Record<string, unknown>;
	/** Signs with another key than the published one. */
	stolen?: boolean;
	/** Changes the finished token. */
	spoil?: (token: string) => string;
}

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
/** As `/.well-known/jwks` gives them, beside one that is for something else. */
export const KEYS = [
	{ kty: "EC", kid: "elliptic", crv: "P-256", x: "x", y: "y" },
	{ ...publicKey.export({ format: "jwk" }), kid: "key-1", alg: "RS256", use: "sig" },
] as Record<string, unknown>[];
export const PUBLIC_PEM = publicKey.export({ format: "pem", type: "spki" }).toString();

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

export function signed(key: KeyObject, header: object, claims: object): string {
	const text = `${base64url(header)}.${base64url(claims)}`;
	return `${text}.${sign("RSA-SHA256", Buffer.from(text), key).toString("base64url")}`;
}

/** A token of a deploy job on main in the environment production, unless it is told otherwise. */
export function tokenOf({ claims, header, stolen = false, spoil = (token) => token }: Forgery = {}): string {
	const now = Math.floor(Date.now() / 1000);
	const all = {
		...{ iss: ISSUER, aud: AUDIENCE, sub: `repo:${REPOSITORY}:environment:production`, iat: now, nbf: now - 300, exp: now + 300 },
		...{ ref: "refs/heads/main", repository: REPOSITORY, repository_id: "1296269", event_name: "push", actor: "monalisa" },
		...{ workflow_ref: WORKFLOW, job_workflow_ref: WORKFLOW, environment: "production", ...claims },
	};
	return spoil(signed(stolen ? other.privateKey : privateKey, { alg: "RS256", typ: "JWT", kid: "key-1", ...header }, all));
}

/** Answers requests for a token that carry the job's own request token. `asked` are their audiences. */
export function startIssuer(answer: (audience: string) => Response) {
	const asked: string[] = [];
	const server = Bun.serve({
		hostname: "127.0.0.1",
		port: 0,
		fetch(request) {
			if (request.headers.get("authorization") !== "bearer the-job's-own") return new Response("", { status: 401 });
			const audience = new URL(request.url).searchParams.get("audience") ?? "";
			asked.push(audience);
			return answer(audience);
		},
	});
	const variables = {
		ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url.origin}/_oidc/token?api-version=2.0`,
		ACTIONS_ID_TOKEN_REQUEST_TOKEN: "the-job's-own",
	};
	return { variables, asked, stop: () => server.stop(true) };
}
