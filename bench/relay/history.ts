// How long a lease takes with a thousand ended jobs in the rows, and with a million. The rows are written into the relay's own file while
// it is stopped, as copies of a job that ended in it.
import { Database } from "bun:sqlite";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { median } from "../statistics.ts";
import { type Caller, callerOf, launchedOn } from "./caller.ts";
import { startSubject } from "./subjects.ts";

/** Ids of the jobs that are leased: above those of all that ended. */
const FIRST = 2_000_000_000;

async function fileBelow(folder: string): Promise<string> {
	const names = await readdir(folder, { recursive: true });
	const name = names.find((it) => it.endsWith(".sqlite") && !it.endsWith("metadata.sqlite"));
	if (!name) throw new Error(`no storage below ${folder}`);
	return join(folder, name);
}

async function endOne(caller: Caller): Promise<void> {
	await caller.webhook(1);
	const { work } = await caller.lease(1, 0);
	const { workId = "", leaseId = "" } = work[0] ?? {};
	const machine = launchedOn(workId, leaseId, 1);
	await caller.settle([machine]);
	const runner_name = "runnerName" in machine ? machine.runnerName : null;
	await caller.webhook(1, "in_progress", { runner_name });
	await caller.webhook(1, "completed", { runner_name, conclusion: "success" });
}

/** Copies the ended job under the ids up to `rows`, each on a machine of its own. */
async function fill(storage: string, rows: number): Promise<void> {
	const database = new Database(await fileBelow(storage));
	database.run(
		`WITH RECURSIVE ids (id) AS (SELECT 2 UNION ALL SELECT id + 1 FROM ids WHERE id < ?)
		INSERT INTO jobs (id, ended, seat, spare, doc)
		SELECT ids.id, ended, printf('i-%017x', ids.id), NULL, json_set(doc, '$.pointer.id', ids.id, '$.seat.key', printf('i-%017x', ids.id))
		FROM jobs, ids WHERE jobs.id = 1`,
		[rows],
	);
	database.close();
}

async function startFilled(folder: string, rows: number) {
	const first = await startSubject("relay", folder);
	await endOne(callerOf(first.url));
	await first.stop();
	await fill(join(first.stateDir, "storage"), rows);
	return startSubject("relay", folder, {}, first.stateDir);
}

async function leaseTime(caller: Caller, id: number): Promise<number> {
	await caller.webhook(id);
	const begun = performance.now();
	const { work } = await caller.lease(1, 0);
	const took = performance.now() - begun;
	if (work.length !== 1) throw new Error("nothing was handed out");
	return took;
}

export interface History {
	rows: number;
	leaseP50: number;
}

/** The median lease over each number of rows, all relays up at once and asked in turns. */
export async function history(folder: string, sizes: readonly number[], count: number, say: (text: string) => void): Promise<History[]> {
	const relays: Awaited<ReturnType<typeof startFilled>>[] = [];
	try {
		for (const rows of sizes) {
			relays.push(await startFilled(folder, rows));
			say(`lease: ${rows} ended jobs written`);
		}
		const callers = relays.map(({ url }) => callerOf(url));
		const times: number[][] = sizes.map(() => []);
		for (let at = 0; at < count; at++)
			for (const [size, caller] of callers.entries()) times[size]?.push(await leaseTime(caller, FIRST + at));
		return sizes.map((rows, size) => ({ rows, leaseP50: median(times[size] ?? []) }));
	} finally {
		for (const relay of relays) await relay.stop();
	}
}
