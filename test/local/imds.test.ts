// The metadata stand-in: tokens first, then what EC2 says of the instance.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Imds, type MachineFacts, startImds } from "../../local/imds.ts";

const FACTS: MachineFacts = {
	...{ instanceId: "i-0123456789abcdef0", privateIp: "10.0.0.4", region: "eu-west-1", zone: "eu-west-1a", instanceType: "m7a.large" },
	...{ imageId: "ami-1", architecture: "x86_64", market: "spot", launchedAt: Date.UTC(2026, 10, 23, 6, 0, 0, 7) },
};
let clock = Date.UTC(2026, 10, 23, 6, 1);
let imds: Imds;
beforeAll(() => {
	imds = startImds(FACTS, () => clock);
});
afterAll(() => imds.stop());

const takeToken = (headers: Record<string, string> = { "X-aws-ec2-metadata-token-ttl-seconds": "60" }, method = "PUT") =>
	fetch(`${imds.url}/latest/api/token`, { method, headers });
const read = async (path: string, token?: string, method = "GET") => {
	const headers = { "X-aws-ec2-metadata-token": token ?? (await (await takeToken()).text()) };
	return fetch(`${imds.url}/latest/${path}`, { headers, method });
};

describe("tokens", () => {
	test("live for 1 to 21600 seconds, no other time can be asked for", async () => {
		for (const ttl of ["1", "21600"]) expect((await takeToken({ "x-aws-ec2-metadata-token-ttl-seconds": ttl })).status).toBe(200);
		for (const ttl of ["0", "21601", "-1", "1.5", "ten", "", "99999999999"])
			expect((await takeToken({ "x-aws-ec2-metadata-token-ttl-seconds": ttl })).status).toBe(400);
		expect((await takeToken({})).status).toBe(400);
	});

	test("are not given through a proxy, nor to a GET", async () => {
		const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };
		expect((await takeToken({ ...ttl, "x-forwarded-for": "10.0.0.9" })).status).toBe(403);
		expect((await takeToken(ttl, "GET")).status).toBe(405);
		expect((await takeToken(ttl, "POST")).status).toBe(405);
	});

	test("are needed for everything, and end", async () => {
		expect((await fetch(`${imds.url}/latest/meta-data/instance-id`)).status).toBe(401);
		expect((await read("meta-data/instance-id", "made up")).status).toBe(401);
		const token = await (await takeToken()).text();
		expect((await read("meta-data/instance-id", token)).status).toBe(200);
		clock += 60_000;
		expect((await read("meta-data/instance-id", token)).status).toBe(401);
	});
});

describe("documents", () => {
	test("tell what the instance is", async () => {
		const identity = await (await read("dynamic/instance-identity/document")).json();
		expect(identity).toMatchObject({
			...{
				instanceId: FACTS.instanceId,
				privateIp: "10.0.0.4",
				region: "eu-west-1",
				availabilityZone: "eu-west-1a",
				accountId: "000000000000",
			},
			...{ instanceType: "m7a.large", imageId: "ami-1", architecture: "x86_64", pendingTime: "2026-11-23T06:00:00Z" },
		});
		const texts = {
			"instance-id": FACTS.instanceId,
			"instance-type": "m7a.large",
			"local-ipv4": "10.0.0.4",
			"placement/availability-zone": "eu-west-1a",
			"placement/region": "eu-west-1",
			"ami-id": "ami-1",
			"instance-life-cycle": "spot",
		};
		for (const [path, text] of Object.entries(texts)) expect(await (await read(`meta-data/${path}`)).text()).toBe(text);
		expect((await (await read("meta-data/")).text()).split("\n")).toContain("placement/");
	});

	test.each(["user-data", "meta-data/tags/instance/Name", "meta-data/iam/security-credentials/", "../x", "meta-data/spot/instance-action"])(
		"%s is not there, and says so in XHTML",
		async (path) => {
			const answer = await read(path);
			expect([answer.status, answer.headers.get("content-type")]).toEqual([404, "text/html"]);
			expect(await answer.text()).toContain("<title>404 - Not Found</title>");
		},
	);

	test("nothing can be changed", async () => {
		for (const method of ["POST", "PUT", "DELETE"]) expect((await read("meta-data/instance-id", undefined, method)).status).toBe(405);
	});

	test("an announced interruption names a moment that does not move", async () => {
		imds.announceInterruption(Date.UTC(2026, 10, 23, 6, 10));
		for (const _ of [1, 2]) {
			const notice = await (await read("meta-data/spot/instance-action")).json();
			expect(notice).toEqual({ action: "terminate", time: "2026-11-23T06:10:00Z" });
			clock += 1000;
		}
		imds.recommendRebalance(Date.UTC(2026, 10, 23, 6, 5));
		expect(await (await read("meta-data/events/recommendations/rebalance")).json()).toEqual({ noticeTime: "2026-11-23T06:05:00Z" });
	});
});
