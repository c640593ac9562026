// `mayfly deploy-role` as people run it, on what IAM and Terraform say of roles.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { checkFile } from "../../cli/deploy-role/check-file.ts";
import { mayfly, withFiles } from "./repository.ts";
import { BOUNDARY, pin, policy, saidOf, statement } from "./trust.ts";

setDefaultTimeout(60_000);

const role = (more: object = {}, trust: unknown = JSON.parse(policy(statement()))) => ({
	Role: {
		...{
			RoleName: "deploy-shop",
			Arn: "arn:aws:iam::111122223333:role/deploy-shop",
			AssumeRolePolicyDocument: trust,
			MaxSessionDuration: 3600,
		},
		...{ PermissionsBoundary: { PermissionsBoundaryType: "PermissionsBoundaryPolicy", PermissionsBoundaryArn: BOUNDARY }, ...more },
	},
});
const asked = (file: unknown) => saidOf(JSON.stringify(file, null, "\t"));

describe("what IAM says of a role", () => {
	test("is fine with an hour and a boundary, and with IAM's own hour", () => {
		expect(asked(role())).toEqual([]);
		expect(asked(role({ MaxSessionDuration: undefined }))).toEqual([]);
		expect(asked(role({}, encodeURIComponent(policy(statement()))))).toEqual([]);
	});

	test.each<[string, object, string]>([
		["two hours", { MaxSessionDuration: 7200 }, "Role.MaxSessionDuration: 7200 seconds are more than an hour"],
		["an hour that is no number", { MaxSessionDuration: "long" }, "more than an hour"],
		["no boundary", { PermissionsBoundary: undefined }, "Role: there is no permissions boundary"],
		[
			"a boundary of everything",
			{ PermissionsBoundary: { PermissionsBoundaryArn: "arn:aws:iam::aws:policy/AdministratorAccess" } },
			"limits nothing",
		],
		["a policy that is no JSON", { AssumeRolePolicyDocument: "x" }, "cannot be read"],
	])("with %s is refused", (_, more, reason) => {
		expect(asked(role(more)).join("\n")).toContain(reason);
	});

	test("is looked at in lists too, and roles of others are left out and counted", () => {
		const lambda = {
			RoleName: "poller",
			AssumeRolePolicyDocument: {
				Statement: { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
			},
		};
		const saml = {
			RoleName: "people",
			AssumeRolePolicyDocument: {
				Statement: [
					{ Effect: "Allow", Principal: { Federated: "arn:aws:iam::111122223333:saml-provider/okta" }, Action: "sts:AssumeRoleWithSAML" },
				],
			},
		};
		const open = {
			RoleName: "open",
			AssumeRolePolicyDocument: { Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRoleWithWebIdentity" }] },
		};
		const { roles, others, problems } = checkFile(JSON.stringify({ RoleDetailList: [lambda, saml, open, role().Role] }));
		expect([roles.map(({ name }) => name), others]).toEqual([["open", "deploy-shop"], 2]);
		expect(problems.map((problem) => problem.role)).toEqual(Array(problems.length).fill("open"));
	});

	test("and what a list leaves out is not taken for none", () => {
		const { PermissionsBoundary: _, ...listed } = role().Role as Record<string, unknown>;
		expect(checkFile(JSON.stringify({ Roles: [listed] }))).toMatchObject({ problems: [], roles: [{ untold: ["boundary"] }] });
		const { MaxSessionDuration: __, ...detailed } = role().Role as Record<string, unknown>;
		expect(checkFile(JSON.stringify({ RoleDetailList: [detailed] }))).toMatchObject({
			problems: [],
			roles: [{ untold: ["longest session"] }],
		});
		expect(asked([{ Role: listed }])).toEqual([expect.stringContaining("no permissions boundary")]);
	});

	test("as Terraform plans it is read too", () => {
		const values = {
			name: "deploy",
			assume_role_policy: policy(statement({ Condition: pin("repo:octo-org/*") })),
			max_session_duration: 43_200,
			permissions_boundary: null,
		};
		const said = asked({ planned_values: { root_module: { resources: [{ type: "aws_iam_role", values }] } } });
		expect(said).toEqual(
			[
				expect.stringContaining("wildcard"),
				expect.stringContaining("more than an hour"),
				expect.stringContaining("no permissions boundary"),
			].sort(),
		);
	});
});

describe("the command", () => {
	const main = (folder: string, ...argv: string[]) => mayfly(folder, "deploy-role", ...argv);
	const own = join(import.meta.dir, "..", "..", "cloudformation", "deploy-role.yaml");

	test("finds nothing wrong with the template that ships", async () => {
		const { code, out } = await main(".", own);
		expect([code, out]).toEqual([0, "0 problems in 1 role for GitHub's jobs\n"]);
	});

	test("tells every problem of every file at once, with its line, and exits with 1", async () => {
		const files = {
			"a.json": JSON.stringify(role({ MaxSessionDuration: 7200 }), null, 2),
			"b.json": policy(statement({ Principal: "*" })),
		};
		await withFiles(files, async (folder) => {
			const { code, out, err } = await main(folder, "a.json", "b.json");
			expect([code, err]).toEqual([1, ""]);
			expect(out.trimEnd().split("\n")).toEqual([
				"a.json:23:27: role deploy-shop: Role.MaxSessionDuration: 7200 seconds are more than an hour (3600)",
				'b.json:1:68: role the policy: Statement.0.Principal: "*" is no provider: anybody could take the role',
				"b.json does not say the longest session and boundary: not checked; aws iam get-role says it",
				"2 problems in 2 roles for GitHub's jobs",
			]);
			const json = JSON.parse((await main(folder, "a.json", "--json")).out);
			expect(json).toMatchObject({
				ok: false,
				files: [{ file: "a.json", problems: [{ line: 23, role: "deploy-shop", path: "Role.MaxSessionDuration" }] }],
			});
		});
	});

	test.each([[[]], [["/nowhere.json"]], [["--loud"]], [["lambda.json"]], [["empty.yaml"]]])(
		"given %p it says what to do and exits with 2",
		async (argv) => {
			const lambda = JSON.stringify({ Statement: 1 }).replace("Statement", "Nothing");
			await withFiles({ "lambda.json": lambda, "empty.yaml": "" }, async (folder) => {
				const { code, out, err } = await main(folder, ...argv);
				expect([code, out]).toEqual([2, ""]);
				expect(err).toContain("see bun run mayfly deploy-role --help");
			});
		},
	);

	test("shows what it takes, with examples", async () => {
		const { code, out } = await main(".", "--help");
		expect(code).toBe(0);
		expect(out).toContain("aws iam get-role");
	});
});
