// Every statement goes through a key or an index: a million ended jobs must not slow a lease.
import { describe, expect, test } from "bun:test";
import { STATEMENTS } from "../../relay/statements.ts";
import { freshRows } from "./ledger-rows.ts";

describe("statements", () => {
	const { database } = freshRows();
	for (const [name, statement] of Object.entries(STATEMENTS))
		test(`${name} uses a key or an index`, () => {
			const values = Array<number>((statement.match(/\?/g) ?? []).length).fill(1);
			const plan = database.query(`EXPLAIN QUERY PLAN ${statement}`).all(...values) as { detail: string }[];
			for (const { detail } of plan) expect(detail).not.toMatch(/TEMP B-TREE/);
			for (const { detail } of plan) expect(detail).not.toMatch(/^SCAN (?!.*USING (COVERING )?INDEX|CONSTANT ROW)/);
		});
});
