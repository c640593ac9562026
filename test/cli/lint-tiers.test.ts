// What lint says of tiers that would not admit a job.
import { setDefaultTimeout } from "bun:test";
import { claims, ID, job, type Row } from "./claims.ts";
import { CONFIG } from "./repository.ts";

setDefaultTimeout(60_000);

const TOKEN = "permissions: { id-token: write }";
const SHIPPED = `    ${TOKEN}\n    environment: production\n`;
const ship = (more: string, on = "push", runsOn = `${ID}/runner=open`) => `on: ${on}\njobs:\n  one:\n    runs-on: ${runsOn}\n${more}`;

const TIERS: Row[] = [
	["a deploy job in order has no problem", ship(SHIPPED)],
	["the token may come from the workflow", `${TOKEN}\n${ship("    environment: production\n")}`],
	[
		"write-all gives the token, and too much",
		ship("    permissions: write-all\n    environment: x\n"),
		["warning", "permissions-wide", "write-all"],
	],
	[
		"a deploy job needs an identity",
		ship("    permissions: { contents: read }\n    environment: x\n"),
		["error", "deploy-id-token", "signed identity"],
	],
	[
		"a job's permissions replace the workflow's",
		`${TOKEN}\n${ship("    permissions: {}\n    environment: x\n")}`,
		["error", "deploy-id-token", "signed identity"],
	],
	[
		"the default permissions give no identity",
		ship("    environment: x\n"),
		["warning", "permissions", "neither"],
		["error", "deploy-id-token", "signed identity"],
	],
	[
		"a called workflow may get it from its caller",
		ship("    environment: x\n", "workflow_call"),
		["note", "deploy-id-token", "only the caller can give"],
	],
	["an environment is missed", ship(`    ${TOKEN}\n`), ["warning", "deploy-environment", "the job has no environment"]],
	[
		"an environment that the tier asks for is missed more",
		ship(`    ${TOKEN}\n`, "push", `${ID}/runner=ship`),
		["error", "tier-workflow", "not among the tier's workflows"],
		["error", "deploy-environment", "production, staging-*"],
	],
	...["pull_request", "pull_request_target", "pull_request_review", "workflow_run", "issue_comment"].map(
		(event): Row => [
			`a deploy tier refuses ${event}`,
			ship(SHIPPED, `[push, ${event}]`),
			["error", "deploy-event", `refuses every run of ${event}`],
		],
	),
	[
		"an if may keep the job out of such runs",
		ship(`${SHIPPED}    if: github.event_name == 'push'\n`, "{ push: {}, pull_request: {} }"),
		["warning", "deploy-event", "pull_request"],
	],
	[
		"an if does not help when there is no other run",
		ship(`${SHIPPED}    if: always()\n`, "pull_request"),
		["error", "deploy-event", "pull_request"],
	],
	["a build tier takes pull requests", job(`${ID}/runner=small`).replace("push", "pull_request")],
	[
		"a tier does not admit every event",
		job(`${ID}/runner=small`).replace("push", "[push, release]"),
		["warning", "tier-event", "runs of release are refused: the tier's events are push, pull_request, schedule"],
	],
	[
		"a tier may admit none of the events",
		job(`${ID}/runner=small`).replace("push", "release"),
		["error", "tier-event", "runs of release are refused"],
	],
	[
		"an if makes it a note",
		job(`${ID}/runner=small`, "    if: x\n").replace("push", "[push, release]"),
		["note", "tier-event", "runs of release"],
	],
];

/** Named as the deploy tier of the config asks for. */
const DEPLOYS: Row[] = [
	["a workflow by the name that the tier admits", ship(SHIPPED, "push", `${ID}/runner=SHIP`)],
	["an environment by pattern", ship(SHIPPED.replace("production", "{ name: staging-eu, url: x }"), "push", `${ID}/runner=ship`)],
	[
		"an environment that the tier does not admit",
		ship(SHIPPED.replace("production", "test"), "push", `${ID}/runner=ship`),
		["error", "tier-environment", '"test" is not among'],
	],
	[
		"an environment of one leg that the tier does not admit",
		ship(
			`    ${TOKEN}\n    strategy: { matrix: { env: [production, qa] } }\n    environment: { name: "\${{ matrix.env }}" }\n`,
			"push",
			`${ID}/runner=ship`,
		),
		["error", "tier-environment", '"qa" is not among'],
	],
	[
		"a leg without an environment",
		ship(
			`    ${TOKEN}\n    strategy: { matrix: { include: [{ env: production }, { v: 1 }] } }\n    environment: \${{ matrix.env }}\n`,
			"push",
			`${ID}/runner=ship`,
		),
		["error", "deploy-environment", "a leg of the job has no environment"],
	],
	[
		"a refused event is told once",
		ship(SHIPPED, "[push, pull_request]", `${ID}/runner=ship`),
		["error", "deploy-event", "every run of pull_request"],
	],
	["an environment that is known only at the run", ship(SHIPPED.replace("production", "${{ inputs.where }}"), "push", `${ID}/runner=ship`)],
	[
		"an event that the tier does not admit",
		ship(SHIPPED, "[push, release]", `${ID}/runner=ship`),
		["warning", "tier-event", "runs of release are refused"],
	],
];

const PROTECTED: Row[] = [
	[
		"a build tier does not serve a protected environment",
		job(`${ID}/runner=small`, "    environment: { name: Guarded-eu, url: x }\n"),
		["error", "tier-protected", "the environment Guarded-eu is protected: only a deploy tier serves it (tier build)"],
	],
	[
		"a matrix may bring one: each leg is judged",
		job(`${ID}/runner=small`, "    strategy: { matrix: { env: [guarded-us, qa, guarded-eu] } }\n    environment: ${{ matrix.env }}\n"),
		["error", "tier-protected", "the environment guarded-us is protected"],
		["error", "tier-protected", "the environment guarded-eu is protected"],
	],
	[
		"a leg of a deploy tier may have it",
		ship(
			`    ${TOKEN}\n    strategy: { matrix: { include: [{ r: open, e: guarded-eu }, { r: small, e: qa }] } }\n    environment: \${{ matrix.e }}\n`,
			"push",
			`${ID}/runner=\${{ matrix.r }}`,
		),
	],
	["a build tier serves other environments", job(`${ID}/runner=small`, "    environment: preview\n")],
	["a deploy tier serves it", ship(`    ${TOKEN}\n    environment: guarded-eu\n`)],
];

claims("tiers", "tier", TIERS);
claims("the workflow of a deploy tier", "deploy", DEPLOYS);
claims("a protected environment", "protected", PROTECTED, `${CONFIG}protectedEnvironments: [guarded-*]\n`);

/** The poller finds no approval for a job without an environment. */
const APPROVED: Row[] = [
	["is missing without an environment", ship(`    ${TOKEN}\n`), ["error", "deploy-environment", "the tier asks for an approval"]],
	["may be there with one", ship(SHIPPED)],
];
claims("an approval", "approved", APPROVED, CONFIG.replace("loose: { kind: deploy,", "loose: { kind: deploy, requireApproval: true,"));
