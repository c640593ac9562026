// The roles in what people have: a trust policy, answers of IAM, a CloudFormation template, a Terraform plan. Pure.
import type { RoleFacts, RolePaths, Untold } from "./check-role.ts";
import { ISSUER } from "./subject.ts";
import { isObject, type Json, type JsonObject, type Surroundings } from "./template-value.ts";

export interface FoundRole extends RoleFacts {
	name: string;
	paths: RolePaths;
}

/** What a role's parts are called where it is found. */
const SPELLINGS = [
	{ trust: "AssumeRolePolicyDocument", session: "MaxSessionDuration", boundary: "PermissionsBoundary", name: "RoleName" },
	{ trust: "assume_role_policy", session: "max_session_duration", boundary: "permissions_boundary", name: "name" },
];

/** IAM's lists leave out what `aws iam get-role` tells: list-roles the boundary, get-account-authorization-details the session. */
const UNTOLD: Record<string, Untold[]> = { Roles: ["boundary"], RoleDetailList: ["longest session"] };
const WHOLE_FILE: RolePaths = { trust: "", session: "", boundary: "" };

/** A policy as IAM's API has it, encoded, or as Terraform has it: JSON in a text. */
function decoded(value: Json | undefined): Json {
	if (typeof value !== "string") return value ?? null;
	for (const text of [value, safely(() => decodeURIComponent(value))])
		try {
			return JSON.parse(text ?? "") as Json;
		} catch {}
	return value;
}

function safely(read: () => string): string | null {
	try {
		return read();
	} catch {
		return null;
	}
}

/** `aws iam get-role` has the boundary's ARN in an object. */
const boundaryIn = (value: Json | undefined): Json | undefined =>
	isObject(value ?? null) && "PermissionsBoundaryArn" in (value as JsonObject) ? (value as JsonObject).PermissionsBoundaryArn : value;

/** Its own name, or in a template its logical id, which stands above `Properties`. */
function nameOf(own: Json | undefined, path: string[]): string {
	if (typeof own === "string") return own;
	return path.findLast((step) => !["Properties", "values"].includes(step)) ?? "the role";
}

function* rolesBelow(value: Json, path: string[]): Generator<FoundRole> {
	if (Array.isArray(value)) for (const [at, item] of value.entries()) yield* rolesBelow(item, [...path, String(at)]);
	if (!isObject(value)) return;
	for (const { trust, session, boundary, name } of SPELLINGS) {
		const written = value[trust];
		if (written === undefined) continue;
		const at = (key: string) => [...path, key].join(".");
		yield {
			name: nameOf(value[name], path),
			trust: decoded(written),
			session: value[session],
			boundary: boundaryIn(value[boundary] ?? undefined),
			untold: UNTOLD[path[0] ?? ""] ?? [],
			paths: {
				trust: at(trust),
				session: at(session),
				boundary: value[boundary] === undefined ? path.join(".") : at(boundary),
			},
		};
	}
	if (isUnwritten(value)) {
		const place = path.join(".");
		yield {
			...{ name: nameOf(value.name, path), trust: null, session: undefined, boundary: undefined, untold: ["longest session", "boundary"] },
			paths: { trust: place, session: place, boundary: place },
		};
	}
	for (const [key, part] of Object.entries(value)) yield* rolesBelow(part, [...path, key]);
}

/** A role whose trust policy is made elsewhere: by a macro, or when Terraform applies its plan. */
function isUnwritten({ Type, Properties, type, values, mode }: JsonObject): boolean {
	const lacks = (part: Json | undefined, name: string) => !isObject(part ?? null) || (part as JsonObject)[name] === undefined;
	if (Type === "AWS::IAM::Role") return lacks(Properties, "AssumeRolePolicyDocument");
	return type === "aws_iam_role" && mode === "managed" && values !== undefined && lacks(values, "assume_role_policy");
}

/** All roles of a file. A file that is a policy is one of its own, and says nothing of the rest. */
export function rolesIn(file: Json): FoundRole[] {
	if (isObject(file) && "Statement" in file)
		return [
			{
				name: "the policy",
				trust: file,
				session: undefined,
				boundary: undefined,
				untold: ["longest session", "boundary"],
				paths: WHOLE_FILE,
			},
		];
	return [...rolesBelow(file, [])];
}

export function surroundingsIn(file: Json): Surroundings {
	const part = (name: string) => (isObject(file) && isObject(file[name] ?? null) ? (file[name] as JsonObject) : {});
	return { parameters: part("Parameters"), resources: part("Resources") };
}

const OTHERS = /^(arn:aws[a-z-]*:iam::[0-9]{12}:(saml-provider|oidc-provider)\/[^*?]+|[a-z0-9.-]+\.[a-z]+)$/;

function isOthers(principal: Json | undefined): boolean {
	if (!isObject(principal ?? null)) return false;
	return Object.entries(principal as JsonObject).every(([kind, named]) =>
		[named].flat().every((it) => {
			if (kind === "Service") return true;
			if (kind === "AWS") return it !== "*";
			return kind === "Federated" && typeof it === "string" && OTHERS.test(it);
		}),
	);
}

/** Whether a role may have to do with GitHub's jobs: it says so, or says nothing that rules it out. */
export function concernsGitHub({ trust }: RoleFacts): boolean {
	if (JSON.stringify(trust).toLowerCase().includes(ISSUER)) return true;
	const statements = isObject(trust) ? [trust.Statement ?? null].flat() : [null];
	return !statements.every((statement) => isObject(statement) && isOthers(statement.Principal));
}
