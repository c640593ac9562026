// Every SQL text of the relay. Each one goes through an index or a key, so that a million ended jobs cost nothing, and each column that
// an index covers is set only when it changes: Cloudflare counts every index entry written as a row (docs/decisions/0004).

/**
 * Created when the object starts; a later version adds statements, it never changes these. `doc` holds the record as JSON. While a job is
 * open its other columns are null and open-jobs.ts knows them.
 */
export const SCHEMA = [
	"CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, ended TEXT, seat TEXT, spare TEXT, doc TEXT NOT NULL)",
	"CREATE INDEX IF NOT EXISTS open_jobs ON jobs (id) WHERE ended IS NULL",
	"CREATE INDEX IF NOT EXISTS refused_jobs ON jobs (id) WHERE ended = 'refused'",
	"CREATE INDEX IF NOT EXISTS dead_jobs ON jobs (id) WHERE ended = 'dead'",
	"CREATE INDEX IF NOT EXISTS seats ON jobs (seat) WHERE seat IS NOT NULL",
	"CREATE INDEX IF NOT EXISTS spares ON jobs (spare) WHERE spare IS NOT NULL",
	"CREATE TABLE IF NOT EXISTS intents (token TEXT PRIMARY KEY, at INTEGER NOT NULL, doc TEXT NOT NULL) WITHOUT ROWID",
	"CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY, due_at INTEGER, doc TEXT NOT NULL) WITHOUT ROWID",
	"CREATE INDEX IF NOT EXISTS due_tasks ON tasks (due_at) WHERE due_at IS NOT NULL",
	"CREATE TABLE IF NOT EXISTS starts (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, queue_ms INTEGER NOT NULL, doc TEXT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID",
];

export const STATEMENTS = {
	openJobs: "SELECT doc FROM jobs INDEXED BY open_jobs WHERE ended IS NULL",
	highestJob: "SELECT max(id) AS id FROM jobs",
	jobById: "SELECT doc FROM jobs WHERE id = ?",
	jobBySeat: "SELECT doc FROM jobs WHERE seat = ? ORDER BY id DESC LIMIT 1",
	jobBySpare: "SELECT doc FROM jobs WHERE spare = ? ORDER BY id DESC LIMIT 1",
	/** Changes the record alone, for a job that is open and stays so. */
	saveDoc: "UPDATE jobs SET doc = ? WHERE id = ?",
	/** Changes the record of an ended job alone, if the columns stay as they are. */
	saveEndedDoc: "UPDATE jobs SET doc = ? WHERE id = ? AND ended IS ? AND seat IS ? AND spare IS ? RETURNING id",
	saveJob: `INSERT INTO jobs (id, ended, seat, spare, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
		SET ended = excluded.ended, seat = excluded.seat, spare = excluded.spare, doc = excluded.doc`,
	newestJobs: "SELECT doc FROM jobs WHERE id > 0 ORDER BY id DESC LIMIT ?",
	newestDone: "SELECT doc FROM jobs WHERE id > 0 AND ended = 'done' ORDER BY id DESC LIMIT ?",
	newestRefused: "SELECT doc FROM jobs INDEXED BY refused_jobs WHERE ended = 'refused' ORDER BY id DESC LIMIT ?",
	newestDead: "SELECT doc FROM jobs INDEXED BY dead_jobs WHERE ended = 'dead' ORDER BY id DESC LIMIT ?",
	jobsAfter: "SELECT id, doc FROM jobs WHERE id > ? ORDER BY id LIMIT ?",
	dropJob: "DELETE FROM jobs WHERE id = ?",

	intent: "SELECT doc FROM intents WHERE token = ?",
	saveIntent: "INSERT INTO intents (token, at, doc) VALUES (?, ?, ?) ON CONFLICT (token) DO NOTHING",
	intentsAfter: "SELECT token, at FROM intents WHERE token > ? ORDER BY token LIMIT ?",
	dropIntent: "DELETE FROM intents WHERE token = ?",

	task: "SELECT doc FROM tasks WHERE id = ?",
	saveTask:
		"INSERT INTO tasks (id, due_at, doc) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, doc = excluded.doc",
	dropTask: "DELETE FROM tasks WHERE id = ?",
	dueTasks: "SELECT doc FROM tasks WHERE due_at <= ? ORDER BY due_at LIMIT ?",
	nextTask: "SELECT min(due_at) AS at FROM tasks WHERE due_at IS NOT NULL",
	reruns: "SELECT doc FROM tasks WHERE id > 'rerun-' AND id < 'rerun.' LIMIT ?",

	saveStart: "INSERT INTO starts (at, queue_ms, doc) VALUES (?, ?, ?)",
	lastStart: "SELECT max(seq) AS seq FROM starts",
	newestStarts: "SELECT doc FROM starts WHERE seq > 0 ORDER BY seq DESC LIMIT ?",
	queueTimes: "SELECT queue_ms AS ms FROM starts WHERE seq > 0 ORDER BY seq DESC LIMIT ?",
	oldestStarts: "SELECT seq, at FROM starts WHERE seq > 0 ORDER BY seq LIMIT ?",
	dropStart: "DELETE FROM starts WHERE seq = ?",

	setting: "SELECT doc FROM settings WHERE name = ?",
	saveSetting: "INSERT INTO settings (name, doc) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET doc = excluded.doc",
};
