// What lies in the relay's database file while nothing runs on it: read past the relay, so that its memory cannot flatter it.
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Intent } from "../../../contract/lease.ts";
import type { Start } from "../../../contract/start.ts";
import type { Job } from "../../../relay/job.ts";

export type Found = Awaited<ReturnType<typeof readStorage>>;

export async function readStorage(stateDir: string) {
	const folder = join(stateDir, "storage", "mayfly-queue");
	const names = await Array.fromAsync(new Bun.Glob("*.sqlite").scan({ cwd: folder }));
	const name = names.find((found) => found !== "metadata.sqlite");
	if (!name) throw new Error(`no database in ${folder}`);
	using database = new Database(join(folder, name));
	const docs = <T>(table: string): T[] =>
		database
			.query<{ doc: string }, []>(`SELECT doc FROM ${table}`)
			.all()
			.map(({ doc }) => JSON.parse(doc) as T);
	const check = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
	return {
		integrity: check.map(({ integrity_check }) => integrity_check),
		jobs: docs<Job>("jobs"),
		intents: docs<Intent>("intents"),
		starts: docs<Start>("starts"),
		marked: docs<{ instanceId?: string }>("tasks").map(({ instanceId }) => instanceId),
	};
}
