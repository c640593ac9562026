// What lint says of `runs-on` that a matrix decides.
import { setDefaultTimeout } from "bun:test";
import { claims, ID, job, type Row } from "./claims.ts";

setDefaultTimeout(60_000);

const matrix = (runsOn: string, values: string) => job(runsOn, `    strategy:\n      matrix: ${values}\n`);

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
		"a literal fromJSON may be the whole matrix",
		matrix(`${ID}/runner=\${{ matrix.r }}`, '"${{ fromJSON(\'{\\"r\\":[\\"small\\",\\"zz\\"],\\"include\\":[{\\"r\\":\\"yy\\"}]}\') }}"'),
		["error", "label", "runner=zz is neither"],
		["error", "label", "runner=yy is neither"],
	],
	[
		"a literal fromJSON that is no mapping is an error",
		matrix("ubuntu-latest", "\"${{ fromJSON('[1]') }}\""),
		["error", "workflow", "the matrix of job one must be a mapping"],
	],
	[
		"an empty vector is an error, and hides nothing else",
		matrix("mayfly=${{ github.run_id }}/foo=1", "{ x: [] }"),
		["error", "workflow", "x of the matrix of job one is an empty list"],
		["error", "label", "The key foo is unknown"],
	],
	[
		"so is one of a literal fromJSON",
		matrix("ubuntu-latest", "{ x: \"${{ fromJSON('[]') }}\" }"),
		["error", "workflow", "x of the matrix of job one is an empty list"],
	],
	["an empty include beside a vector is none", matrix("ubuntu-latest", "{ x: [1], include: [], exclude: [] }")],
	[
		"a matrix without any values is an error",
		matrix("mayfly=${{ github.run_id }}/foo=1", "{ include: [] }"),
		["error", "workflow", "the matrix of job one has no values"],
		["error", "label", "The key foo is unknown"],
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

claims("the matrix", "matrix", MATRICES);
