// What a workflow's token may do: said at all, and no wider than it must be. Pure.
import type { Finding } from "./check-labels.ts";
import type { LintWorkflow } from "./model.ts";

/** A workflow that only others call inherits what its caller gives. */
export const isOnlyCalled = ({ events }: LintWorkflow) => events.length > 0 && events.every((event) => event === "workflow_call");

/** Rules `permissions` and `permissions-wide`. */
export function checkPermissions(workflow: LintWorkflow): Finding[] {
	const { permissions, jobs } = workflow;
	const inheriting = jobs.filter((job) => job.permissions === null);
	const all = [permissions, ...jobs.map((job) => job.permissions)].filter((it) => it !== null);
	const wide = (at: number, message: string): Finding => ({ at, severity: "warning", rule: "permissions-wide", message });
	const writes = Object.entries(permissions?.scopes ?? {}).flatMap(([scope, level]) => (level === "write" ? [scope] : []));
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
		...(permissions !== null && writes.length > 0 && inheriting.length > 1
			? [wide(permissions.at, `${writes.join(", ")}: write is inherited by ${inheriting.length} jobs: set it at the job that needs it`)]
			: []),
	];
}
