// The whole stack as an operator would have it: root.yaml with everything nested in it, rendered.
import type { Json } from "./functions.ts";
import { type Rendered, type Resource, readTemplate, render } from "./template.ts";

/** What has no default, and what a real deployment reads from SSM. */
export const NEEDED = {
	RelayUrl: "https://mayfly.example.workers.dev",
	AppId: "42",
	SecretArn: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mayfly-AbCdEf",
	...{ GatewayImage: "ami-0gateway", RunnerImageX64: "ami-0x64", RunnerImageArm64: "ami-0arm64" },
};
/** What `bun run deploy` fills in. */
export interface Deployed {
	tiers?: string[];
	role?: { Tier: string; Arn: string };
	domainFile?: string;
}
export interface Found extends Resource {
	/** As references to it come out. */
	name: string;
	properties: Record<string, Json>;
}

export function renderStack(given: Record<string, Json> = {}, { tiers = ["build"], role, domainFile = "" }: Deployed = {}): Rendered {
	const root = readTemplate("root");
	const filled = Object.fromEntries(["One", "Two", "Three", "Four", "Five"].map((place, at) => [place, tiers[at] ?? ""]));
	const egress = { ...root.Mappings?.Deployed?.Egress, DomainFile: domainFile };
	const deployed = { ...root.Mappings?.Deployed, Tiers: filled, ...(role && { TierRole: role }), Egress: egress };
	return render({ ...root, Mappings: { Deployed: deployed as Record<string, Record<string, Json>> } }, { ...NEEDED, ...given });
}

/** Every resource of a stack and of what is nested in it. */
export function resourcesOf(stack: Rendered, within = ""): Found[] {
	const own = Object.entries(stack.resources).map(([name, resource]) => ({
		...resource,
		name: `${within}${name}`,
		properties: resource.Properties ?? {},
	}));
	return [...own, ...Object.entries(stack.stacks).flatMap(([name, nested]) => resourcesOf(nested, `${within}${name}-`))];
}

/** One stack, its resources by their names. */
export function stackOf(given: Record<string, Json> = {}, deployed: Deployed = {}) {
	const rendered = renderStack(given, deployed);
	const resources = resourcesOf(rendered);
	return {
		...rendered,
		/** What a resource is made with. Throws if there is none of that name. */
		get(name: string): Found["properties"] {
			const found = resources.find((resource) => resource.name === name);
			if (!found) throw new Error(`the stack has no ${name}`);
			return found.properties;
		},
		names: (type: string) => resources.filter(({ Type }) => Type === `AWS::${type}`).map(({ name }) => name),
	};
}
export type Stack = ReturnType<typeof stackOf>;

/** The stacks that the tests look at: each switch in each of its positions, and everything at once. */
export const VARIANTS: [name: string, given: Record<string, Json>, deployed: Deployed][] = [
	["as it comes", {}, {}],
	["of one zone", { Zones: 1 }, {}],
	[
		"with everything",
		{ Zones: 3, SshCidr: "203.0.113.0/24", AlarmEmail: "ops@example.com", SharedImages: "arn:aws:ec2:eu-west-1::image/ami-0shared" },
		{
			tiers: ["build", "deploy", "nightly", "gpu", "docs"],
			role: { Tier: "deploy", Arn: "arn:aws:iam::111122223333:role/mayfly-deploy" },
			domainFile: "s3://artifacts/domains.txt",
		},
	],
	["in a VPC that exists", { VpcId: "vpc-0f0f", InternetGatewayId: "igw-0f0f", Cidr: "172.20.16.0/20", DnsFirewall: "off" }, {}],
	["that observes", { EgressMode: "observe" }, { domainFile: "s3://artifacts/domains.txt" }],
	["that is open", { EgressMode: "open" }, { domainFile: "s3://artifacts/domains.txt" }],
];
