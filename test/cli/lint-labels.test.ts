// What lint says of `runs-on`: labels, and expressions as far as they are known.
import { setDefaultTimeout } from "bun:test";
import { claims, ID, job, type Row } from "./claims.ts";

setDefaultTimeout(60_000);

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
	["a machine that no type is like is refused", job(`${ID}/cpu=3`), ["error", "label", "No instance type that is known here has 3 vCPUs"]],
	["a family of another architecture is refused", job(`${ID}/family=m8g.large`), ["error", "label", "x64, family m8g.large"]],
	["a whole type needs no cpu beside it", job(`${ID}/family=m7i.2xlarge`)],
	["a job of another stack is another's", job(`${ID}/env=staging`), ["warning", "label-unserved", "asks for the environment staging"]],
	["a job of any region may be this stack's", job(`${ID}/env=production/region=eu-west-1`)],
	["a lone beginning of a label is refused", job("mayfly"), ["error", "label", "mayfly= needs an id"]],
	[
		"all that speaks against a label is said",
		job(`${ID}/image=debian/cpu=64`),
		["error", "label", "image=debian is unknown: images are ubuntu, arm. The machine asked for is over the ceiling"],
	],
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
	["a function that is new to lint is known only at the run", job("${{ case(true, 'a', 'b') }}"), ["note", "label-unknown", "known only"]],
	["env is not there in runs-on", job("${{ env.RUNNER }}"), ["error", "runs-on", "the context env is not available in runs-on"]],
	["an expression without end is an error", job(`"${ID.slice(0, -2)}"`), ["error", "runs-on", "not closed"]],
	["an expression that is none is an error", job("${{ 'a }}"), ["error", "runs-on", "expression"]],
	["an empty label is an error", job("[self-hosted, '']"), ["error", "runs-on", "empty label"]],
	["no label at all is an error", job("[]"), ["error", "runs-on", "empty label"]],
	["runs-on with nothing behind it is an error", job(""), ["error", "runs-on", "empty label"]],
	[
		"an empty label does not hide what is wrong with another",
		job('["${{ matrix.foo }}", "mayfly=1/foo=2"]'),
		["error", "runs-on", "empty label"],
		["error", "label", "mayfly=1/foo=2: The key foo is unknown"],
		["warning", "label-not-unique", "mayfly=1/foo=2"],
	],
	[
		"a job that calls a workflow has no runs-on",
		"on: push\npermissions: {}\njobs:\n  one:\n    uses: ./.github/workflows/x.yml\n    runs-on: ubuntu-latest\n",
		["error", "workflow", "job one has uses and runs-on"],
	],
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

claims("labels", "label", LABELS);
