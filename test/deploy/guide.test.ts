// docs/deploy.md, tried as far as it goes here: its commands are ones that the command reads, its files ones that it takes.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HELP, readArguments } from "../../deploy/arguments.ts";
import { decideParameters } from "../../deploy/parameters.ts";
import { readParametersFile } from "../../deploy/parameters-file.ts";
import { readTemplate } from "../../deploy/template.ts";

const root = join(import.meta.dir, "..", "..");
const guide = readFileSync(join(root, "docs", "deploy.md"), "utf8");

/** The words behind `bun run deploy` of each command of a text; a shell's variables have some value. */
function commands(text: string): string[][] {
	const joined = text.replaceAll(/\\\n\s*/g, " ").replaceAll("$AWS_REGION", "eu-west-1");
	return [...joined.matchAll(/^\s*bun run deploy (--.*)$/gm)].map(([, words = ""]) => words.trim().split(/\s+/));
}

describe("every command", () => {
	test.each([...commands(guide), ...commands(HELP)].map((argv) => [argv.join(" "), argv] as const))("%s", (_, argv) => {
		expect(readArguments(argv, undefined)).toMatchObject({ ok: true });
	});

	test("is found", () => {
		expect(commands(guide).length).toBeGreaterThan(1);
		expect(commands(HELP).length).toBe(3);
	});
});

test("the file of parameters lacks nothing and has nothing wrong", () => {
	const [, text = ""] = /```yaml\n# prod\.yml\n([\s\S]*?)```/.exec(guide) ?? [];
	const file = readParametersFile(text);
	if (!file.ok) throw new Error(file.reason);
	const template = readTemplate("root.yaml", readFileSync(join(root, "cloudformation", "root.yaml"), "utf8"));
	expect(decideParameters(template, { set: {}, file: file.values }, null)).toMatchObject({ missing: [], problems: [] });
});

test("the secret has the keys that the poller reads", async () => {
	const [, filter = ""] = /jq -n --rawfile key[^']*'([^']*)'/.exec(guide) ?? [];
	const jq = Bun.spawn(["jq", "-n", "--arg", "key", "PEM\n", "--arg", "token", "t\n", "--arg", "report", "r\n", filter], {
		stdout: "pipe",
	});
	expect(await new Response(jq.stdout).json()).toEqual({ appPrivateKey: "PEM\n", pollerToken: "t", reportKey: "r" });
});

test("the App's manifest asks for what the poller needs, and is one form", async () => {
	const [, script = ""] = /(jq -n --arg relay[\s\S]*?) > app\.html/.exec(guide) ?? [];
	const shell = Bun.spawn(["bash", "-c", script], {
		env: { ...process.env, RELAY: "https://relay.example.com", ORG: "octo-org" },
		stdout: "pipe",
	});
	const html = await new Response(shell.stdout).text();
	const [, value = ""] = /name=manifest value="([^"]*)"/.exec(html) ?? [];
	expect(html).toContain("action=https://github.com/organizations/octo-org/settings/apps/new");
	expect(JSON.parse(value.replaceAll("&quot;", '"').replaceAll("&amp;", "&"))).toMatchObject({
		hook_attributes: { url: "https://relay.example.com/webhook" },
		default_events: ["workflow_job"],
		default_permissions: { organization_self_hosted_runners: "write", actions: "write", metadata: "read" },
	});
});
