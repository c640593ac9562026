// The relay under `wrangler dev`: bindings and migration of wrangler.toml hold, and a change of the sources reloads it.
import { expect, test } from "bun:test";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseLeaseAnswer } from "../../contract/lease.ts";
import { devServer } from "./dev-server.ts";
import { delivery, payloadOf, SECRETS } from "./relay-under-test.ts";

const root = join(import.meta.dir, "..", "..");

test("wrangler dev serves the relay: a signed webhook is stored", async () => {
	await using dev = await devServer(root);
	expect((await fetch(`${dev.url}/health`)).status).toBe(200);
	expect((await fetch(`${dev.url}/webhook`, delivery(payloadOf(1, "queued")))).status).toBe(202);
	const jobs = await fetch(`${dev.url}/jobs`, { headers: { authorization: `Bearer ${SECRETS.OPERATOR_TOKEN}` } });
	expect(await jobs.json()).toMatchObject({ jobs: [{ id: 1, state: "queued" }] });
}, 180_000);

/** A copy of the relay's sources that a test may edit. */
async function editableProject() {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-project-"));
	for (const name of ["relay", "contract", "package.json", "tsconfig.json", "wrangler.toml"])
		await cp(join(root, name), join(folder, name), { recursive: true });
	await symlink(join(root, "node_modules"), join(folder, "node_modules"));
	const file = join(folder, "relay", "worker.ts");
	const source = await readFile(file, "utf8");
	return {
		folder,
		setVersion: (version: string) => writeFile(file, source.replace(/^import \{ version \}.*$/m, `const version = "${version}";`)),
		[Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
	};
}

/** The answer with the status wanted, asked for again as long as there is another or none; and how often there was another. */
async function patiently(status: number, call: () => Promise<Response>): Promise<{ body: unknown; refusals: number }> {
	for (let refusals = 0; ; refusals++) {
		const said = await call().catch(() => null);
		if (said?.status === status) return { body: await said.json(), refusals };
		await Bun.sleep(20);
	}
}

test("a reload of wrangler dev in the middle of a long poll loses nothing: the same request has the work, once", async () => {
	await using project = await editableProject();
	await using dev = await devServer(project.folder, { CLOCKS: JSON.stringify({ firstLease: 600_000 }) });
	const headers = { authorization: `Bearer ${SECRETS.POLLER_TOKEN}` };
	const lease = async (requestId: string, waitSeconds: number) => {
		const body = JSON.stringify({ session: "s", requestId, max: 10, waitSeconds });
		const { body: said, refusals } = await patiently(200, () =>
			fetch(`${dev.url}/lease`, { method: "POST", headers, body, keepalive: false }),
		);
		const answer = parseLeaseAnswer(said);
		return { refusals, work: answer.ok ? answer.value.work.map(({ workId }) => workId) : [answer.reason] };
	};
	const send = (id: number) => {
		const sent = { ...delivery(payloadOf(id, "queued"), { "x-github-delivery": `d-${id}` }), keepalive: false };
		return patiently(202, () => fetch(`${dev.url}/webhook`, sent));
	};
	const reload = async (version: string) => {
		await project.setVersion(version);
		for (let seen: unknown; seen !== version; ) {
			const { body } = await patiently(200, () => fetch(`${dev.url}/health`, { keepalive: false }));
			seen = (body as { version: unknown }).version;
		}
	};
	const cut = lease("cut", 20);
	await reload("after-the-poll-began");
	await send(1);
	const { work, refusals } = await cut;
	expect(work).toEqual(["launch-1"]);
	expect(refusals).toBeGreaterThan(0);
	const raced = lease("raced", 20);
	await Promise.all([reload("while-a-webhook-arrives"), send(2)]);
	expect((await raced).work).toEqual(["launch-2"]);
	expect([(await lease("cut", 0)).work, (await lease("raced", 0)).work, (await lease("new", 0)).work]).toEqual([
		["launch-1"],
		["launch-2"],
		[],
	]);
}, 180_000);
