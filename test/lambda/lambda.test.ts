// The poller's bundle under AWS's Lambda Runtime Interface Emulator with Node 24: started, invoked and timed out by AWS's own code, between a
// real relay and the stand-ins. What it took is printed; only what came of it is asserted.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootKey, parseBootDocument } from "../../contract/boot.ts";
import type { Machine } from "../../contract/job.ts";
import { installLambdaEmulator, type LambdaFunction, startFunction } from "../fakes/lambda-emulator.ts";
import { job, workflow } from "../local/github-client.ts";
import { type Stage, startStage } from "./stage.ts";

const BUILD_MS = 600_000;
const LONG = 300_000;
/** Leases are begun until 45 s before the end: a session of about 20 s, and as long as the relay holds its last lease. */
const TIMEOUT_SECONDS = 65;
/** What of 128 MB is left for V8's heap beside Node itself. */
const [MEMORY_MB, OLD_SPACE_MB] = [128, 64];
const SCHEDULED = { version: "0", source: "aws.events", "detail-type": "Scheduled Event", detail: {} };

let folder: string;
let stage: Stage;
let poller: LambdaFunction;
const start = (env: Record<string, string>) =>
	startFunction({
		...{ folder: stage.task, handler: "poller.handler", env },
		...{ timeoutSeconds: TIMEOUT_SECONDS, memoryMb: MEMORY_MB, oldSpaceMb: OLD_SPACE_MB },
	});
beforeAll(async () => {
	await installLambdaEmulator();
	folder = await mkdtemp(join(tmpdir(), "mayfly-lambda-"));
	stage = await startStage(folder);
	poller = await start(stage.env);
}, BUILD_MS);
afterAll(async () => {
	await poller?.stop();
	await stage?.stop();
	await rm(folder, { recursive: true, force: true });
});

const line = (msg: string) => poller.lines.find((it) => it.msg === msg);
async function until<T>(find: () => T | null | undefined | Promise<T | null | undefined>): Promise<T> {
	for (;;) {
		const found = await find();
		if (found) return found;
		await Bun.sleep(20);
	}
}

/** Invokes the function as the schedule does, until a session has launched the job's machine; a slow machine may need two. */
async function launchedBySchedule(id: number): Promise<Machine> {
	for (;;) {
		expect(await poller.invoke(SCHEDULED)).toBeNull();
		const { state, machine } = await stage.job(id);
		if (state === "launched" && machine) return machine;
	}
}

async function tellFigures(invokedAt: number): Promise<void> {
	const after = (msg: string) => `${Number(line(msg)?.time) - invokedAt} ms`;
	const init = poller.lines.find(({ at }) => at === "runtime")?.initMs;
	const memory = await poller.memory();
	process.stdout.write(
		`under the emulator, ${OLD_SPACE_MB} MB of heap: init ${init} ms; after the invocation the first lease ${after("leased")}, launched ${after("launched")}; ` +
			`peak RSS ${memory?.peak ?? "unknown"} MB, ${memory?.own ?? "unknown"} MB of it not Node's program\n`,
	);
}

test(
	"a cold invocation leases a job from the relay, launches its machine and leaves the boot document, and ends before its time",
	async () => {
		const build = job("build", { runsOn: ["mayfly=1/runner=small"] });
		const queued = stage.github.createRun({ repository: "octo-org/octo-repo", workflow: workflow(build) });
		await until(() => stage.github.deliveries().find(({ statusCode }) => statusCode === 202));
		const invokedAt = Date.now();
		const { instanceId, privateIp, runnerName } = await launchedBySchedule(queued.jobs[0]?.id ?? 0);
		const document = parseBootDocument(JSON.parse((await stage.mailbox.read(bootKey(privateIp, instanceId))) ?? "null"));
		expect(document).toMatchObject({ ok: true, value: { instanceId, runnerName } });
		expect(stage.ec2.instances()).toMatchObject([{ instanceId, market: "spot", tags: { "mayfly:stack": "test" } }]);
		expect(stage.github.runners().map(({ name }) => name)).toEqual([runnerName]);
		expect(line("session ends")).toMatchObject({ end: "time is up" });
		expect(stage.problems).toEqual([]);
		await tellFigures(invokedAt);
	},
	LONG,
);

test(
	"an invocation with EC2's event, warm, begins no session: the relay looks at the job of a machine that is gone sooner",
	async () => {
		const [machine] = stage.ec2.instances();
		const { instanceId = "" } = machine ?? {};
		const id = stage.github.jobs()[0]?.id ?? 0;
		const before = (await stage.job(id)).nextCheckAt ?? 0;
		stage.ec2.interrupt(instanceId, { noticeMs: 0 });
		await until(() => stage.ec2.instances().find(({ state }) => state === "terminated"));
		const began = poller.lines.filter(({ msg }) => msg === "session begins").length;
		const event = { source: "aws.ec2", "detail-type": "EC2 Instance State-change Notification", detail: { "instance-id": instanceId } };
		expect(await poller.invoke(event)).toBeNull();
		expect(line("looked at")).toMatchObject({ instanceId, stateReason: "Server.SpotInstanceTermination", verdict: "keep" });
		expect(poller.lines.filter(({ msg }) => msg === "session begins")).toHaveLength(began);
		expect((await stage.job(id)).nextCheckAt ?? 0).toBeLessThan(before);
		expect(poller.lines.filter(({ at }) => at === "runtime")).toHaveLength(1);
	},
	LONG,
);

test(
	"a function that lacks a setting answers with an error that names it, and one that a bad event came to does not",
	async () => {
		const { RELAY_URL: _, ...env } = stage.env;
		const lacking = await start(env);
		expect(await lacking.invoke(SCHEDULED)).toMatchObject({ errorType: "Error", errorMessage: "not configured: RELAY_URL is missing" });
		await lacking.stop();
		expect(await poller.invoke({ source: "aws.ec2", detail: { "instance-id": "i-1; rm -rf" } })).toBeNull();
		expect(line("nothing to look at")).toMatchObject({ level: 40 });
	},
	LONG,
);
