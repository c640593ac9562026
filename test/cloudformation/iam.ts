// Requests put to an IAM evaluator of others, under policies exactly as the templates render them.
import { anonymousPrincipal, runSimulation, runUnsafeSimulation, type Simulation } from "@cloud-copilot/iam-simulate";

export const ACCOUNT = "111122223333";
export const REGION = "eu-west-1";
export const arn = (what: string, service = "ec2") => `arn:aws:${service}:${REGION}:${ACCOUNT}:${what}`;

export interface Statement {
	Sid: string;
	Effect: string;
	Action: string | string[];
	Resource?: string | string[];
	NotResource?: string | string[];
	Principal?: unknown;
	Condition?: Record<string, unknown>;
}
export interface Document {
	Statement: Statement[];
}
export interface Role {
	AssumeRolePolicyDocument: { Statement: unknown[] };
	PermissionsBoundary?: string;
	Policies: { PolicyName: string; PolicyDocument: Document }[];
}
/** All that has a say in a request. Whoever has no identity policy is nobody: an unsigned request. */
export interface Policies {
	identity?: Document[];
	boundary?: Document;
	resource?: Document;
	endpoint?: Document;
}
export type Context = Record<string, string | string[]>;

const named = (documents: Document[]) => documents.map((policy, at) => ({ name: `policy-${at}`, policy }));

/** Throws when the evaluator cannot tell, such as for an action that AWS does not have. */
export async function isAllowed(policies: Policies, action: string, resource: string, context: Context = {}): Promise<boolean> {
	const { overallResult } = (await runSimulation(simulationOf(policies, action, resource, context), {})) as { overallResult?: string };
	if (overallResult === undefined) throw new Error(`the evaluator refused ${action} on ${resource}`);
	return overallResult === "Allowed";
}

/** For an action of which the evaluator's data say nothing usable: by the policies alone, whatever keys AWS gives with it. */
export function isAllowedUnchecked(policies: Policies, action: string, resource: string, context: Context = {}): boolean {
	return runUnsafeSimulation(simulationOf(policies, action, resource, context), {}) === "Allowed";
}

function simulationOf(policies: Policies, action: string, resource: string, contextVariables: Context): Simulation {
	const { identity, boundary, resource: resourcePolicy, endpoint } = policies;
	return {
		request: {
			principal: identity ? `arn:aws:iam::${ACCOUNT}:role/asking` : anonymousPrincipal,
			action,
			resource: { resource, accountId: ACCOUNT },
			contextVariables,
		},
		identityPolicies: named(identity ?? []),
		serviceControlPolicies: [],
		resourceControlPolicies: [],
		...(resourcePolicy && { resourcePolicy }),
		...(boundary && { permissionBoundaryPolicies: named([boundary]) }),
		...(endpoint && { vpcEndpointPolicies: named([endpoint]) }),
		// The mailbox's bucket restricts what a policy may open to the public.
		additionalSettings: { s3: { blockPublicAccess: true } },
	};
}

const actionsOf = ({ Action }: Statement) => [Action].flat();
const looks = (action: string) => /:(Describe|List)/.test(action);

/** Actions that change something and are allowed on everything. */
export function wideChanges(statements: Statement[]): string[] {
	const wide = statements.filter(({ Effect, Resource }) => Effect === "Allow" && (!Resource || [Resource].flat().includes("*")));
	return wide.flatMap(actionsOf).filter((action) => !looks(action));
}

/** Actions that are allowed by a pattern rather than by name. */
export function patterns(statements: Statement[]): string[] {
	return statements
		.filter(({ Effect }) => Effect === "Allow")
		.flatMap(actionsOf)
		.filter((action) => action.includes("*"));
}
