// What the ledger asks of a database, and how a row becomes a record.

export type SqlValue = string | number | null;
/** All that is asked of a database: run one statement, give all its rows. The caller opens the transaction. */
export type Sql = (statement: string, ...values: SqlValue[]) => Record<string, unknown>[];

/** The records of rows that hold them as JSON in `doc`. */
export function docs<T>(rows: Record<string, unknown>[]): T[] {
	return rows.map(({ doc }) => JSON.parse(String(doc)) as T);
}

/** A number in the first row; null without one. */
export function numberOf(rows: Record<string, unknown>[], column: string): number | null {
	const value = rows[0]?.[column];
	return typeof value === "number" ? value : null;
}
