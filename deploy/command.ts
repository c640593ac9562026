// `bun run deploy`: from the command line to how it ended. Every error of an edge is told here, once.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { addressProblems } from "../egress/cidr-checks.ts";
import { type Account, AccountError, readAccount } from "./account.ts";
import { type DeployArguments, HELP, readArguments } from "./arguments.ts";
import { Hindrance } from "./artifacts.ts";
import { carryOut, type Progress, takeBack } from "./carry-out.ts";
import { type CloudFormation, CloudFormationError, createCloudFormation } from "./cloudformation.ts";
import { dryRunLines, dryRunOf } from "./dry-run.ts";
import { advice, type Cause } from "./errors.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { MAILBOX_OUTPUT } from "./mailbox.ts";
import { exitStatus, type Outcome, outcomeJson, outputLines } from "./outcome.ts";
import { type Chosen, decideParameters } from "./parameters.ts";
import { findParts, wantedRunners, wrongParts } from "./parts.ts";
import { planDeployment } from "./plan.ts";
import { isThere, type StackNow, wayTo } from "./stack-state.ts";
import { buildCode, stage } from "./stage.ts";
import { createStorage, StorageError } from "./storage.ts";
import type { Surroundings } from "./surroundings.ts";
import { readVpc } from "./vpc.ts";

/** Runs the command and gives the exit status. */
export async function deploy(argv: string[], around: Surroundings): Promise<number> {
	const read = readArguments(argv, around.defaultRegion);
	if (read.ok && read.value === "help") {
		around.out(HELP);
		return 0;
	}
	const args = read.ok ? (read.value as DeployArguments) : null;
	const json = args?.json ?? argv.includes("--json");
	const say = (line: string) => (json ? around.err : around.out)(`${line}\n`);
	const outcome: Outcome = read.ok
		? await outcomeOf(read.value as DeployArguments, around, say)
		: { kind: "refused", problems: [...read.problems, "see bun run deploy --help"] };
	for (const problem of "problems" in outcome ? outcome.problems : []) around.err(`${problem}\n`);
	if (json) around.out(`${JSON.stringify(outcomeJson(outcome, args && { stack: args.stack, region: args.region }))}\n`);
	else for (const line of linesOf(outcome)) around.out(`${line}\n`);
	return exitStatus(outcome);
}

function linesOf(outcome: Outcome): string[] {
	switch (outcome.kind) {
		case "planned":
			return [...dryRunLines(outcome.plan), ...outcome.notes];
		case "unchanged":
			return outputLines(outcome.outputs);
		case "deployed":
			return ["deployed", ...outputLines(outcome.outputs), "next:", ...outcome.next.map((line) => `  ${line}`)];
		case "declined":
			return ["nothing was changed"];
		default:
			return [];
	}
}

async function outcomeOf(args: DeployArguments, around: Surroundings, say: (line: string) => void): Promise<Outcome> {
	const progress: Progress = { changeSet: null, emptyStack: null, restoreList: null, executing: false };
	const cloudFormation = createCloudFormation(args.region, around.signal);
	try {
		const read = await readInputs(args, around.checkout, around.colour);
		return read.ok
			? await prepared(args, read.inputs, { around, say, cloudFormation, progress })
			: { kind: "refused", problems: read.problems };
	} catch (error) {
		if (around.signal.aborted) return interrupted(args, cloudFormation, progress);
		const known = [AccountError, CloudFormationError, StorageError, Hindrance].some((type) => error instanceof type);
		if (!known) throw error;
		const { message, why = "other" } = error as Error & { why?: Cause };
		const hint = advice(why, args.region);
		const left = progress.executing ? [EXECUTING] : await takeBack({ cloudFormation, progress });
		return { kind: why === "credentials" ? "refused" : "failed", problems: [message, ...(hint ? [hint] : []), ...left] };
	}
}

/** Of a command that ended in the middle of a change. */
const EXECUTING =
	"the change was begun, and CloudFormation goes on without this command: deploy again when it has ended, which brings the mailbox up to date";

async function interrupted({ stack, region }: DeployArguments, cloudFormation: CloudFormation, progress: Progress): Promise<Outcome> {
	if (!progress.executing)
		return { kind: "interrupted", problems: ["interrupted: nothing was changed", ...(await takeBack({ cloudFormation, progress }))] };
	const watch = `aws cloudformation describe-stack-events --stack-name ${stack} --region ${region}`;
	return {
		kind: "interrupted",
		problems: [
			`interrupted: CloudFormation goes on without this command. Watch it: ${watch}. When it has ended, deploy again: that brings the mailbox up to date`,
		],
	};
}

interface Tools {
	around: Surroundings;
	say: (line: string) => void;
	cloudFormation: CloudFormation;
	progress: Progress;
}

async function prepared(args: DeployArguments, inputs: Inputs, tools: Tools): Promise<Outcome> {
	const { around, say, cloudFormation } = tools;
	const seen = await lookAt(args, around, cloudFormation);
	const { chosen, missing, problems } = decideParameters(inputs.root, inputs.given, isThere(seen.stack) ? seen.stack.parameters : null);
	const vpc = await lookAtVpc(args, chosen, seen, around.signal);
	const parts = await findParts(join(around.checkout, "dist"));
	const wanted = wantedRunners(inputs.file);
	const found = [
		...problems,
		...vpc.problems,
		...missing.map((name) => missingLine(name, inputs)),
		...(missing.length > 0 && seen.unseen ? [`(the stack could not be looked at: ${seen.unseen})`] : []),
		...wrongParts(parts, wanted),
	];
	if (found.length > 0) return { kind: "refused", problems: found };
	const planned = planDeployment(inputs, chosen, await buildCode(), { account: seen.account?.id ?? NO_ACCOUNT, region: args.region });
	if (!planned.ok) return { kind: "refused", problems: [planned.reason] };
	const { plan } = planned;
	const staged = join(around.checkout, "dist", "stack");
	await stage(staged, plan);
	if (args.dryRun) {
		const sized = await Promise.all(parts.map(async (part) => ({ ...part, bytes: (await stat(part.path)).size })));
		const dry = dryRunOf(plan, sized, seen.stack?.outputs[MAILBOX_OUTPUT] ?? null);
		return {
			kind: "planned",
			plan: dry,
			notes: [...seen.notes, ...vpc.notes, `nothing was uploaded or changed; what would be is in ${staged}`],
		};
	}
	const account = seen.account as Account;
	const way = wayTo(args.stack, args.region, seen.stack);
	if ("refused" in way) return { kind: "refused", problems: [way.refused] };
	say(`account ${account.id} as ${account.caller}`);
	for (const note of vpc.notes) say(note);
	const storage = createStorage(args.region, account.id, around.signal);
	const afterwards = createStorage(args.region, account.id, new AbortController().signal);
	const content = { objects: plan.mailbox, parts, wanted };
	return carryOut({ args, plan, content, before: seen.stack, type: way.type, templates: inputs.templates, storage, afterwards, ...tools });
}

/** Stands in a dry run for an account that is not known. */
const NO_ACCOUNT = "000000000000";

interface Seen {
	account: Account | null;
	stack: StackNow | null;
	/** Why nothing could be seen; null: all was. */
	unseen: string | null;
	notes: string[];
}

/** Whether `Cidr` is free in a VPC that exists already, told before CloudFormation would run into it. */
async function lookAtVpc(
	{ region, stack }: DeployArguments,
	chosen: readonly Chosen[],
	{ account }: Seen,
	signal: AbortSignal,
): Promise<{ problems: string[]; notes: string[] }> {
	const value = (name: string) => chosen.find((one) => one.name === name)?.value ?? "";
	const [vpcId, cidr] = [value("VpcId"), value("Cidr")];
	if (vpcId === "" || account === null) return { problems: [], notes: [] };
	const read = await readVpc(region, vpcId, stack, signal);
	if (!read.ok) return { problems: [], notes: [`whether ${cidr} is free in ${vpcId} was not looked at (${read.reason})`] };
	const { own, taken } = read.ranges;
	const alone = addressProblems({ cidr }).map(({ reason }) => reason);
	const wrong = addressProblems({ cidr, taken, within: own }).filter(({ reason }) => !alone.includes(reason));
	return { problems: wrong.map(({ path, reason }) => `${path}: ${reason}`), notes: [] };
}

/** The account and the stack as they are. A dry run does without. */
async function lookAt(args: DeployArguments, { signal }: Surroundings, cloudFormation: CloudFormation): Promise<Seen> {
	try {
		const account = await readAccount(args.region, signal);
		const stack = await cloudFormation.stack(args.stack);
		const way = wayTo(args.stack, args.region, stack);
		const state = isThere(stack) ? `is there (${stack.status}): this would change it` : "is not there: this would make it";
		const notes = [
			"refused" in way ? `this would be refused: ${way.refused}` : `the stack ${args.stack} of account ${account.id} ${state}`,
		];
		return { account, stack, unseen: null, notes };
	} catch (error) {
		if (!args.dryRun || signal.aborted || !(error instanceof AccountError || error instanceof CloudFormationError)) throw error;
		const unseen = `${error.message}; ${advice(error.why, args.region)}`;
		const notes = [`the account was not looked at, ${NO_ACCOUNT} stands for it (${unseen})`];
		return { account: null, stack: null, unseen, notes };
	}
}

function missingLine(name: string, { root }: Inputs): string {
	const about = root.Parameters?.[name]?.Description;
	return `${name} is missing${about ? ` (${about})` : ""}: --set ${name}=..., or ${name} in the file of --parameters`;
}
