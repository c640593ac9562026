// An AWS account for tests: keys, two subnets, one launch template per architecture, and clients that sign with the keys.
import { CreateFleetCommand, type CreateFleetCommandInput, EC2Client } from "@aws-sdk/client-ec2";
import { type Ec2, type Ec2Options, startEc2 } from "../../local/ec2.ts";
import type { Boot } from "../../local/instance.ts";

export const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
export const REGION = "eu-west-1";
export const X64 = { id: "lt-0000000000000a064", name: "x64", imageId: "ami-0000000000000a064", architecture: "x86_64" } as const;
export const ARM64 = { id: "lt-0000000000000a0a4", name: "arm64", imageId: "ami-0000000000000a0a4", architecture: "arm64" } as const;
export const SUBNETS = [
	{ id: "subnet-0000000000000000a", zone: "eu-west-1a" },
	{ id: "subnet-0000000000000000b", zone: "eu-west-1b" },
];

/** A machine that is on until it is ended, and runs nothing. */
export const bootNothing: Boot = async () => ({
	pid: null,
	directory: "",
	announceInterruption: () => {},
	recommendRebalance: () => {},
	kill: () => false,
	end: async () => {},
});

export function startAccount(options: Partial<Ec2Options> = {}): Promise<Ec2> {
	return startEc2({ keys: KEYS, region: REGION, launchTemplates: [X64, ARM64], subnets: SUBNETS, boot: bootNothing, ...options });
}

export function ec2Client(url: string, over: ConstructorParameters<typeof EC2Client>[0] = {}): EC2Client {
	return new EC2Client({ endpoint: url, region: REGION, credentials: KEYS, maxAttempts: 1, ...over });
}

/** A CreateFleet that works; fields of `over` replace its own. */
export function fleetInput(over: Partial<CreateFleetCommandInput> = {}): CreateFleetCommandInput {
	return {
		Type: "instant",
		LaunchTemplateConfigs: [
			{
				LaunchTemplateSpecification: { LaunchTemplateId: X64.id, Version: "1" },
				Overrides: [{ InstanceType: "m7a.large", SubnetId: SUBNETS[0]?.id }],
			},
		],
		TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: "on-demand" },
		TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "mayfly:stack", Value: "test" }] }],
		...over,
	};
}

/** Launches, and gives the ids of what was launched. */
export async function launch(client: EC2Client, over: Partial<CreateFleetCommandInput> = {}): Promise<string[]> {
	const { Instances = [] } = await client.send(new CreateFleetCommand(fleetInput(over)));
	return Instances.flatMap(({ InstanceIds = [] }) => InstanceIds);
}

/** The name under which the SDK throws what the promise is refused with. */
export async function refusalOf(promise: Promise<unknown>): Promise<{ code: string; status: number | undefined }> {
	const error = await promise.then(
		() => null,
		(reason) => reason,
	);
	return { code: error?.name ?? "none", status: error?.$metadata?.httpStatusCode };
}
