// CloudFormation as a deployment uses it. Touches the network; decides nothing.
import {
	type Change as ApiChange,
	type StackEvent as ApiEvent,
	CloudFormationClient,
	CreateChangeSetCommand,
	CreateStackCommand,
	DeleteChangeSetCommand,
	DeleteStackCommand,
	DescribeChangeSetCommand,
	DescribeStackEventsCommand,
	DescribeStacksCommand,
	ExecuteChangeSetCommand,
	type Stack,
	ValidateTemplateCommand,
} from "@aws-sdk/client-cloudformation";
import type { Change } from "./changes.ts";
import { type Cause, causeOf, isRefusal, told } from "./errors.ts";
import type { StackEvent } from "./events.ts";
import type { StackNow } from "./stack-state.ts";

/** A call that CloudFormation refused or did not answer. */
export class CloudFormationError extends Error {
	readonly why: Cause;
	/** It was answered with a refusal, so it did nothing; otherwise it may have been carried out. */
	readonly isRefusal: boolean;
	constructor(operation: string, target: string, cause: unknown) {
		super(told(operation, target, cause), { cause });
		this.name = "CloudFormationError";
		this.why = causeOf(cause);
		this.isRefusal = isRefusal(cause);
	}
}

export interface ChangeSetRequest {
	stack: string;
	name: string;
	type: "CREATE" | "UPDATE";
	templateUrl: string;
	/** A null stands for the value that the stack has. */
	parameters: Record<string, string | null>;
	roleArn: string | null;
	/** With the changes inside nested stacks. */
	nested: boolean;
}
export interface ChangeSetNow {
	id: string;
	stackId: string;
	status: string;
	reason: string | null;
	changes: Change[];
}
export type CloudFormation = ReturnType<typeof createCloudFormation>;

/** The templates make roles, and managed policies with names. */
const CAPABILITIES = ["CAPABILITY_IAM" as const, "CAPABILITY_NAMED_IAM" as const];
const isAbsent = (error: unknown) => /does not exist/.test(String((error as Error).message));

/** Calls end with the signal, but for those that clean up after it. Throws CloudFormationErrors. */
export function createCloudFormation(region: string, abortSignal: AbortSignal) {
	const client = new CloudFormationClient({ region, retryMode: "adaptive", maxAttempts: 6 });
	const send: CloudFormationClient["send"] = ((command: never) => client.send(command, { abortSignal })) as never;
	async function failing<T>(operation: string, target: string, answer: Promise<T>): Promise<T> {
		try {
			return await answer;
		} catch (error) {
			throw new CloudFormationError(operation, target, error);
		}
	}

	async function changesOf(id: string, within: string[]): Promise<ChangeSetNow> {
		const parts: ApiChange[] = [];
		for (let NextToken: string | undefined; ; ) {
			const page = await failing("DescribeChangeSet", id, send(new DescribeChangeSetCommand({ ChangeSetName: id, NextToken })));
			parts.push(...(page.Changes ?? []));
			if (page.NextToken) {
				NextToken = page.NextToken;
				continue;
			}
			const nested = await Promise.all(parts.map((part) => changesWithin(part, within)));
			const { StackId: stackId = "", Status: status = "", StatusReason: reason = null } = page;
			return { id, stackId, status, reason, changes: nested.flat() };
		}
	}

	/** A change, and behind it those of the nested stack that it is one of. */
	async function changesWithin({ ResourceChange }: ApiChange, within: string[]): Promise<Change[]> {
		if (!ResourceChange) return [];
		const { Action, LogicalResourceId: logicalId = "", ResourceType: type = "", Replacement = null, ChangeSetId } = ResourceChange;
		const action = (Action ?? "Dynamic") as Change["action"];
		const own: Change = { within, action, logicalId, type, replacement: Replacement, isOpened: ChangeSetId !== undefined };
		return ChangeSetId ? [own, ...(await changesOf(ChangeSetId, [...within, logicalId])).changes] : [own];
	}

	return {
		async stack(name: string): Promise<StackNow | null> {
			try {
				const { Stacks = [] } = await send(new DescribeStacksCommand({ StackName: name }));
				return Stacks[0] ? stackNow(Stacks[0]) : null;
			} catch (error) {
				if (isAbsent(error)) return null;
				throw new CloudFormationError("DescribeStacks", name, error);
			}
		},
		/** Without a change set: for a stack that has no parameters. */
		async create(name: string, TemplateBody: string, roleArn: string | null): Promise<string> {
			const asked = { StackName: name, TemplateBody, ...(roleArn && { RoleARN: roleArn }) };
			return (await failing("CreateStack", name, send(new CreateStackCommand(asked)))).StackId ?? name;
		},
		async validate(TemplateURL: string): Promise<void> {
			await failing("ValidateTemplate", TemplateURL, send(new ValidateTemplateCommand({ TemplateURL })));
		},
		async createChangeSet({ stack, name, type, templateUrl, parameters, roleArn, nested }: ChangeSetRequest): Promise<string> {
			const asked = new CreateChangeSetCommand({
				...{ StackName: stack, ChangeSetName: name, ChangeSetType: type, TemplateURL: templateUrl, Capabilities: CAPABILITIES },
				...{ IncludeNestedStacks: nested, ClientToken: name },
				Parameters: Object.entries(parameters).map(([ParameterKey, value]) =>
					value === null ? { ParameterKey, UsePreviousValue: true } : { ParameterKey, ParameterValue: value },
				),
				// No tags: they would go on to every resource, and mayfly:stack on a gateway would make it a machine for the poller to end.
				...(roleArn && { RoleARN: roleArn }),
			});
			return (await failing("CreateChangeSet", `${stack}/${name}`, send(asked))).Id ?? "";
		},
		changeSet: (id: string) => changesOf(id, []),
		/** `token`: the same call twice, as when an answer is lost, is one. */
		async execute(stackId: string, id: string, token: string): Promise<void> {
			const asked = { StackName: stackId, ChangeSetName: id, ClientRequestToken: token };
			await failing("ExecuteChangeSet", id, send(new ExecuteChangeSetCommand(asked)));
		},
		async deleteChangeSet(id: string): Promise<void> {
			await failing("DeleteChangeSet", id, client.send(new DeleteChangeSetCommand({ ChangeSetName: id })));
		},
		async deleteStack(id: string): Promise<void> {
			await failing("DeleteStack", id, client.send(new DeleteStackCommand({ StackName: id })));
		},
		/** Newest first. */
		async events(stackId: string): Promise<StackEvent[]> {
			const found: StackEvent[] = [];
			for (let NextToken: string | undefined; ; ) {
				const asked = new DescribeStackEventsCommand({ StackName: stackId, NextToken });
				const page = await failing("DescribeStackEvents", stackId, send(asked));
				found.push(...(page.StackEvents ?? []).map(stackEvent));
				if (!page.NextToken) return found;
				NextToken = page.NextToken;
			}
		},
	};
}

function stackNow({ StackId = "", StackStatus, StackStatusReason, Parameters = [], Outputs = [] }: Stack): StackNow {
	return {
		...{ id: StackId, status: StackStatus ?? "", reason: StackStatusReason ?? null },
		parameters: Object.fromEntries(Parameters.map(({ ParameterKey = "", ParameterValue = "" }) => [ParameterKey, ParameterValue])),
		outputs: Object.fromEntries(Outputs.map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue])),
	};
}

function stackEvent({ EventId, StackId, Timestamp, LogicalResourceId, PhysicalResourceId, ...rest }: ApiEvent): StackEvent {
	return {
		...{ id: EventId ?? "", stackId: StackId ?? "", at: Timestamp?.getTime() ?? 0 },
		...{ logicalId: LogicalResourceId ?? "", physicalId: PhysicalResourceId ?? "", type: rest.ResourceType ?? "" },
		...{ status: rest.ResourceStatus ?? "", reason: rest.ResourceStatusReason ?? null },
	};
}
