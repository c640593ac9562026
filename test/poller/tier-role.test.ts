// The tier that has a role starts from launch templates of its own, which carry the role; no other tier does. Through the real bundle.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { ARM64, SUBNETS, X64 } from "../fakes/aws-account.ts";
import { startWorld, type World } from "./poller-world.ts";

setDefaultTimeout(60_000);

let world: World;
afterEach(async () => {
	expect(world.relay.problems).toEqual([]);
	await world.stop();
});

const REAL = { x64: { id: X64.id, version: "1" }, arm64: { id: ARM64.id, version: "1" } };
/** The stand-in of EC2 knows no launch template of these names, and launches nothing from them. */
const NONE = { x64: { id: "lt-0ffffffffffffff64", version: "1" }, arm64: { id: "lt-0ffffffffffffffa4", version: "1" } };

async function outcomeWith(launchTemplates: object, tierLaunchTemplates: object): Promise<string | undefined> {
	const INFRASTRUCTURE = JSON.stringify({ stack: "test", launchTemplates, tierLaunchTemplates, subnets: SUBNETS });
	world = await startWorld({ env: { INFRASTRUCTURE } });
	const [item] = world.queue({});
	if (item === undefined) throw new Error("there is no job");
	world.relay.push(item);
	return (await world.relay.ends(item.workId))[0]?.outcome;
}

test("a job of the tier with a role gets a machine from that tier's launch template", async () => {
	expect(await outcomeWith(NONE, { build: REAL })).toBe("launched");
	expect(world.ec2.instances().map(({ tags }) => tags["mayfly:tier"])).toEqual(["build"]);
});

test("a job of another tier does not, whatever that tier is called", async () => {
	expect(await outcomeWith(REAL, { deploy: NONE, constructor: NONE })).toBe("launched");
});
