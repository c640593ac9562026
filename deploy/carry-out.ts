// A deployment, step by step: the bucket, the uploads, the change set, the question, the change. Decides through the pure files beside it.
import { EGRESS_KEY } from "../contract/egress.ts";
import type { DeployArguments } from "./arguments.ts";
import { ARTIFACTS_TEMPLATE, ensureArtifactsBucket, Hindrance, uploadArtifacts } from "./artifacts.ts";
import { changeSetName, makeChangeSet } from "./change-set.ts";
import { changeCounts, changeLines } from "./changes.ts";
import { type ChangeSetNow, type CloudFormation, CloudFormationError } from "./cloudformation.ts";
import { eventLine, firstFailure, watch } from "./events.ts";
import { type Behind, behind, bringUp, gatewaysList, lateLines, MAILBOX_OUTPUT, type MailboxContent, missingRunners } from "./mailbox.ts";
import { nextSteps } from "./next-steps.ts";
import type { Outcome } from "./outcome.ts";
import { artifactOf } from "./package.ts";
import type { Plan } from "./plan.ts";
import { hasSucceeded, isThere, type StackNow } from "./stack-state.ts";
import type { Bucket } from "./storage.ts";
import type { Surroundings } from "./surroundings.ts";

export interface Deployment {
	args: DeployArguments;
	plan: Plan;
	content: MailboxContent;
	/** The stack before; null: none. */
	before: StackNow | null;
	type: "CREATE" | "UPDATE";
	templates: Record<string, string>;
	cloudFormation: CloudFormation;
	storage: Bucket;
	/** The same, for what must be done after an interruption. */
	afterwards: Bucket;
	around: Surroundings;
	say: (line: string) => void;
	/** How far it is, for an interruption. */
	progress: Progress;
}
/** What an interruption has to take back, or to leave alone. */
export interface Progress {
	changeSet: string | null;
	/** A stack that is there for the change set's sake alone. */
	emptyStack: string | null;
	/** Puts back the gateways' list of before. */
	restoreList: (() => Promise<void>) | null;
	executing: boolean;
}

export async function carryOut(deployment: Deployment): Promise<Outcome> {
	const { args, plan, type, before, cloudFormation, storage, around, say, progress } = deployment;
	const ports = { cloudFormation, storage, say, sleep: around.sleep };
	await ensureArtifactsBucket(ports, plan.bucket, deployment.templates[ARTIFACTS_TEMPLATE] ?? "", args.roleArn);
	const uploaded = await uploadArtifacts(ports, plan.bucket, plan.artifacts);
	say(`${uploaded} of ${plan.artifacts.length} artifacts uploaded, the others were there`);
	for (const { key } of plan.package.artifacts.filter(({ from }) => from.endsWith(".yaml")))
		await cloudFormation.validate(plan.rootUrl.replace(plan.package.root.key, key));
	const name = changeSetName(around.now());
	const parameters = Object.fromEntries(plan.chosen.map((one) => [one.name, one.source === "the stack" ? null : one.value]));
	const request = { stack: args.stack, name, type, templateUrl: plan.rootUrl, parameters, roleArn: args.roleArn };
	const begun = (id: string) => {
		progress.changeSet = id;
		if (before === null) progress.emptyStack = args.stack;
	};
	const made = await makeChangeSet(cloudFormation, request, { sleep: around.sleep, begun, say });
	if (made.kind === "failed") {
		progress.changeSet = null;
		return { kind: "failed", problems: [`CloudFormation cannot make the change set: ${made.reason}`, ...(await takeBack(deployment))] };
	}
	if (made.kind === "unchanged") {
		progress.changeSet = null;
		return unchanged(deployment, before);
	}
	return askAndExecute(deployment, made.changeSet);
}

type Consent = "yes" | "no" | "nobody is here";

async function consent({ args, around }: Deployment): Promise<Consent> {
	if (args.yes) return "yes";
	if (around.ask === null) return "nobody is here";
	return /^y(es)?$/i.test((await around.ask("carry this out? (yes/no) ")).trim()) ? "yes" : "no";
}

/** The bucket may be behind all the same: an upload that was interrupted, a part that was built since. */
async function unchanged(deployment: Deployment, before: StackNow | null): Promise<Outcome> {
	const { storage, say, content } = deployment;
	const bucket = before?.outputs[MAILBOX_OUTPUT] ?? null;
	const late = bucket === null ? [] : await behind(storage, bucket, content);
	if (bucket !== null && late.length > 0) {
		for (const line of lateLines(bucket, late)) say(line);
		const answer = await consent(deployment);
		if (answer === "no") return { kind: "declined" };
		if (answer !== "yes")
			return { kind: "refused", problems: ["nobody is here to be asked: deploy again with --yes to bring the mailbox up to date"] };
		await bringUp(storage, bucket, late, say);
	} else say("nothing to change");
	return { kind: "unchanged", outputs: before?.outputs ?? {} };
}

async function askAndExecute(deployment: Deployment, changeSet: ChangeSetNow): Promise<Outcome> {
	const { args, type, before, content, storage, around, say, progress } = deployment;
	for (const line of changeLines(changeSet.changes, around.colour && !args.json)) say(line);
	say(
		`${type === "CREATE" ? `the new stack ${args.stack}` : `the stack ${args.stack}`} in ${args.region}: ${changeCounts(changeSet.changes)}`,
	);
	const bucket = before?.outputs[MAILBOX_OUTPUT] ?? null;
	const late = bucket === null ? [] : await behind(storage, bucket, content);
	for (const line of bucket === null ? [] : lateLines(bucket, late)) say(line);
	const answer = await consent(deployment);
	if (answer === "no") {
		await takeBack(deployment);
		return { kind: "declined" };
	}
	if (answer !== "yes") {
		progress.changeSet = null;
		const review = `aws cloudformation describe-change-set --change-set-name ${changeSet.id}`;
		return {
			...{ kind: "waiting", changeSet: changeSet.id },
			problems: [`nobody is here to be asked: the change set waits for review (${review}); deploy again with --yes to carry it out`],
		};
	}
	if (bucket !== null) await replaceMailbox(deployment, bucket, late);
	return execute(deployment, changeSet);
}

async function replaceMailbox({ storage, afterwards, say, progress }: Deployment, bucket: string, late: readonly Behind[]): Promise<void> {
	const list = await gatewaysList(storage, bucket);
	if (list !== null && late.some(({ key }) => key === EGRESS_KEY)) {
		const object = { ...artifactOf("", EGRESS_KEY, list), key: EGRESS_KEY, contentType: "application/json" };
		progress.restoreList = () => afterwards.put(bucket, object);
	}
	await bringUp(storage, bucket, late, say);
}

async function execute(deployment: Deployment, changeSet: ChangeSetNow): Promise<Outcome> {
	const { args, before, content, cloudFormation, storage, around, say, progress } = deployment;
	const { stackId } = changeSet;
	const seen = new Set((await cloudFormation.events(stackId)).map(({ id }) => id));
	progress.executing = true;
	try {
		await cloudFormation.execute(stackId, changeSet.id, changeSetName(around.now()));
	} catch (error) {
		progress.executing = !(error instanceof CloudFormationError && error.isRefusal);
		throw error;
	}
	const watched = {
		events: cloudFormation.events,
		status: async (id: string) => (await cloudFormation.stack(id))?.status ?? "DELETE_COMPLETE",
		sleep: around.sleep,
	};
	const end = await watch(stackId, seen, watched, (event) => say(eventLine(event)));
	if (!hasSucceeded(end.status)) {
		await progress.restoreList?.();
		const first = firstFailure(end.events);
		const why = first ? `${first.logicalId} (${first.type}): ${first.reason ?? first.status}` : "CloudFormation names no resource";
		return { kind: "failed", problems: [`the stack ${args.stack} is ${end.status}; first failed ${why}`] };
	}
	const outputs = (await cloudFormation.stack(stackId))?.outputs ?? {};
	const bucket = outputs[MAILBOX_OUTPUT];
	if (!bucket) throw new Hindrance(`the stack ${args.stack} has no output ${MAILBOX_OUTPUT}: its mailbox cannot be filled`);
	await bringUp(storage, bucket, await behind(storage, bucket, content), say);
	const missing = await missingRunners(storage, bucket, content);
	const fetchRunners = missing.map(
		({ key }) => `put ${key.replace("dist/", "")} into dist/ and deploy again: machines look for it (runner in mayfly.yml)`,
	);
	return { kind: "deployed", outputs, next: [...fetchRunners, ...nextSteps(args.stack, args.region, !isThere(before))] };
}

/** Takes back what is there for the change set alone; gives what could not be. */
export async function takeBack({ cloudFormation, progress }: Pick<Deployment, "cloudFormation" | "progress">): Promise<string[]> {
	const { changeSet, emptyStack, restoreList } = progress;
	try {
		await restoreList?.();
		if (changeSet !== null) await cloudFormation.deleteChangeSet(changeSet);
		if (emptyStack !== null) await cloudFormation.deleteStack(emptyStack);
		return [];
	} catch (error) {
		return [`left behind: ${changeSet ?? emptyStack} (${error instanceof Error ? error.message : String(error)})`];
	} finally {
		progress.changeSet = null;
		progress.emptyStack = null;
		progress.restoreList = null;
	}
}
