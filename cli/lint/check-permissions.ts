// What a workflow's token may do: said at all, and no wider than it must be. Pure.
import type { Finding } from "./check-labels.ts";
import type { LintWorkflow, Permissions } from "./model.ts";

/** A workflow that only others call inherits what its caller gives. */
export const isOnlyCalled = ({ events }: LintWorkflow) => events.length > 0 && events.every((event) => event === "workflow_call");

/** A mapping that gives more scopes than these `write` is wide. */
const FEW_WRITES = 4;

const writesOf = (permissions: Permissions | null) =>
	Object.entries(permissions?.scopes ?? {}).flatMap(([scope, level]) => (level === "write" ? [scope] : []));

/** Rules `permissions`, `permissions-wide` and `permissions-unknown`. */
export function checkPermissions(workflow: LintWorkflow): Finding[] {
	const { permissions, jobs } = workflow;
	const inheriting = jobs.filter((job) => job.permissions === null);
	const all = [permissions, ...jobs.map((job) => job.permissions)].filter((it) => it !== null);
	const wide = (at: number, message: string): Finding => ({ at, severity: "warning", rule: "permissions-wide", message });
	const writes = writesOf(permissions);
	return [
		...(permissions === null && !isOnlyCalled(workflow) ? inheriting : []).map(
			({ key, at }): Finding => ({
				at,
				severity: "warning",
				rule: "permissions",
				message: `job ${key}: neither it nor the workflow sets permissions, so its token may do what the repository's settings say: begin with permissions: { contents: read }`,
			}),
		),
		...all
			.filter((it) => it.all === "write-all")
			.map(({ at }) => wide(at, "write-all lets the token change everything: name what is written")),
		...all
			.map((it) => ({ at: it.at, scopes: writesOf(it) }))
			.filter(({ scopes }) => scopes.length > FEW_WRITES)
			.map(({ at, scopes }) =>
				wide(at, `${scopes.length} scopes are write (${scopes.join(", ")}): more than ${FEW_WRITES} are wide for one token`),
			),
		...all
			.flatMap((it) => it.strange)
			.map(
				({ name, at }): Finding => ({
					...{ at, severity: "warning", rule: "permissions-unknown" },
					message: `permissions: ${name} is no scope that lint knows, and GitHub refuses a workflow with one that it does not have`,
				}),
			),
		...(permissions !== null && writes.length > 0 && inheriting.length > 1
			? [wide(permissions.at, `${writes.join(", ")}: write is inherited by ${inheriting.length} jobs: set it at the job that needs it`)]
			: []),
	];
}
