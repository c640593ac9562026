// `bun run github-meta` by its front door: what GitHub adds is reported and never admitted.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import openapi from "@octokit/openapi/generated/api.github.com.json";
import Ajv from "ajv";
import { readMeta } from "../build/meta-difference.ts";
import { admitsHost, type Host, readHost } from "../contract/host.ts";
import snapshot from "../egress/github-meta.json";
import groups from "../egress/groups.json";
import { withFiles } from "./cli/repository.ts";

setDefaultTimeout(60_000);
const root = join(import.meta.dir, "..");

/** An answer as GitHub gives it, and no more of it than there is to be said. */
const answer = (change: (domains: typeof snapshot.domains) => void = () => {}) => {
	const domains = structuredClone(snapshot.domains);
	change(domains);
	return { verifiable_password_authentication: false, hooks: ["192.0.2.1/32"], domains: { website: ["*.github.com"], ...domains } };
};

async function run(args: string[], stdin = "") {
	const child = Bun.spawn([process.execPath, join(root, "build", "github-meta.ts"), ...args], {
		...{ env: { PATH: process.env.PATH }, stdin: Buffer.from(stdin), stdout: "pipe", stderr: "pipe" },
	});
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	return { out, err, code };
}

describe("an answer", () => {
	test("of these tests has the shape that GitHub's own description says", () => {
		const schema = (openapi as unknown as { components: { schemas: Record<string, object> } }).components.schemas["api-overview"];
		const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema as object);
		expect(validate(answer()) || validate.errors).toBe(true);
		expect(JSON.stringify(schema)).toContain('"full_domains"');
	});

	test("like the snapshot is told to be the same", async () => {
		expect(await run(["--from", "-"], JSON.stringify(answer()))).toEqual({
			code: 0,
			err: "",
			out: `the same as on ${snapshot.reviewed}\n`,
		});
	});

	test("with more and less is told name by name, with who admits it, and admits nothing", async () => {
		const before = await readFile(join(root, "egress", "github-meta.json"), "utf8");
		const changed = answer(({ actions, actions_inbound: { full_domains } }) => {
			actions.push("productionresultssa20.blob.core.windows.net", "*.blob.core.windows.net");
			full_domains.push("new.actions.githubusercontent.com");
			full_domains.splice(full_domains.indexOf("codeload.github.com"), 1);
		});
		const { code, out } = await run(["--from", "-"], JSON.stringify(changed));
		expect([code, out.trimEnd().split("\n")]).toEqual([
			1,
			[
				"added to domains.actions: *.blob.core.windows.net (no group admits it)",
				"added to domains.actions: productionresultssa20.blob.core.windows.net (no group admits it)",
				"added to domains.actions_inbound.full_domains: new.actions.githubusercontent.com (the group github admits it)",
				"removed from domains.actions_inbound.full_domains: codeload.github.com (the group github admits it)",
				`3 added, 1 removed since ${snapshot.reviewed}: nothing of it is admitted or cut by this`,
			],
		]);
		const json = JSON.parse((await run(["--from", "-", "--json"], JSON.stringify(changed))).out);
		expect(json).toMatchObject({ same: false, written: false, reviewed: snapshot.reviewed });
		expect(json.differences[1]).toEqual({
			...{ change: "added", list: "domains.actions", name: "productionresultssa20.blob.core.windows.net", admittedBy: null },
		});
		expect(await readFile(join(root, "egress", "github-meta.json"), "utf8")).toBe(before);
	});

	test("is asked of GitHub's API where no file is named", async () => {
		const asked: string[] = [];
		using server = Bun.serve({
			port: 0,
			fetch(request) {
				asked.push(`${request.method} ${new URL(request.url).pathname}`);
				return Response.json(answer(({ actions }) => actions.push("a.example.com")));
			},
		});
		const { code, out } = await run(["--api", `http://127.0.0.1:${server.port}/`]);
		expect([code, asked]).toEqual([1, ["GET /meta"]]);
		expect(out).toContain("added to domains.actions: a.example.com");
	});

	test("is taken over by --write alone, sorted, with the day, and then is the same", () =>
		withFiles({ "snapshot.json": readFileSync(join(root, "egress", "github-meta.json")) }, async (folder) => {
			const file = join(folder, "snapshot.json");
			const changed = JSON.stringify(answer(({ actions }) => actions.unshift("z.example.com", "z.example.com")));
			const { code, out } = await run(["--from", "-", "--snapshot", file, "--write"], changed);
			expect(code).toBe(0);
			expect(out).toContain("added to domains.actions: z.example.com (no group admits it)");
			const written = JSON.parse(await readFile(file, "utf8"));
			expect(written.domains.actions).toEqual([...snapshot.domains.actions, "z.example.com"].toSorted());
			expect(written.reviewed).toMatch(/^\d{4}-\d\d-\d\d$/);
			expect((await run(["--from", "-", "--snapshot", file], changed)).code).toBe(0);
		}));

	test.each([
		["{}", "domains"],
		["[]", "domains"],
		['{"domains":{"actions":"*"}}', "domains.actions"],
		['{"domains":{"actions":[],"actions_inbound":{"full_domains":["a.b"]}}}', "is empty"],
		[JSON.stringify(answer(({ actions }) => actions.push("evil.example.com\nadded to nothing"))), "not a host's name"],
		[JSON.stringify(answer(({ actions }) => actions.push("https://a.example.com/"))), "not a host's name"],
		["<html>", "JSON"],
	])("that is none is refused with what is wrong: %s", async (text, reason) => {
		const { code, out, err } = await run(["--from", "-"], text);
		expect([code, out]).toEqual([2, ""]);
		expect(err).toContain(reason);
	});

	test("that nobody gives is told, not taken for an empty one", async () => {
		using server = Bun.serve({ port: 0, fetch: () => new Response("no", { status: 403 }) });
		const { code, err } = await run(["--api", `http://127.0.0.1:${server.port}`]);
		expect([code, err.includes("403")]).toEqual([2, true]);
	});

	test.each([[["--loud"]], [["--from", "a", "--api", "http://b"]], [["--api", "x"]], [["--from", "/nowhere"]]])(
		"asked for with %p exits with 2",
		async (args) => {
			const { code, out } = await run(args);
			expect([code, out]).toEqual([2, ""]);
		},
	);
});

describe("the snapshot that ships", () => {
	const hosts = groups.github.hosts.flatMap((text): Host[] => {
		const read = readHost(text);
		return read.ok ? [read.host] : [];
	});

	test("is one, and says whence and when", () => {
		expect(readMeta(snapshot).ok).toBe(true);
		expect(snapshot.reviewed).toMatch(/^\d{4}-\d\d-\d\d$/);
		expect(snapshot.source.length).toBeGreaterThan(5);
	});

	test("has nothing that the group github does not admit, and the group has no storage account that GitHub does not name", () => {
		const named = [...snapshot.domains.actions, ...snapshot.domains.actions_inbound.full_domains];
		expect(named.filter((name) => !groups.github.hosts.includes(name) && !admitsHost(hosts, name))).toEqual([]);
		expect(groups.github.hosts.filter((name) => name.includes("windows.net") && !named.includes(name))).toEqual([]);
	});
});
