// Who may open a tunnel to a machine, from where, and to what: the policy of ssh.yaml, which is off unless SshCidr is given.
import { describe, expect, test } from "bun:test";
import { arn, type Context, type Document, isAllowedUnchecked, patterns, wideChanges } from "./iam.ts";
import { readTemplate, render } from "./template.ts";

const given = {
	...{
		Stack: "prod",
		Vpc: "vpc-0a",
		Cidr: "10.77.0.0/16",
		SshCidr: "203.0.113.0/24",
		GatewaySubnet: "subnet-0a",
		GatewayCidr: "10.77.0.0/23",
	},
	...{ RunnerGroup: "sg-0a", BehindAcl: "acl-0a", GatewayAcl: "acl-0b" },
};
const { resources } = render(readTemplate("ssh"), given);
const policy = resources.Policy?.Properties?.PolicyDocument as unknown as Document;

// The endpoint's id is its name here.
const ENDPOINT = arn("instance-connect-endpoint/Endpoint");
const TUNNEL = {
	"ec2-instance-connect:remotePort": "22",
	"ec2-instance-connect:maxTunnelDuration": "3600",
	"ec2-instance-connect:privateIpAddress": "10.77.16.9",
	"aws:SourceIp": "203.0.113.7",
};
const OPEN = "ec2-instance-connect:OpenTunnel";
const without = (name: keyof typeof TUNNEL) => Object.fromEntries(Object.entries(TUNNEL).filter(([key]) => key !== name));

describe("the policy for SSH", () => {
	test.each<[what: string, action: string, resource: string, context: Context, allowed: boolean]>([
		["a tunnel to a machine", OPEN, ENDPOINT, TUNNEL, true],
		["one from elsewhere", OPEN, ENDPOINT, { ...TUNNEL, "aws:SourceIp": "198.51.100.7" }, false],
		["one that does not say from where", OPEN, ENDPOINT, without("aws:SourceIp"), false],
		["one to another port", OPEN, ENDPOINT, { ...TUNNEL, "ec2-instance-connect:remotePort": "5432" }, false],
		["one to what is not the stack's", OPEN, ENDPOINT, { ...TUNNEL, "ec2-instance-connect:privateIpAddress": "10.78.0.9" }, false],
		["one to no address", OPEN, ENDPOINT, without("ec2-instance-connect:privateIpAddress"), false],
		["one of more than an hour", OPEN, ENDPOINT, { ...TUNNEL, "ec2-instance-connect:maxTunnelDuration": "7200" }, false],
		["one through another endpoint", OPEN, arn("instance-connect-endpoint/eice-0ffffffffffffffff"), TUNNEL, false],
		["which machines there are", "ec2:DescribeInstances", "*", {}, true],
		["a key for a machine", "ec2-instance-connect:SendSSHPublicKey", arn("instance/i-0abc"), TUNNEL, false],
		["another endpoint", "ec2:CreateInstanceConnectEndpoint", arn("instance-connect-endpoint/*"), {}, false],
		["a session by SSM", "ssm:StartSession", arn("instance/i-0abc"), {}, false],
	])("%s: %s on %s", (_, action, resource, context, allowed) => {
		expect(isAllowedUnchecked({ identity: [policy] }, action, resource, context)).toBe(allowed);
	});

	test("changes nothing on every resource, and names no action by a pattern", () => {
		expect(wideChanges(policy.Statement)).toEqual([]);
		expect(patterns(policy.Statement)).toEqual([]);
	});
});
