// What a machine leaves in the mailbox outlives it: its record, its log, the runner's own logs; never what a job points them to.
import { describe, expect, test } from "bun:test";
import { runMachine } from "./machine.ts";

/** Names and texts in an archive. */
function unpacked(archive: Buffer | undefined): string {
	const tar = Bun.spawnSync(["tar", "-xzvOf", "-"], { stdin: archive ?? Buffer.alloc(0) });
	return `${tar.stderr.toString()}${tar.stdout.toString()}`;
}

describe("a machine leaves", () => {
	test("its record, its log and the runner's logs, without the pages of the job's log", async () => {
		const { left } = await runMachine({ runner: "working" });
		expect([...left.keys()].toSorted()).toEqual(["diag.tar.gz", "json", "log"]);
		const logs = unpacked(left.get("diag.tar.gz"));
		expect(logs).toContain("what the runner thought");
		expect(logs).not.toContain("what the job said");
		const lines = (left.get("log")?.toString() ?? "")
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line));
		expect(lines.map(({ msg }) => msg)).toContain("the runner was started");
	});

	test("no secret of its document in any of them", async () => {
		const { left } = await runMachine({ runner: "working", document: { jitConfig: "c2VjcmV0LWppdA==" } });
		for (const [, body] of left) expect(body.toString("latin1")).not.toMatch(/c2VjcmV0LWppdA|0f0f0f0f/);
	});

	test("all of it when EC2 takes it, before EC2 does", async () => {
		const at = new Date(Date.now() + 27_000).toISOString().replace(/\.\d+Z$/, "Z");
		const end = await runMachine(
			{
				...{ runner: "long", clocks: { spotLinger: 0, spotLead: 25_500 }, document: undefined },
				imds: { "meta-data/spot/instance-action": JSON.stringify({ action: "terminate", time: at }) },
				prepare: (folder) => void Bun.spawnSync(["mkdir", "-p", `${folder}/runner/_diag`]),
			},
			async ({ mailbox, until }) => {
				await until(() => mailbox.left.has("diag.tar.gz"));
				expect(mailbox.left.has("json")).toBe(true);
				expect(mailbox.left.has("log")).toBe(true);
				// The machine is still there: it waits for EC2.
				expect(Date.now()).toBeLessThan(Date.parse(at));
			},
		);
		expect(end.phases).toContain("interrupted");
	}, 60_000);

	test("no more than a bounded archive of logs that a job has filled", async () => {
		const prepare = (folder: string) =>
			void Bun.spawnSync([
				"bash",
				"-c",
				`mkdir -p ${folder}/runner/_diag && head -c 30000000 /dev/urandom > ${folder}/runner/_diag/big.log`,
			]);
		const { left, offs } = await runMachine({ runner: "success", job: {}, prepare, document: undefined });
		expect(offs).toBe(1);
		expect(left.get("diag.tar.gz")?.length).toBe(8 * 1024 * 1024);
	}, 30_000);

	test("what a link in the logs points to is not followed", async () => {
		const prepare = (folder: string) =>
			void Bun.spawnSync(["bash", "-c", `mkdir -p ${folder}/runner/_diag && ln -s /etc/shadow ${folder}/runner/_diag/shadow.log`]);
		const { left } = await runMachine({ runner: "success", job: {}, prepare });
		expect(unpacked(left.get("diag.tar.gz"))).not.toContain("root:");
	});
});
