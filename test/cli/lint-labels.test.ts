// What lint says of jobs: one workflow for each claim, all of them in one repository, read by one run.
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { CONFIG, lint } from "./repository.ts";

setDefaultTimeout(60_000);

const ID = "mayfly=${{ github.run_id }}";
const TOKEN = "permissions: { id-token: write }";

interface Said {
	severity: string;
	rule: string;
	line: number;
	message: string;
}
type Expected = [severity: string, rule: string, part: string];
type Row = [claim: string, text: string, ...Expected[]];

const job = (runsOn: string, more = "") => `on: push\npermissions: {}\njobs:\n  one:\n    runs-on: ${runsOn}\n${more}`;
const matrix = (runsOn: string, values: string) => job(runsOn, `    strategy:\n      matrix: ${values}\n`);
const ship = (more: string, on = "push", runsOn = `${ID}/runner=open`) => `on: ${on}\njobs:\n  one:\n    runs-on: ${runsOn}\n${more}`;
const SHIPPED = `    ${TOKEN}\n    environment: production\n`;

const LABELS: Row[] = [
	["a preset is served", job(`${ID}/runner=small`)],
	["a description is served", job(`${ID}/cpu=2+8/arch=arm64`)],
	["a plain set that a preset lists is served", job("[Linux, x64, self-hosted]")],
	["a preset may list the name of a runner of GitHub's", job("ubuntu-22.04")],
	["GitHub's own runners are GitHub's to run", job("ubuntu-latest")],
	["GitHub's larger runners are too", job("windows-latest-8-cores")],
	["macOS is too", job("macos-15-xlarge")],
	["a group of GitHub's runners is too", job("{ group: big, labels: ubuntu-24.04 }")],
	[
		"a job of a reusable workflow says itself where it runs",
		"on: push\npermissions: {}\njobs:\n  one:\n    uses: ./.github/workflows/x.yml\n",
	],
	["labels stand in a group as well", job("{ group: big, labels: [self-hosted, linux, x64] }")],
	[
		"labels in a group are checked as well",
		job(`{ group: big, labels: "${ID}/runner=huge" }`),
		["error", "label", "runner=huge is neither"],
	],
	["a label may be one whole expression", job("${{ format('mayfly={0}/runner=small', github.run_id) }}")],
	["a list of labels may be one", job('${{ fromJSON(\'["self-hosted","linux","x64"]\') }}')],
	["a group may be one", job('${{ fromJSON(\'{"group":"g","labels":["gpu"]}\') }}'), ["warning", "label-unserved", "gpu"]],
	["the attempt is known to be some number", job(`${ID}/runner=small/spot=\${{ github.run_attempt == 1 }}`)],

	["an unknown preset is refused", job(`${ID}/runner=huge`), ["error", "label", `job one: ${ID}/runner=huge: runner=huge is neither`]],
	["an unknown key is refused", job(`${ID}/runer=small`), ["error", "label", "The key runer is unknown"]],
	["a key that is not honoured is refused", job(`${ID}/runner=small/sticky=80gb`), ["error", "label", "sticky is not honoured"]],
	["a machine over the ceiling is refused", job(`${ID}/cpu=64`), ["error", "label", "over the ceiling of tier build"]],
	["keys in labels of their own are refused", job(`["${ID}", "runner=small"]`), ["error", "label", "stands in a label of its own"]],
	["a label that contradicts the machine is refused", job(`["${ID}/runner=small", arm64]`), ["error", "label", "contradicts"]],
	["a label without an id is refused", job("mayfly=/runner=small"), ["error", "label", "needs an id"]],
	["plain labels that no preset lists may be another's", job("[self-hosted, gpu]"), ["warning", "label-unserved", "self-hosted, gpu"]],
	["a name that is almost GitHub's is none", job("ubuntu-lates"), ["warning", "label-unserved", "ubuntu-lates"]],
	[
		"a RunsOn label is served only when the operator says so",
		job("runs-on=${{ github.run_id }}/cpu=2"),
		["warning", "runs-on-label", "acceptRunsOnLabels"],
	],
	["a group alone asks for no label", job("{ group: big }"), ["note", "label-unknown", "a runner group without labels"]],

	[
		"a fixed id is shared by runs",
		job("mayfly=1/runner=small"),
		["warning", "label-not-unique", "the label mayfly=1/runner=small is the same in other runs"],
	],
	[
		"an id of the commit is shared by runs",
		job("mayfly=${{ github.sha }}/runner=small"),
		["warning", "label-not-unique", "${{ github.run_id }}"],
	],
	[
		"an id of a variable is shared by runs",
		job("mayfly=${{ vars.X }}/runner=small"),
		["warning", "label-not-unique", "${{ github.run_id }}"],
	],
	["more beside the run's id does no harm", job("mayfly=x-${{ github.run_id }}-${{ strategy.job-index }}-${{ github.ref }}/runner=small")],
	["an id that may be the run's own passes", job("mayfly=${{ inputs.id }}/runner=small")],
	["the id need not stand first", job("runner=small/mayfly=1"), ["warning", "label-not-unique", "runner=small/mayfly=1"]],

	[
		"an input is known only at the run",
		job("${{ inputs.runner }}"),
		["note", "label-unknown", "${{ inputs.runner }} are known only when the job runs"],
	],
	[
		"a preset by an output is known only at the run",
		job(`${ID}/runner=\${{ needs.a.outputs.size }}`),
		["note", "label-unknown", "needs.a.outputs.size"],
	],
	[
		"a choice by the event is known only at the run",
		job("${{ github.event_name == 'push' && 'a' || 'b' }}"),
		["note", "label-unknown", "known only"],
	],
	["a function that is new to lint is known only at the run", job("${{ case(true, 'a', 'b') }}"), ["note", "label-unknown", "known only"]],
	["env is not there in runs-on", job("${{ env.RUNNER }}"), ["error", "runs-on", "the context env is not available in runs-on"]],
	["an expression without end is an error", job(`"${ID.slice(0, -2)}"`), ["error", "runs-on", "not closed"]],
	["an expression that is none is an error", job("${{ 'a }}"), ["error", "runs-on", "expression"]],
	["an empty label is an error", job("[self-hosted, '']"), ["error", "runs-on", "empty label"]],
	["no label at all is an error", job("[]"), ["error", "runs-on", "empty label"]],
	["runs-on with nothing behind it is an error", job(""), ["error", "runs-on", "empty label"]],
	[
		"runs-on that is left out is an error",
		"on: push\npermissions: {}\njobs:\n  one: { steps: [{ run: x }] }\n",
		["error", "runs-on", "job one: it has no runs-on"],
	],
	["runs-on of lists in lists is an error", job("[[a]]"), ["error", "workflow", "must be a text"], ["error", "runs-on", "empty label"]],
	[
		"an unknown key beside group is an error",
		job("{ group: a, label: x }"),
		["error", "workflow", "unknown key label"],
		["note", "label-unknown", "group"],
	],
];

const MATRICES: Row[] = [
	[
		"every leg is checked",
		matrix("${{ matrix.on }}", "{ on: [ubuntu-latest, gpu, tpu] }"),
		["warning", "label-unserved", "gpu"],
		["warning", "label-unserved", "tpu"],
	],
	["legs that say the same are told once", matrix("${{ matrix.on }}", "{ on: [gpu], v: [1, 2, 3] }"), ["warning", "label-unserved", "gpu"]],
	["a leg may be excluded", matrix("${{ matrix.on }}", "{ on: [ubuntu-latest, gpu], exclude: [{ on: gpu }] }")],
	[
		"a leg may be included",
		matrix("${{ matrix.on }}", "{ on: [ubuntu-latest], include: [{ on: gpu }] }"),
		["warning", "label-unserved", "gpu"],
	],
	["values may be parts of labels", matrix(`${ID}/runner=\${{ matrix.size }}`, "{ size: [small, big] }"), ["error", "label", "runner=big"]],
	[
		"values may be mappings",
		matrix("${{ matrix.on.label }}", "{ on: [{ label: gpu }, { label: ubuntu-latest }] }"),
		["warning", "label-unserved", "gpu"],
	],
	[
		"values may be lists of labels",
		matrix("${{ matrix.on }}", "{ on: [[self-hosted, linux, x64], [self-hosted]] }"),
		["warning", "label-unserved", "self-hosted"],
	],
	[
		"values may hold expressions",
		matrix("${{ matrix.on }}", `{ on: ["${ID}/runner=small", "${ID}/runner=big"] }`),
		["error", "label", "runner=big"],
	],
	[
		"values may be known in part",
		matrix("${{ matrix.on }}", '{ on: ["mayfly=${{ github.sha }}/runner=small"] }'),
		["warning", "label-not-unique", "the same in other runs"],
	],
	[
		"a literal fromJSON is known",
		matrix("${{ matrix.on }}", "{ on: \"${{ fromJSON('[1, 2]') }}\" }"),
		["warning", "label-unserved", "labels 1"],
		["warning", "label-unserved", "labels 2"],
	],
	[
		"an output as a list is known only at the run",
		matrix("${{ matrix.on }}", '{ on: "${{ fromJSON(needs.a.outputs.on) }}" }'),
		["note", "label-unknown", "${{ matrix.on }}"],
	],
	[
		"an output as the matrix is too",
		matrix("${{ matrix.on }}", "${{ fromJSON(needs.a.outputs.matrix) }}"),
		["note", "label-unknown", "${{ matrix.on }}"],
	],
	[
		"what else the matrix has may be unknown",
		matrix("${{ matrix.on }}", '{ on: [gpu], v: "${{ fromJSON(inputs.v) }}" }'),
		["warning", "label-unserved", "gpu"],
	],
	["a value that no leg has is an empty label", matrix("${{ matrix.of }}", "{ on: [gpu] }"), ["error", "runs-on", "empty label"]],
	[
		"a matrix that is a text is an error",
		matrix("ubuntu-latest", "many"),
		["error", "workflow", "the matrix of job one must be a mapping"],
	],
	[
		"a vector that is a text is an error",
		matrix("ubuntu-latest", "{ on: linux }"),
		["error", "workflow", "on of the matrix of job one must be a list"],
	],
	[
		"a matrix of thousands is an error",
		matrix("ubuntu-latest", `{ a: [${"1,".repeat(300)}], b: [${"1,".repeat(300)}] }`),
		["error", "workflow", "more than 256 jobs"],
	],
];

const PERMISSIONS: Row[] = [
	["permissions of the workflow are enough", "on: push\npermissions: read-all\njobs: { one: { runs-on: ubuntu-latest } }\n"],
	["permissions of every job are too", "on: push\njobs: { one: { runs-on: ubuntu-latest, permissions: {} } }\n"],
	[
		"a job without any is told, whoever runs it",
		"on: push\njobs: { one: { runs-on: ubuntu-latest }, two: { uses: a/b@v1 }, three: { runs-on: ubuntu-latest, permissions: {} } }\n",
		["warning", "permissions", "job one: neither"],
		["warning", "permissions", "job two: neither"],
	],
	["a workflow that is only called has its caller's", "on: workflow_call\njobs: { one: { runs-on: ubuntu-latest } }\n"],
	[
		"write-all is too wide",
		"on: push\npermissions: write-all\njobs: { one: { runs-on: ubuntu-latest } }\n",
		["warning", "permissions-wide", "write-all"],
	],
	[
		"write-all of a job is too",
		"on: push\njobs: { one: { runs-on: ubuntu-latest, permissions: write-all } }\n",
		["warning", "permissions-wide", "write-all"],
	],
	[
		"write that two jobs inherit is too wide",
		"on: push\npermissions: { contents: read, packages: write }\njobs: { one: { runs-on: ubuntu-latest }, two: { runs-on: ubuntu-latest } }\n",
		["warning", "permissions-wide", "packages: write is inherited by 2 jobs"],
	],
	[
		"write that one job has is as narrow at the top",
		"on: push\npermissions: { packages: write }\njobs: { one: { runs-on: ubuntu-latest }, two: { runs-on: ubuntu-latest, permissions: {} } }\n",
	],
	[
		"permissions that do not exist are an error",
		"on: push\npermissions: { contents: all }\njobs: { one: { runs-on: ubuntu-latest } }\n",
		["error", "workflow", "contents of permissions of the workflow must be read, write or none"],
	],
];

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
	["an environment that is known only at the run", ship(SHIPPED.replace("production", "${{ inputs.where }}"), "push", `${ID}/runner=ship`)],
	[
		"an event that the tier does not admit",
		ship(SHIPPED, "[push, release]", `${ID}/runner=ship`),
		["warning", "tier-event", "runs of release are refused"],
	],
];

const GROUPS: [string, Row[], string][] = [
	["labels", LABELS, "label"],
	["the matrix", MATRICES, "matrix"],
	["permissions", PERMISSIONS, "permissions"],
	["tiers", TIERS, "tier"],
	["the workflow of a deploy tier", DEPLOYS, "deploy"],
];

let said: Map<string, Said[]>;
beforeAll(async () => {
	const files = Object.fromEntries(
		GROUPS.flatMap(([, rows, prefix]) => rows.map(([, text], at) => [`.github/workflows/${prefix}-${at}.yml`, text])),
	);
	const { out } = await lint({ "mayfly.yml": CONFIG, ...files }, "--json");
	const { problems, notes } = JSON.parse(out) as { problems: (Said & { file: string })[]; notes: (Said & { file: string })[] };
	said = new Map(Object.keys(files).map((file) => [file, [...problems, ...notes].filter((problem) => problem.file === file)]));
});

for (const [name, rows, prefix] of GROUPS)
	describe(name, () => {
		for (const [at, [claim, , ...expected]] of rows.entries())
			test(claim, () => {
				const found = (said.get(`.github/workflows/${prefix}-${at}.yml`) ?? []).map(({ severity, rule, message }) => ({
					severity,
					rule,
					message,
				}));
				const wanted = expected.map(([severity, rule, part]) => ({ severity, rule, message: expect.stringContaining(part) }));
				expect(found).toHaveLength(wanted.length);
				expect(found).toEqual(expect.arrayContaining(wanted));
			});
	});
