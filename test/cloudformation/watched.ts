// observability.yaml as it comes out for one stack.
import { readTemplate, render } from "./template.ts";

export const GIVEN = {
	Stack: "prod",
	AlarmEmail: "ops@example.com",
	PollerFunction: "prod-poller",
	PollerLogGroup: "/mayfly/prod/poller",
	ProxyLogGroup: "/mayfly/prod/proxy",
	DnsLogGroup: "/mayfly/prod/dns",
	FlowLogGroup: "/mayfly/prod/flow",
	GatewayOne: "i-01",
	GatewayTwo: "i-02",
	GatewayThree: "i-03",
	MailboxBucket: "prod-mailbox",
	OldestQueuedMinutes: 10,
	LaunchesPerHour: 500,
};
export const template = readTemplate("observability");
export const { resources } = render(template, GIVEN);
/** Names of the resources of a type. */
export const namesOf = (type: string) => Object.keys(resources).filter((name) => resources[name]?.Type === type);
// biome-ignore lint/suspicious/noExplicitAny: parsed from the template, and each test says what it looks for
export const propertiesOf = (name: string) => resources[name]?.Properties as Record<string, any>;
