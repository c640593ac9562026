// Every SQL text of the relay. Each one goes through an index or a key, so that a million ended jobs cost nothing.

/** Created when the object starts; a later version adds statements, it never changes these. `doc` holds the record as JSON. */
export const SCHEMA = [
	`CREATE TABLE IF NOT EXISTS jobs (
		seq INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, state TEXT NOT NULL, due_at INTEGER, seat TEXT, spare TEXT, queue_ms INTEGER, doc TEXT NOT NULL)`,
	"CREATE INDEX IF NOT EXISTS open_jobs ON jobs (state, due_at) WHERE due_at IS NOT NULL",
	"CREATE INDEX IF NOT EXISTS ended_jobs ON jobs (state, seq) WHERE due_at IS NULL",
	"CREATE INDEX IF NOT EXISTS seats ON jobs (seat) WHERE seat IS NOT NULL",
	"CREATE INDEX IF NOT EXISTS spares ON jobs (spare) WHERE spare IS NOT NULL",
	"CREATE TABLE IF NOT EXISTS deliveries (id TEXT PRIMARY KEY) WITHOUT ROWID",
	"CREATE TABLE IF NOT EXISTS intents (seq INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, doc TEXT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS answers (seq INTEGER PRIMARY KEY, request TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, doc TEXT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY, due_at INTEGER, doc TEXT NOT NULL) WITHOUT ROWID",
	"CREATE INDEX IF NOT EXISTS due_tasks ON tasks (due_at) WHERE due_at IS NOT NULL",
	"CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
	"CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID",
];

export const STATEMENTS = {
	jobById: "SELECT doc FROM jobs WHERE id = ?",
	jobBySeat: "SELECT doc FROM jobs WHERE seat = ? ORDER BY seq DESC LIMIT 1",
	jobBySpare: "SELECT doc FROM jobs WHERE spare = ? ORDER BY seq DESC LIMIT 1",
	saveJob: `INSERT INTO jobs (id, state, due_at, seat, spare, queue_ms, doc) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
		SET state = excluded.state, due_at = excluded.due_at, seat = excluded.seat, spare = excluded.spare, queue_ms = excluded.queue_ms, doc = excluded.doc`,
	dueJobs: "SELECT doc FROM jobs WHERE state = ? AND due_at <= ? ORDER BY due_at LIMIT ?",
	nextDue: "SELECT min(due_at) AS at FROM jobs WHERE state = ? AND due_at IS NOT NULL",
	countOpen: "SELECT state, count(*) AS n FROM jobs WHERE due_at IS NOT NULL GROUP BY state",
	openByState: "SELECT doc FROM jobs WHERE state = ? AND due_at IS NOT NULL ORDER BY seq DESC LIMIT ?",
	endedByState: "SELECT doc FROM jobs WHERE state = ? AND due_at IS NULL ORDER BY seq DESC LIMIT ?",
	newestJobs: "SELECT doc FROM jobs WHERE seq > ? ORDER BY seq DESC LIMIT ?",
	queueTimes: "SELECT queue_ms AS ms FROM jobs WHERE seq > (SELECT max(seq) FROM jobs) - ? AND queue_ms IS NOT NULL",
	oldestJobs: "SELECT seq, doc FROM jobs WHERE seq > ? ORDER BY seq LIMIT ?",
	dropJob: "DELETE FROM jobs WHERE seq = ?",

	delivery: "SELECT 1 AS seen FROM deliveries WHERE id = ?",
	saveDelivery: "INSERT INTO deliveries (id) VALUES (?) ON CONFLICT (id) DO NOTHING",
	dropDelivery: "DELETE FROM deliveries WHERE id = ?",

	intent: "SELECT doc FROM intents WHERE token = ?",
	saveIntent: "INSERT INTO intents (token, at, doc) VALUES (?, ?, ?) ON CONFLICT (token) DO NOTHING",
	oldestIntents: "SELECT seq, at FROM intents WHERE seq > 0 ORDER BY seq LIMIT ?",
	dropIntent: "DELETE FROM intents WHERE seq = ?",

	answer: "SELECT at, doc FROM answers WHERE request = ?",
	saveAnswer:
		"INSERT INTO answers (request, at, doc) VALUES (?, ?, ?) ON CONFLICT (request) DO UPDATE SET at = excluded.at, doc = excluded.doc",
	oldestAnswers: "SELECT seq, at FROM answers WHERE seq > 0 ORDER BY seq LIMIT ?",
	dropAnswer: "DELETE FROM answers WHERE seq = ?",

	task: "SELECT doc FROM tasks WHERE id = ?",
	saveTask:
		"INSERT INTO tasks (id, due_at, doc) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, doc = excluded.doc",
	dropTask: "DELETE FROM tasks WHERE id = ?",
	dueTasks: "SELECT doc FROM tasks WHERE due_at <= ? ORDER BY due_at LIMIT ?",
	nextTask: "SELECT min(due_at) AS at FROM tasks WHERE due_at IS NOT NULL",
	reruns: "SELECT doc FROM tasks WHERE id > 'rerun-' AND id < 'rerun.' LIMIT ?",

	count: "INSERT INTO counters (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
	counter: "SELECT value FROM counters WHERE name = ?",
	setting: "SELECT doc FROM settings WHERE name = ?",
	saveSetting: "INSERT INTO settings (name, doc) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET doc = excluded.doc",
};
