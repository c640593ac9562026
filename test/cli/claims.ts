// Claims about workflows: one file for each, all files of a group in one repository, read by one run of `mayfly lint`.
import { beforeAll, describe, expect, test } from "bun:test";
import { CONFIG, lint } from "./repository.ts";

type Expected = [severity: string, rule: string, part: string];
/** A claim, the workflow it is about, and all that is said of it: no more and no less. */
export type Row = [claim: string, text: string, ...Expected[]];

/** A label whose id is the run's own. */
export const ID = "mayfly=${{ github.run_id }}";

/** A workflow with one job and nothing else to be said of it. */
export const job = (runsOn: string, more = "") => `on: push\npermissions: {}\njobs:\n  one:\n    runs-on: ${runsOn}\n${more}`;

interface Said {
	file: string;
	severity: string;
	rule: string;
	message: string;
}

/** `prefix` begins the files' names. */
export function claims(name: string, prefix: string, rows: Row[], config = CONFIG): void {
	const fileOf = (at: number) => `.github/workflows/${prefix}-${at}.yml`;
	let said: Said[];
	beforeAll(async () => {
		const files = Object.fromEntries(rows.map(([, text], at) => [fileOf(at), text]));
		const { problems, notes } = JSON.parse((await lint({ "mayfly.yml": config, ...files }, "--json")).out);
		said = [...problems, ...notes];
	});
	describe(name, () => {
		for (const [at, [claim, , ...expected]] of rows.entries())
			test(claim, () => {
				const found = said.filter(({ file }) => file === fileOf(at)).map(({ severity, rule, message }) => ({ severity, rule, message }));
				const wanted = expected.map(([severity, rule, part]) => ({ severity, rule, message: expect.stringContaining(part) }));
				expect(found).toHaveLength(wanted.length);
				expect(found).toEqual(expect.arrayContaining(wanted));
			});
	});
}
