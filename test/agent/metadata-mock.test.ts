// The agent against an IMDS by other hands: AWS's own amazon-ec2-metadata-mock, version 2 only (FACTS 4.6).
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createImds } from "../../agent/imds.ts";
import { createImdsReader } from "../../aws/imds-reader.ts";
import { hasMetadataMock, installMetadataMock, type MetadataMock, startMetadataMock } from "../fakes/metadata-mock.ts";
import { INSTANCE, PRIVATE_IP } from "./documents.ts";
import { runMachine } from "./machine.ts";

const hasMock = hasMetadataMock();
/** Without Go it cannot be built: skipped with this name, unless everything is required. */
const isAsked = hasMock || process.env.MAYFLY_REQUIRE_ALL === "1";

let mock: MetadataMock | undefined;
afterEach(async () => {
	await mock?.stop();
	mock = undefined;
});

async function start(...args: string[]): Promise<MetadataMock> {
	mock = await startMetadataMock(...args);
	return mock;
}

/** To the second, as IMDS writes times. */
const inSeconds = (seconds: number) => new Date((Math.floor(Date.now() / 1000) + seconds) * 1000);
const rfc3339 = (at: Date) => at.toISOString().replace(/\.\d+Z$/, "Z");

describe.if(isAsked)("amazon-ec2-metadata-mock (built by Go)", () => {
	beforeAll(async () => {
		if (!hasMock) throw new Error("Go is missing, which builds amazon-ec2-metadata-mock");
		await installMetadataMock();
	}, 300_000);

	test("its spot notice ends a job of the compiled agent in time", async () => {
		const folder = mkdtempSync(join(tmpdir(), "mf-"));
		const config = join(folder, "config.json");
		writeFileSync(
			config,
			JSON.stringify({
				metadata: { values: { "instance-life-cycle": "spot" } },
				dynamic: { values: { "instance-identity-document": { instanceId: INSTANCE, privateIp: PRIVATE_IP } } },
			}),
		);
		const at = inSeconds(4);
		const { url } = await start("spot", "-I", "-d", "2", "-x", "-1", "-t", rfc3339(at), "-c", config);
		const clocks = { spotLead: 1000, spotLinger: 100 };
		const end = await runMachine({ runner: "long", env: { MAYFLY_IMDS_URL: url }, clocks });
		rmSync(folder, { recursive: true });
		expect(end.phases).toEqual(["claimed", "listening", "running", "interrupted", "finished", "off"]);
		expect(end.reports.find(({ phase }) => phase === "interrupted")?.measurements.terminateAt).toBe(at.getTime());
		expect(end).toMatchObject({ code: 0, offs: 1, interrupted: true });
	}, 30_000);

	test("its identity document and tokens are understood", async () => {
		const { url } = await start("spot", "-I", "-x", "-1", "-d", "600");
		const imds = createImds(createImdsReader(url, fetch), Date.now);
		expect(await imds.identity()).toMatchObject({ ok: true, value: { instanceId: "i-1234567890abcdef0", region: "us-east-1" } });
		expect(await imds.terminateAt()).toBeNull();
		expect(await imds.isSpot()).toBe(false);
	});

	test("its notice is read to the second", async () => {
		const at = inSeconds(90);
		const { url } = await start("spot", "-I", "-x", "-1", "-t", rfc3339(at));
		expect(await createImds(createImdsReader(url, fetch), Date.now).terminateAt()).toBe(at.getTime());
	});

	test("its recommendation to leave is read to the second", async () => {
		const at = inSeconds(0);
		const { url } = await start("spot", "-I", "-x", "-1", "-d", "600", "-r", rfc3339(at));
		const imds = createImds(createImdsReader(url, fetch), Date.now);
		expect([at.getTime(), null]).toContain(await imds.rebalanceAt());
	});
});
