// REST of actions/runner's releases: a public repository, which the token of any installation may read (FACTS 1.9).
import { isoTime, ok } from "./answer.ts";
import { pageOf } from "./page.ts";
import { type Json, nodeId, personJson } from "./payload.ts";
import type { Route } from "./route.ts";
import type { Person } from "./world.ts";

export interface ReleaseOptions {
	/** `2.337.0`, tagged `v2.337.0`. */
	version: string;
	/** Epoch ms. */
	publishedAt: number;
	prerelease?: boolean;
}

/** GitHub's own of the summer of 2026, newest first. */
export const RELEASES: ReleaseOptions[] = [
	{ version: "2.337.0", publishedAt: Date.parse("2026-08-26T14:00:00Z") },
	{ version: "2.336.0", publishedAt: Date.parse("2026-07-20T14:00:00Z") },
];

const REPOSITORY = "/repos/actions/runner";
const AUTHOR: Person = { id: 41_898_282, login: "github-actions[bot]", type: "User" };

function releaseJson(api: string, { version, publishedAt, prerelease = false }: ReleaseOptions, id: number): Json {
	const [tag, url] = [`v${version}`, `${api}${REPOSITORY}/releases/${id}`];
	const [html, time] = ["https://github.com/actions/runner", isoTime(publishedAt)];
	return {
		...{ url, html_url: `${html}/releases/tag/${tag}`, assets_url: `${url}/assets`, upload_url: `${url}/assets{?name,label}` },
		...{ tarball_url: `${api}${REPOSITORY}/tarball/${tag}`, zipball_url: `${api}${REPOSITORY}/zipball/${tag}` },
		...{ id, node_id: nodeId("RE", id), tag_name: tag, target_commitish: "main", name: tag, body: "", draft: false, prerelease },
		...{ immutable: false, created_at: time, updated_at: time, published_at: time, author: personJson(api, AUTHOR), assets: [] },
	};
}

/** Drafts are shown to those who may write only. */
export function releaseRoutes(api: () => string, releases: ReleaseOptions[]): Route[] {
	return [
		{
			method: "GET",
			path: `${REPOSITORY}/releases`,
			access: "public",
			answer({ query, url }) {
				const newestFirst = releases.toSorted((one, other) => other.publishedAt - one.publishedAt);
				const { items, headers } = pageOf(newestFirst, query, url);
				return ok(
					items.map((release) => releaseJson(api(), release, 150_000_000 + releases.indexOf(release))),
					headers,
				);
			},
		},
	];
}
