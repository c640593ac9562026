// The newest release of actions/runner, with its checksums from both places that GitHub has them in: the assets' digests and the release notes,
// written by different steps of the runner's own release (AWS.md 8). Pure but for the one request.
import * as v from "valibot";
import { ImageProblem } from "../problem.ts";
import { ARCHITECTURES, type Architecture } from "../versions.ts";

const Release = v.object({
	tag_name: v.pipe(v.string(), v.regex(/^v[0-9]+\.[0-9]+\.[0-9]+$/, "is not a tag like v2.337.0")),
	prerelease: v.boolean(),
	draft: v.boolean(),
	published_at: v.pipe(v.string(), v.isoTimestamp()),
	body: v.nullable(v.string()),
	assets: v.array(v.object({ name: v.string(), digest: v.nullish(v.string(), null) })),
});

export interface RunnerRelease {
	version: string;
	publishedAt: string;
	sha256: Record<Architecture, string>;
}

/** Reads GitHub's answer. Throws an ImageProblem where a checksum is missing or the two places disagree. */
export function readRelease(answer: unknown): RunnerRelease {
	const read = v.safeParse(Release, answer);
	if (!read.success) throw new ImageProblem("runner", `GitHub's answer is not a release: ${read.issues[0].message}`);
	const { tag_name, prerelease, draft, published_at, body, assets } = read.output;
	const version = tag_name.slice(1);
	if (prerelease || draft) throw new ImageProblem("runner", `${version} is not released yet`);
	const sha256 = Object.fromEntries(
		ARCHITECTURES.map((architecture) => {
			const name = `actions-runner-linux-${architecture}-${version}.tar.gz`;
			const digest = /^sha256:([0-9a-f]{64})$/.exec(assets.find((asset) => asset.name === name)?.digest ?? "")?.[1];
			const noted = new RegExp(`BEGIN SHA linux-${architecture} -->([0-9a-f]{64})<!--`).exec(body ?? "")?.[1];
			if (digest === undefined) throw new ImageProblem("runner", `${version} has no asset ${name} with a digest`);
			if (noted === undefined) throw new ImageProblem("runner", `the notes of ${version} have no checksum for linux-${architecture}`);
			if (noted !== digest) throw new ImageProblem("runner", `${name} has the digest ${digest}, and its notes say ${noted}`);
			return [architecture, digest];
		}),
	) as Record<Architecture, string>;
	return { version, publishedAt: published_at, sha256 };
}

/** Asks GitHub. A token only raises the limit of calls. */
export async function newestRunner(apiUrl: string, token: string | undefined): Promise<RunnerRelease> {
	const url = `${apiUrl}/repos/actions/runner/releases/latest`;
	const headers = { accept: "application/vnd.github+json", "user-agent": "mayfly", ...(token && { authorization: `Bearer ${token}` }) };
	try {
		const answer = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) });
		if (!answer.ok) throw new Error(`status ${answer.status}`);
		return readRelease(await answer.json());
	} catch (cause) {
		if (cause instanceof ImageProblem) throw cause;
		throw new ImageProblem("runner", `${url}: ${cause instanceof Error ? cause.message : cause}`, { cause });
	}
}
