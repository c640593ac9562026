// A machine as the EC2 stand-in boots it, with small scripts in the agent's place: however it ends, nothing of it is left.
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { type Ec2, type InstanceView, startEc2 } from "../../local/ec2.ts";
import { processesOf } from "../../local/instance/processes.ts";
import { AGENT_LOG, type BootOptions, createBoot } from "../../local/instance.ts";
import { type Mailbox, startMailbox } from "../../local/mailbox.ts";
import { ec2Client, KEYS, launch, REGION, SUBNETS, X64 } from "../fakes/aws-account.ts";

let directory: string;
let ec2: Ec2;
let mailbox: Mailbox;
afterEach(async () => {
	await ec2.stop();
	await mailbox.stop();
	rmSync(directory, { recursive: true, force: true });
});

/** Boots one spot machine whose agent is a bash script. */
async function bootScript(script: string, over: Partial<BootOptions> = {}): Promise<InstanceView> {
	directory = mkdtempSync(join(tmpdir(), "mf-"));
	mailbox = await startMailbox({ keys: KEYS, region: REGION });
	const path = process.env.PATH ?? "/usr/bin:/bin";
	const boot = createBoot({ agent: ["bash", "-c", script], directory, mailbox, prepareRunner: async () => {}, path, keep: true, ...over });
	ec2 = await startEc2({ keys: KEYS, region: REGION, launchTemplates: [X64], subnets: SUBNETS, boot });
	const TargetCapacitySpecification = { TotalTargetCapacity: 1, DefaultTargetCapacityType: "spot" as const };
	const [id = ""] = await launch(ec2Client(ec2.url), { TargetCapacitySpecification });
	await reached(id, "running");
	return view(id);
}

function view(id: string): InstanceView {
	const found = ec2.instances().find(({ instanceId }) => instanceId === id);
	if (!found) throw new Error(`${id} is not listed`);
	return found;
}

/** Resolves once the instance is in a state, or past it. */
function reached(id: string, state: "running" | "terminated"): Promise<InstanceView> {
	const done = () => [state, "terminated"].includes(view(id).state);
	return new Promise((resolve) => {
		const forget = ec2.onState(() => {
			if (!done()) return;
			forget();
			resolve(view(id));
		});
		if (done()) resolve(view(id));
	});
}

/** Waits until the agent has left a file in its state directory. */
async function said(machine: InstanceView, name: string): Promise<string> {
	const file = join(machine.directory ?? "", "run", name);
	while (!existsSync(file)) await Bun.sleep(5);
	return readFileSync(file, "utf8");
}

const leftOf = ({ instanceId, directory: own }: InstanceView) =>
	processesOf({ pgid: 0, marker: `MAYFLY_INSTANCE=${instanceId}`, directory: own ?? "" });

const READY = 'echo ready > "$MAYFLY_STATE_DIR/ready.part"; mv "$MAYFLY_STATE_DIR/ready.part" "$MAYFLY_STATE_DIR/ready";';
const FOREVER = "while :; do sleep 1000; done";

describe("a machine boots", () => {
	test("with nothing in its environment but what the agent is told, in / and in its own process group", async () => {
		process.env.MAYFLY_TEST_SECRET = "leaks";
		const machine = await bootScript(
			`{ env; pwd; ps -o pgid= -p $$; } > "$MAYFLY_STATE_DIR/ready.part"; mv "$MAYFLY_STATE_DIR/ready.part" "$MAYFLY_STATE_DIR/ready"; ${FOREVER}`,
		);
		const lines = (await said(machine, "ready")).trim().split("\n");
		delete process.env.MAYFLY_TEST_SECRET;
		const names = lines.filter((line) => /^\w+=/.test(line)).map((line) => line.split("=")[0]);
		expect(names.filter((name) => !["_", "PWD", "SHLVL", "OLDPWD"].includes(name ?? "")).toSorted()).toEqual(
			[
				...["HOME", "LANG", "PATH", "TMPDIR"],
				...["IMDS_URL", "INSTANCE", "MAILBOX_URL", "POWER_OFF", "RUNNER_ROOT", "RUNNER_USER", "STATE_DIR"].map((name) => `MAYFLY_${name}`),
			].toSorted(),
		);
		expect(lines.slice(-2).map((line) => line.trim())).toEqual(["/", String(machine.pid)]);
	});

	test("with metadata and a mailbox of its own", async () => {
		const machine = await bootScript(
			`t=$(curl -sX PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 60' "$MAYFLY_IMDS_URL/latest/api/token")
			ip=$(curl -s -H "x-aws-ec2-metadata-token: $t" "$MAYFLY_IMDS_URL/latest/meta-data/local-ipv4")
			curl -s -T - "$MAYFLY_MAILBOX_URL/records/$ip/a" <<< "$ip"; ${READY} ${FOREVER}`,
		);
		await said(machine, "ready");
		expect(await mailbox.read(`records/${machine.privateIp}/a`)).toBe(`${machine.privateIp}\n`);
	});

	test("with the runner laid out before the agent starts, and its output kept in a file", async () => {
		const prepareRunner = async (runner: string) => void (await Bun.write(join(runner, "run.sh"), "here"));
		const machine = await bootScript(`cat "$MAYFLY_RUNNER_ROOT/run.sh"; echo loud >&2; ${READY} ${FOREVER}`, { prepareRunner });
		await said(machine, "ready");
		expect(readFileSync(join(machine.directory ?? "", AGENT_LOG), "utf8")).toBe("hereloud\n");
	});

	test("or ends at once when the runner cannot be laid out", async () => {
		const machine = await bootScript(FOREVER, { prepareRunner: () => Promise.reject(new Error("no runner")) });
		expect([machine.state, machine.reason?.code, String(machine.problem)]).toEqual([
			"terminated",
			"Server.InternalError",
			"Error: no runner",
		]);
	});

	test("or ends at once when there is no agent", async () => {
		const machine = await bootScript("", { agent: [join(tmpdir(), "no-such-agent")], keep: false });
		expect([machine.state, machine.reason?.code]).toEqual(["terminated", "Server.InternalError"]);
		expect(readdirSync(directory)).toEqual([]);
	});
});

describe("a machine is off", () => {
	const off = async (machine: InstanceView) => {
		const ended = await reached(machine.instanceId, "terminated");
		expect(leftOf(ended)).toEqual([]);
		expect(ended.pid).toBeNull();
		return ended.reason?.code;
	};

	test("when it powers itself off, whatever its agent does then", async () => {
		const machine = await bootScript(`trap '' TERM; $MAYFLY_POWER_OFF; ${FOREVER}`);
		expect(await off(machine)).toBe("Client.InstanceInitiatedShutdown");
	});

	test("when its agent asks for it and is done", async () => {
		expect(await off(await bootScript("$MAYFLY_POWER_OFF"))).toBe("Client.InstanceInitiatedShutdown");
	});

	test.each(["exit 0", "exit 3", "kill -SEGV $$", "exec /nowhere"])("when its agent ends with %s", async (end) => {
		expect(await off(await bootScript(`sleep 1000 & ${end}`))).toBe("Client.InstanceInitiatedShutdown");
	});

	test("when its agent is killed from outside", async () => {
		const machine = await bootScript(`sleep 1000 & ${READY} ${FOREVER}`);
		await said(machine, "ready");
		expect(ec2.kill(machine.instanceId, "SIGKILL")).toBe(true);
		expect(await off(machine)).toBe("Client.InstanceInitiatedShutdown");
	});

	test("when it is terminated, however deaf its processes are", async () => {
		const machine = await bootScript(`trap '' TERM INT HUP; (trap '' TERM; ${FOREVER}) & ${READY} ${FOREVER}`);
		await said(machine, "ready");
		await ec2Client(ec2.url).send(new TerminateInstancesCommand({ InstanceIds: [machine.instanceId] }));
		expect(await off(machine)).toBe("Client.UserInitiatedShutdown");
	});

	test("with what a job detached from it: by session, by environment, and by both", async () => {
		const machine = await bootScript(
			`setsid sleep 1000 & nohup setsid bash -c 'sleep 1000 & sleep 1000' > /dev/null &
			cd "$MAYFLY_RUNNER_ROOT"; env -i "$(command -v setsid)" sleep 1000 & env -i HOME="$HOME" bash -c 'cd /; setsid sleep 1000' &
			(cd /; env -i /bin/bash -c '/bin/sleep 1000; :' &) ; cd /; env -i "$(command -v sleep)" 1000 &
			${READY} ${FOREVER}`,
		);
		await said(machine, "ready");
		while (leftOf(machine).length < 6) await Bun.sleep(5);
		ec2.kill(machine.instanceId, "SIGKILL");
		expect(await off(machine)).toBe("Client.InstanceInitiatedShutdown");
	});

	test("at the moment that an interruption announced, for EC2's reason", async () => {
		const machine = await bootScript(`trap '' TERM
			t=$(curl -sX PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 60' "$MAYFLY_IMDS_URL/latest/api/token")
			until curl -sf -H "x-aws-ec2-metadata-token: $t" "$MAYFLY_IMDS_URL/latest/meta-data/spot/instance-action" > "$MAYFLY_STATE_DIR/part"; do sleep 0.01; done
			cp "$MAYFLY_STATE_DIR/part" "$MAYFLY_STATE_DIR/notice"; ${FOREVER}`);
		const at = ec2.interrupt(machine.instanceId, { noticeMs: 500 });
		expect(await off(machine)).toBe("Server.SpotInstanceTermination");
		expect(view(machine.instanceId).terminatedAt).toBeGreaterThanOrEqual(at);
		const time = new Date(at).toISOString().replace(".000Z", "Z");
		expect(JSON.parse(await said(machine, "notice"))).toEqual({ action: "terminate", time });
	});

	test("when the stand-in stops, and its listeners and directory are gone", async () => {
		const machine = await bootScript(
			`echo "$MAYFLY_IMDS_URL $MAYFLY_MAILBOX_URL" > "$MAYFLY_STATE_DIR/part"; mv "$MAYFLY_STATE_DIR/part" "$MAYFLY_STATE_DIR/urls"; ${FOREVER}`,
			{ keep: false },
		);
		const urls = (await said(machine, "urls")).trim().split(" ");
		await ec2.stop();
		expect(await off(machine)).toBe("Client.UserInitiatedShutdown");
		for (const url of urls) await expect(fetch(url)).rejects.toThrow();
		expect(existsSync(machine.directory ?? "")).toBe(false);
	});
});

test("an instance whose boot fails runs without an agent until it is terminated", async () => {
	await bootScript(FOREVER);
	ec2.faults.deadBoots = 1;
	const [id = ""] = await launch(ec2Client(ec2.url));
	expect(await reached(id, "running")).toMatchObject({ pid: null, directory: null, state: "running" });
	await ec2Client(ec2.url).send(new TerminateInstancesCommand({ InstanceIds: [id] }));
	expect((await reached(id, "terminated")).reason?.code).toBe("Client.UserInitiatedShutdown");
});
