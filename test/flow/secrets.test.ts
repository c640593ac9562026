// What a whole run prints, in every log and every answer, searched for every secret that was anywhere in it.
import { expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { driveRun } from "../../local/drive.ts";
import { startSystem } from "../../local/system.ts";
import { readWorkflow } from "../../local/workflow/read.ts";

const WORKFLOW = `on: push
jobs:
  good:
    runs-on: self-hosted
    steps: [{ run: echo good }]
  bad:
    runs-on: self-hosted
    continue-on-error: true
    steps: [{ run: exit 3 }]
`;

/** Everything below a folder that a part of the system printed. */
async function printedBelow(folder: string): Promise<Map<string, string>> {
	const files = await readdir(folder, { recursive: true, withFileTypes: true });
	const logs = files.filter((file) => file.isFile() && file.name.endsWith(".log"));
	const paths = logs.map((file) => join(file.parentPath, file.name));
	return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path, "utf8")] as const)));
}

/** All strings in a JSON value that stand under one of these names. */
function namedIn(value: unknown, names: ReadonlySet<string>): string[] {
	if (value === null || typeof value !== "object") return [];
	return Object.entries(value).flatMap(([name, inner]) => (names.has(name) && typeof inner === "string" ? [inner] : namedIn(inner, names)));
}

test("no secret is in a log, an answer or a URL of a whole run, refusals and failures included", async () => {
	const folder = await mkdtemp(join(tmpdir(), "mf-"));
	const issued = new Set<string>();
	const urls: string[] = [];
	const onExchange = ({ path, responseBody }: { path: string; responseBody?: unknown }) => {
		urls.push(path);
		for (const secret of namedIn(responseBody, new Set(["token", "encoded_jit_config"]))) issued.add(secret);
	};
	const system = await startSystem({ folder, machines: 2, keep: true, github: { onExchange } });
	try {
		const read = readWorkflow("secrets.yml", WORKFLOW);
		if (!read.ok) throw new Error("the workflow is wrong");
		const summary = await driveRun(system, read.workflow, { signal: AbortSignal.timeout(120_000) });
		expect(summary.ok).toBeTrue();
		const { credentials, relay, mailbox } = system;
		const secrets = new Map<string, string>(Object.entries({ ...credentials, appKey: credentials.appKey.split("\n")[1] ?? "" }));
		for (const secret of issued) secrets.set(`issued ${secrets.size}`, secret);
		expect(issued.size).toBeGreaterThanOrEqual(3);

		const printed = await printedBelow(folder);
		expect([...printed.keys()].map((path) => basename(path))).toEqual(expect.arrayContaining(["relay.log", "poller.log", "agent.log"]));
		for (const key of mailbox.keys().filter((it) => it.startsWith("records/"))) printed.set(key, (await mailbox.read(key)) ?? "");
		printed.set("summary", JSON.stringify(summary));
		printed.set("urls", [...urls, ...mailbox.requests().map(({ key }) => key)].join("\n"));
		// Each secret where it does not belong, so that what refuses it is heard too.
		for (const [name, secret] of secrets) {
			const headers = { authorization: `Bearer ${secret}`, "x-hub-signature-256": secret, "content-type": "application/json" };
			for (const path of ["/webhook", "/lease", "/settle", "/observe", "/report", "/switches", "/jobs", "/stats"])
				for (const method of ["POST", "GET"]) {
					const body = method === "POST" ? JSON.stringify({ session: { secret }, results: secret, [secret]: secret }) : undefined;
					const said = await fetch(`${relay.url}${path}`, { method, headers, body });
					printed.set(`${method} ${path} with ${name}`, JSON.stringify([...said.headers]) + (await said.text()));
				}
		}
		printed.set("relay.log afterwards", await readFile(relay.logFile, "utf8"));
		for (const [where, text] of printed) {
			for (const [name, secret] of secrets) expect([where, name, text.includes(secret)]).toEqual([where, name, false]);
			// Report tokens and signatures are made of secrets.
			expect([where, /\d{10}\.[0-9a-f]{64}|sha256=[0-9a-f]{64}|ghs_\w/.exec(text)?.[0]]).toEqual([where, undefined]);
		}
	} finally {
		await system.stop();
		await rm(folder, { recursive: true, force: true });
	}
}, 150_000);
