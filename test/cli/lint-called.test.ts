// What lint says of workflows that only others call: their runs have the caller's event, and a deploy machine asks for both paths.
import { setDefaultTimeout } from "bun:test";
import { claims, ID, type Row } from "./claims.ts";
import { CONFIG } from "./repository.ts";

setDefaultTimeout(60_000);

const called = (runner: string) => `on: workflow_call
permissions: { id-token: write }
jobs:
  one:
    runs-on: ${ID}/runner=${runner}
    environment: production
`;
const admitting = (workflows: string) => CONFIG.replace("workflows: [.github/workflows/deploy*.yml]", `workflows: [${workflows}]`);

const UNLISTED: Row[] = [
	[
		"is refused by a deploy machine though its caller is admitted",
		called("ship"),
		[
			"error",
			"tier-workflow",
			"job one: the tier's workflows (.github/workflows/deploy*.yml) do not list .github/workflows/unlisted-0.yml: a deploy machine asks for the workflow that is called as well as for its caller (tier deploy)",
		],
	],
	["is not known to a build machine", called("small")],
	["is admitted by a deploy tier without a list", called("open")],
];
claims("a called workflow that the tier does not list", "unlisted", UNLISTED);
const BUILD = CONFIG.replace("events: [push, pull_request, schedule]", "workflows: [.github/workflows/caller.yml]");
claims("the list of a build tier", "of-build", [["is for callers alone", called("small")]], BUILD);

const SERVED: Row[] = [["is served", called("ship")]];
claims("a called workflow by its path", "listed", SERVED, admitting(".github/workflows/deploy.yml, .github/workflows/listed-*.yml"));
claims("one that others call by its full name", "full", SERVED, admitting("octo-org/shared/.github/workflows/full-0.yml"));
claims("one of a repository whose workflows all are listed", "all", SERVED, admitting('"octo-org/**"'));
