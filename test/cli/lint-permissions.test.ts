// What lint says of permissions.
import { setDefaultTimeout } from "bun:test";
import { claims, type Row } from "./claims.ts";

setDefaultTimeout(60_000);

const wide = (scopes: string) => `on: push\njobs: { one: { runs-on: ubuntu-latest, permissions: { ${scopes} } } }\n`;
const FOUR = "contents: write, packages: write, checks: write, id-token: write";
/** As GitHub's page has them, and those that it had. */
const SCOPES =
	`actions artifact-metadata attestations checks code-quality contents copilot-requests deployments discussions id-token issues models packages pages
	pull-requests repository-projects security-events statuses vulnerability-alerts`.split(/\s+/);

const PERMISSIONS: Row[] = [
	["permissions of the workflow are enough", "on: push\npermissions: read-all\njobs: { one: { runs-on: ubuntu-latest } }\n"],
	["permissions of every job are too", "on: push\njobs: { one: { runs-on: ubuntu-latest, permissions: {} } }\n"],
	[
		"a job without any is told, whoever runs it",
		"on: push\njobs: { one: { runs-on: ubuntu-latest }, two: { uses: a/b@v1 }, three: { runs-on: ubuntu-latest, permissions: {} } }\n",
		["warning", "permissions", "job one: neither"],
		["warning", "permissions", "job two: neither"],
	],
	["a workflow that is only called has its caller's", "on: workflow_call\njobs: { one: { runs-on: ubuntu-latest } }\n"],
	[
		"write-all is too wide",
		"on: push\npermissions: write-all\njobs: { one: { runs-on: ubuntu-latest } }\n",
		["warning", "permissions-wide", "write-all"],
	],
	[
		"write-all of a job is too",
		"on: push\njobs: { one: { runs-on: ubuntu-latest, permissions: write-all } }\n",
		["warning", "permissions-wide", "write-all"],
	],
	[
		"write that two jobs inherit is too wide",
		"on: push\npermissions: { contents: read, packages: write }\njobs: { one: { runs-on: ubuntu-latest }, two: { runs-on: ubuntu-latest } }\n",
		["warning", "permissions-wide", "packages: write is inherited by 2 jobs"],
	],
	[
		"write that one job has is as narrow at the top",
		"on: push\npermissions: { packages: write }\njobs: { one: { runs-on: ubuntu-latest }, two: { runs-on: ubuntu-latest, permissions: {} } }\n",
	],
	[
		"permissions that do not exist are an error",
		"on: push\npermissions: { contents: all }\njobs: { one: { runs-on: ubuntu-latest } }\n",
		["error", "workflow", "contents of permissions of the workflow must be read, write or none"],
	],
	["four scopes of one job may be write", wide(`${FOUR}, issues: read`)],
	[
		"five are wide",
		wide(`${FOUR}, issues: write`),
		["warning", "permissions-wide", "5 scopes are write (contents, packages, checks, id-token, issues)"],
	],
	[
		"five of the workflow are too",
		`on: push\npermissions: { ${FOUR}, pages: write }\njobs: { one: { runs-on: ubuntu-latest } }\n`,
		["warning", "permissions-wide", "5 scopes are write"],
	],
	[
		"a scope that GitHub does not have is told",
		wide("contentz: write, contents: read"),
		["warning", "permissions-unknown", "contentz is no scope that lint knows"],
	],
	[
		"every scope that it has is known, in any case",
		wide(
			SCOPES.map((scope) => `${scope}: none`)
				.join(", ")
				.replace("actions", "Actions"),
		),
	],
];

claims("permissions", "permissions", PERMISSIONS);
