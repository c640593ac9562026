// observability.yaml and the alarms nested in it, as they come out for one stack.
import { readTemplate, render } from "./template.ts";

export const GIVEN = {
	Stack: "prod",
	AlarmEmail: "ops@example.com",
	PollerFunction: "prod-poller",
	PollerLogGroup: "/mayfly/prod/poller",
	ProxyLogGroup: "/mayfly/prod/proxy",
	DnsLogGroup: "/mayfly/prod/dns",
	FlowLogGroup: "/mayfly/prod/flow",
	GatewayLogGroup: "/mayfly/prod/gateway",
	GatewayOne: "i-01",
	GatewayTwo: "i-02",
	GatewayThree: "i-03",
	MailboxBucket: "prod-mailbox",
	OldestQueuedMinutes: 10,
	LaunchesPerHour: 500,
};

/** Everything that is made for these parameters. */
export function resourcesOf(given: Record<string, string | number>): ReturnType<typeof render>["resources"] {
	const { resources, stacks } = render(readTemplate("observability"), given);
	return { ...resources, ...stacks.Alarms?.resources };
}
export const resources = resourcesOf(GIVEN);
/** Names of the resources of a type. */
export const namesOf = (type: string) => Object.keys(resources).filter((name) => resources[name]?.Type === type);
// biome-ignore lint/suspicious/noExplicitAny: parsed from the template, and each test says what it looks for
export const propertiesOf = (name: string) => resources[name]?.Properties as Record<string, any>;
