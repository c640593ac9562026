// What lint says of labels that only the run knows: parts that are known all the same, and both ways of a choice.
import { setDefaultTimeout } from "bun:test";
import { claims, ID, job, type Row } from "./claims.ts";
import { CONFIG } from "./repository.ts";

setDefaultTimeout(60_000);

const IN_PART: Row[] = [
	[
		"a key that is not honoured is refused whatever the rest is",
		job(`${ID}/extras=s3-cache/cpu=\${{ inputs.cpu }}`),
		["error", "label", `${ID}/extras=s3-cache/cpu=…: The key extras is not honoured`],
	],
	["so is an unknown key", job(`${ID}/cpu=\${{ inputs.cpu }}/foo=1`), ["error", "label", "The key foo is unknown"]],
	["so is a doubled key", job(`${ID}/ram=4/cpu=\${{ vars.CPU }}/ram=8`), ["error", "label", "The key ram is given twice"]],
	["so is a value that is none", job(`${ID}/ram=much/cpu=\${{ vars.CPU }}`), ["error", "label", "ram=much: "]],
	["a key may be known only in part", job(`${ID}/c\${{ inputs.x }}u=4/ram=8`), ["note", "label-unknown", "known only when the job runs"]],
	["whole parts may be unknown", job(`${ID}/\${{ inputs.rest }}`), ["note", "label-unknown", "known only when the job runs"]],
	["a label beside may be", job(`["${ID}/foo=1", "\${{ inputs.x }}"]`), ["error", "label", "The key foo is unknown"]],
	["labels of others are not read", job("x=1/extras=1/cpu=${{ inputs.cpu }}"), ["note", "label-unknown", "known only when the job runs"]],
];

const push = "github.event_name == 'push'";
const mayfly = (keys: string) => `format('mayfly={0}/${keys}', github.run_id)`;

const CHOICES: Row[] = [
	["both ways may be served", job(`\${{ ${push} && 'ubuntu-22.04' || 'ubuntu-latest' }}`)],
	[
		"the first way is checked",
		job(`\${{ ${push} && 'mayfly=1/foo=1' || 'ubuntu-latest' }}`),
		["error", "label", "mayfly=1/foo=1: The key foo is unknown"],
		["warning", "label-not-unique", "mayfly=1/foo=1"],
	],
	["the other is too", job(`\${{ ${push} && 'ubuntu-latest' || 'gpu' }}`), ["warning", "label-unserved", "gpu"]],
	[
		"a way may be an expression that is known",
		job(`\${{ inputs.big && ${mayfly("runner=huge")} || ${mayfly("runner=small")} }}`),
		["error", "label", "runner=huge is neither"],
	],
	[
		"a way that is not known is a note, and the other is checked",
		job(`\${{ ${push} && inputs.runner || 'gpu' }}`),
		["warning", "label-unserved", "gpu"],
		["note", "label-unknown", "known only when the job runs"],
	],
	[
		"what stands in for an input is checked",
		job("${{ inputs.runner || 'gpu' }}"),
		["warning", "label-unserved", "gpu"],
		["note", "label-unknown", "known only when the job runs"],
	],
	[
		"choices may follow each other, in brackets or not",
		job(`\${{ ${push} && 'gpu' || (github.actor == 'x' && contains(github.ref, '||)') && 'tpu' || 'ubuntu-latest') }}`),
		["warning", "label-unserved", "gpu"],
		["warning", "label-unserved", "tpu"],
	],
	["a choice by the matrix is known", job("${{ matrix.a && 'ubuntu-latest' || 'gpu' }}", "    strategy: { matrix: { a: [true] } }\n")],
	[
		"a choice may be a part of a label",
		job(`${ID}/runner=\${{ ${push} && 'huge' || 'small' }}`),
		["error", "label", "runner=huge is neither"],
	],
	[
		"the same condition has the same outcome everywhere",
		job(`${ID}/runner=\${{ ${push} && 'small' || '4cpu-linux-arm64' }}/arch=\${{ ${push} && 'x64' || 'arm64' }}`),
	],
	["a condition without another way is not known", job(`\${{ ${push} && 'ubuntu-latest' }}`), ["note", "label-unknown", "known only"]],
	[
		"more choices than can be tried are a note",
		job(`\${{ ${[..."abcdefghijk"].map((name) => `inputs.${name} && 'gpu' || `).join("")} 'tpu' }}`),
		["note", "label-unknown", "known only when the job runs"],
	],
	[
		"what is wrong in one way is an error",
		job(`\${{ ${push} && env.RUNNER || 'ubuntu-latest' }}`),
		["error", "runs-on", "the context env is not available"],
	],
];

const shipped = (runsOn: string, on: string) =>
	`on: ${on}\npermissions: { id-token: write }\njobs:\n  one:\n    runs-on: ${runsOn}\n    environment: production\n`;
const TIERS: Row[] = [
	[
		"may keep the job from events that its tier refuses",
		shipped(`\${{ ${push} && ${mayfly("runner=open")} || 'ubuntu-latest' }}`, "[push, pull_request]"),
		["warning", "deploy-event", "refuses every run of pull_request"],
	],
	[
		"between machines of one tier keeps it from none",
		shipped(`\${{ inputs.big && ${mayfly("runner=open")} || ${mayfly("runner=open/spot=false")} }}`, "[push, pull_request]"),
		["error", "deploy-event", "refuses every run of pull_request"],
	],
];

/** With a problem in mayfly.yml. */
const FORM: Row[] = [
	["a key that is not honoured", job(`${ID}/extras=s3`), ["error", "label", "The key extras is not honoured"]],
	["an unknown key", job(`${ID}/foo=1`), ["error", "label", "The key foo is unknown"]],
	["a doubled key", job(`${ID}/cpu=2/cpu=4`), ["error", "label", "The key cpu is given twice"]],
	["a part that is malformed", job(`${ID}//cpu=4`), ["error", "label", "an empty part"]],
	["a way of a choice", job(`\${{ ${push} && ${mayfly("foo=1")} || 'x' }}`), ["error", "label", "The key foo is unknown"]],
	[
		"a leg of a matrix",
		job(`${ID}/arch=\${{ matrix.a }}`, "    strategy: { matrix: { a: [x64, risc] } }\n"),
		["error", "label", "arch=risc"],
	],
];
const UNTOLD: Row[] = [
	["a preset that may be none", job(`${ID}/runner=huge`)],
	["plain labels", job("[self-hosted, gpu]")],
	["a RunsOn label, which may not be served", job("runs-on=1/foo=1")],
	["a tier", shipped(`${ID}/runner=ship`, "pull_request")],
];

claims("a label that is known in part", "in-part", IN_PART);
claims("a choice", "choice", CHOICES);
claims("a choice of machines", "tier", TIERS);
claims("what is told though mayfly.yml has problems is", "form", FORM, `${CONFIG}colour: red\n`);
claims("what is not told until mayfly.yml is mended is", "untold", UNTOLD, `${CONFIG}colour: red\n`);
