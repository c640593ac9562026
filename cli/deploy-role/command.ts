// `bun run mayfly deploy-role`: whether roles that GitHub's jobs take are each one repository's, in one place. Touches files; decides nothing.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { Terminal } from "../terminal.ts";
import { checkFile, type FileCheck } from "./check-file.ts";

const HELP = `Checks roles that GitHub's jobs take by OIDC: only the jobs of one repository, in one environment or on one branch or tag, for an hour at
most, below a permissions boundary.

usage: bun run mayfly deploy-role <file>... [--json]

  <file>     a CloudFormation template, a trust policy, what \`aws iam get-role\`, \`list-roles\`, \`get-account-authorization-details\` or
             \`terraform show -json\` printed; JSON or YAML, or - for stdin
  --json     print one JSON object and nothing else
  --help     this text

Every problem is told at once, with its place: no or another audience; a subject that is missing, holds a wildcard or a variable, or is that of an
organisation, a whole repository or pull requests; any operator but StringEquals; other principals and actions; more than an hour; no boundary.
A template is looked at under every choice of its conditions, and its parameters with what their AllowedPattern lets through.

examples:
  bun run mayfly deploy-role cloudformation/deploy-role.yaml
  aws iam get-role --role-name deploy-shop | bun run mayfly deploy-role -
  aws iam list-roles --query 'Roles[].RoleName' --output text | xargs -n1 aws iam get-role --role-name | jq -s . | bun run mayfly deploy-role -

exit status: 0 nothing is wrong; 1 problems; 2 the command line is wrong, a file cannot be read, or there is no such role in it
`;
const FAILED = 1;
const NOT_CHECKED = 2;

interface Checked extends FileCheck {
	file: string;
}

function refuse(reasons: string[], json: boolean, { out, err }: Terminal): number {
	err(`${reasons.join("\n")}\nsee bun run mayfly deploy-role --help\n`);
	if (json) out(`${JSON.stringify({ ok: false, reasons })}\n`);
	return NOT_CHECKED;
}

async function textOf(file: string): Promise<{ ok: true; text: string } | { ok: false; reason: string }> {
	try {
		return { ok: true, text: file === "-" ? await Bun.stdin.text() : await readFile(file, "utf8") };
	} catch (error) {
		return { ok: false, reason: `${file}: ${error instanceof Error ? error.message : String(error)}` };
	}
}

/** Names in such files are somebody's: what a terminal would obey is written out. */
const printable = (text: string) =>
	text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);

const counted = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

function linesOf(checks: Checked[]): string[] {
	const problems = checks.flatMap(({ file, problems }) =>
		problems.map(({ line, column, role, path, reason }) => {
			const place = [role === null ? null : `role ${role}`, path].filter(Boolean).join(": ");
			return printable(`${file}:${line}:${column}: ${place === "" ? "" : `${place}: `}${reason}`);
		}),
	);
	const untold = checks.flatMap(({ file, roles }) => {
		const parts = [...new Set(roles.flatMap((role) => role.untold))];
		return parts.length > 0 ? [printable(`${file} does not say the ${parts.join(" and ")}: not checked; aws iam get-role says it`)] : [];
	});
	const [roles, others] = [
		checks.reduce((sum, check) => sum + check.roles.length, 0),
		checks.reduce((sum, check) => sum + check.others, 0),
	];
	return [
		...problems,
		...untold,
		`${counted(problems.length, "problem")} in ${counted(roles, "role")} for GitHub's jobs${others > 0 ? `; ${others} that others take were not looked at` : ""}`,
	];
}

/** Runs the command and gives the exit status. */
export async function deployRole(argv: string[], terminal: Terminal): Promise<number> {
	let asked: ReturnType<typeof read>;
	try {
		asked = read(argv);
	} catch (error) {
		return refuse([error instanceof Error ? error.message : String(error)], argv.includes("--json"), terminal);
	}
	const { help, json } = asked.values;
	if (help) {
		terminal.out(HELP);
		return 0;
	}
	const files = [...new Set(asked.positionals)];
	if (files.length === 0) return refuse(["name at least one file, or - for stdin"], json, terminal);
	const texts = await Promise.all(files.map(textOf));
	const unread = texts.flatMap((it) => (it.ok ? [] : [it.reason]));
	if (unread.length > 0) return refuse(unread, json, terminal);
	const checks = texts.flatMap((it, at) =>
		it.ok ? [{ file: files[at] === "-" ? "stdin" : (files[at] ?? ""), ...checkFile(it.text) }] : [],
	);
	const empty = checks.filter(({ roles, problems }) => roles.length === 0 && problems.length === 0);
	if (empty.length === checks.length)
		return refuse(
			empty.map(({ file }) => `${file} has no role that GitHub's jobs could take`),
			json,
			terminal,
		);
	const ok = checks.every(({ problems }) => problems.length === 0);
	if (json) terminal.out(`${JSON.stringify({ ok, files: checks })}\n`);
	else terminal.out(`${linesOf(checks).join("\n")}\n`);
	return ok ? 0 : FAILED;
}

function read(argv: string[]) {
	return parseArgs({
		args: argv,
		allowPositionals: true,
		options: { json: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
	});
}
