// docs/first-account.md: a list that is worked through from top to bottom by somebody with an account.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const text = readFileSync(join(root, "docs", "first-account.md"), "utf8");
const points = text
	.slice(text.indexOf("\n## "), text.indexOf("\n## What is left open"))
	.split(/^(?=[0-9]+\. )/m)
	.slice(1)
	.map((point) => point.split("\n## ")[0] ?? "");

describe("the points that only an account can confirm", () => {
	test("are numbered from first to last, in the order in which a deployment meets them", () => {
		expect(points.map((point) => Number(/^[0-9]+/.exec(point)?.[0]))).toEqual(points.map((_, at) => at + 1));
		expect([...text.matchAll(/^## (.+)$/gm)].map((match) => match[1])).toEqual([
			...["Before the stack", "The stack", "Network", "Mailbox", "Launch", "Runner", "Watching", "Image"],
			"What is left open and does not matter",
		]);
	});

	test("say each what is assumed, how it is settled, and what follows if it is not so", () => {
		const head = (point: string) => point.slice(0, 60);
		expect(points.filter((point) => !/^[0-9]+\. \*\*.+\?\*\* Assumed: /.test(point)).map(head)).toEqual([]);
		const command = /`(?:[A-Za-z_]+=\S* )?(?:time|curl|aws|gh|npx|relay|logs|bun|jq|getent|sudo|for|while|now|echo|bin\/|\.\/run)[^`]*`/;
		expect(points.filter((point) => !command.test(point.split("Assumed:")[1] ?? "")).map(head)).toEqual([]);
		expect(points.filter((point) => !/\b(If|Until|One that)\b/.test(point)).map(head)).toEqual([]);
	});

	test("name files that are there", () => {
		const files = [...text.matchAll(/\b((?:poller|relay|gateway|build|egress|cloudformation)\/[a-z0-9-]+\.(?:ts|json|yaml))\b/g)];
		expect(files.length).toBeGreaterThan(4);
		expect(files.map((match) => match[1] ?? "").filter((path) => !existsSync(join(root, path)))).toEqual([]);
	});
});
