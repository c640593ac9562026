// The OIDC issuer for jobs: discovery, keys, and the token a running job asks for with an audience. GitHub's claims.
import { type KeyObject, randomBytes, randomUUID } from "node:crypto";
import { Hono } from "hono";
import { type Claims, signJwt } from "./jwt.ts";
import { branchOf, type Run, type RunJob, workflowPath } from "./run.ts";

const KEY_ID = "mayfly-local-1";
/** Seconds a token is good for. */
const LIFE = 300;

/** GitHub's default subject: the environment, else the pull request, else the ref. Pure. */
export function subjectOf(run: Run, job: RunJob): string {
	const repository = `repo:${run.repository.fullName}`;
	if (job.environment !== null) return `${repository}:environment:${job.environment}`;
	return run.event.startsWith("pull_request") ? `${repository}:pull_request` : `${repository}:ref:${run.ref}`;
}

/** What the token says of the job. Pure; `now` in milliseconds. */
export function jobClaims(run: Run, job: RunJob, issuer: string, audience: string, now: number): Claims {
	const at = Math.floor(now / 1000);
	const { repository, actor } = run;
	const workflow = `${repository.fullName}/${workflowPath(run)}@${run.ref}`;
	return {
		...{ iss: issuer, aud: audience, sub: subjectOf(run, job), jti: randomUUID(), iat: at, nbf: at - 300, exp: at + LIFE },
		...{ ref: run.ref, ref_type: run.ref.startsWith("refs/tags/") ? "tag" : "branch", ref_protected: "false", sha: run.sha },
		...{
			repository: repository.fullName,
			repository_id: String(repository.id),
			repository_visibility: repository.private ? "private" : "public",
		},
		...{ repository_owner: repository.owner.login, repository_owner_id: String(repository.owner.id) },
		...{ run_id: String(run.id), run_number: String(run.number), run_attempt: String(job.attempt), event_name: run.event },
		...{ actor: actor.login, actor_id: String(actor.id), runner_environment: "self-hosted" },
		...{
			head_ref: run.event.startsWith("pull_request") ? branchOf(run) : "",
			base_ref: run.event.startsWith("pull_request") ? "main" : "",
		},
		...{
			workflow: run.workflow.name,
			workflow_ref: workflow,
			workflow_sha: run.sha,
			job_workflow_ref: workflow,
			job_workflow_sha: run.sha,
		},
		...(job.environment !== null && { environment: job.environment }),
	};
}

export interface OidcPorts {
	keys: { privateKey: KeyObject; publicKey: KeyObject };
	issuer: () => string;
	/** Where machines ask for tokens. */
	requests: () => string;
	job: (id: number) => { run: Run; job: RunJob } | null;
	now: () => number;
}

export interface Oidc {
	/** Below the issuer. */
	app: Hono;
	/** What ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN become for a job. */
	requestOf(job: RunJob): { url: string; token: string };
}

export function createOidc({ keys, issuer, requests, job: find, now }: OidcPorts): Oidc {
	const tokens = new Map<number, string>();
	const app = new Hono();
	app.get("/.well-known/openid-configuration", (c) =>
		c.json({
			issuer: issuer(),
			jwks_uri: `${issuer()}/.well-known/jwks`,
			subject_types_supported: ["public", "pairwise"],
			response_types_supported: ["id_token"],
			claims_supported: [
				"sub",
				"aud",
				"exp",
				"iat",
				"iss",
				"jti",
				"nbf",
				"ref",
				"repository",
				"environment",
				"job_workflow_ref",
				"event_name",
			],
			id_token_signing_alg_values_supported: ["RS256"],
			scopes_supported: ["openid"],
		}),
	);
	app.get("/.well-known/jwks", (c) => {
		const jwk = keys.publicKey.export({ format: "jwk" });
		return c.json({ keys: [{ ...jwk, kid: KEY_ID, alg: "RS256", use: "sig" }] });
	});
	app.get("/_oidc/:id/token", (c) => {
		const id = Number(c.req.param("id"));
		const found = find(id);
		const given = c.req.header("authorization")?.replace(/^bearer /i, "");
		if (!found || given === undefined || given !== tokens.get(id)) return c.json({ message: "Unauthorized" }, 401);
		// The request token dies with the job.
		if (found.job.status !== "in_progress") return c.json({ message: "The job is not running" }, 401);
		const audience = c.req.query("audience") ?? `https://github.com/${found.run.repository.owner.login}`;
		const value = signJwt(jobClaims(found.run, found.job, issuer(), audience, now()), keys.privateKey, { kid: KEY_ID });
		return c.json({ count: value.length, value });
	});
	return {
		app,
		requestOf(job) {
			const token = tokens.get(job.id) ?? randomBytes(24).toString("hex");
			tokens.set(job.id, token);
			return { url: `${requests()}/_oidc/${job.id}/token?api-version=2.0`, token };
		},
	};
}
