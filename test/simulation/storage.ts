// Where the relay's rows lie in a run: SQLite as in production, or maps that answer the same at a fraction of its cost (rows.ts).
import { Database } from "bun:sqlite";
import type { Surface } from "../../relay/queue-service.ts";
import type { SqlValue } from "../../relay/sql.ts";

export type Storage = Pick<Surface, "sql" | "transact">;

/** Rows of a database in memory. */
export function openSqlite(): Storage {
	const database = new Database(":memory:");
	const begin = database.query("SAVEPOINT change");
	const commit = database.query("RELEASE change");
	const rollback = database.query("ROLLBACK TO change");
	return {
		sql: (statement, ...values: SqlValue[]) => database.query(statement).all(...values) as Record<string, unknown>[],
		transact(change) {
			begin.run();
			try {
				return change();
			} catch (error) {
				rollback.run();
				throw error;
			} finally {
				commit.run();
			}
		},
	};
}
