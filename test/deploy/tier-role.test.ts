// The role that mayfly.yml names for a tier gets into the root template's mapping, which the poller's policy is made from.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { resolveFile } from "../../contract/config.ts";
import { packageStack, ROOT } from "../../deploy/package.ts";
import { planDeployment } from "../../deploy/plan.ts";
import { POLLER_CODE } from "../../deploy/stage.ts";
import { readTemplate } from "../../deploy/template.ts";
import groups from "../../egress/groups.json";
import { readMayflyFile } from "../../egress/mayfly-file.ts";

const FOLDER = join(import.meta.dir, "..", "..", "cloudformation");
const templates = Object.fromEntries(
	readdirSync(FOLDER).flatMap((name) => (name.endsWith(".yaml") ? [[name, readFileSync(join(FOLDER, name), "utf8")]] : [])),
);
const code = { [POLLER_CODE]: new Uint8Array([1]) };
const ROLE = "arn:aws:iam::111122223333:role/builds";

function mappingOf(tiers: string): unknown {
	const read = readMayflyFile(`owners: [{ name: octo-org }]\nimages: { ubuntu: { arch: x64 } }\ntiers: ${tiers}\n`);
	if (!read.ok) throw new Error(JSON.stringify(read.problems));
	const inputs = {
		file: resolveFile(read.value),
		groups,
		given: { set: {}, file: {} },
		templates,
		root: readTemplate(ROOT, templates[ROOT] ?? ""),
	};
	const values = { RelayUrl: "https://relay.example.com", Cidr: "10.77.0.0/16", Zones: "2", EgressMode: "enforce" };
	const chosen = Object.entries(values).map(([name, value]) => ({ name, value, from: "set" }));
	const planned = planDeployment(inputs as never, chosen as never, code, { account: "111122223333", region: "eu-west-1" });
	if (!planned.ok) throw new Error(planned.reason);
	const { Mappings } = parse(new TextDecoder().decode(planned.plan.package.root.body), { logLevel: "silent" });
	return Mappings.Deployed.TierRole;
}

test("by the tier's name and the role's ARN", () => {
	expect(mappingOf(`{ plain: { allow: {} }, held: { allow: {}, role: "${ROLE}" } }`)).toEqual({ Tier: "held", Arn: ROLE });
});

test("and is empty where no tier has one", () => {
	expect(mappingOf("{ plain: { allow: {} } }")).toEqual({ Tier: "", Arn: "" });
	const packaged = packageStack(
		{ templates, code },
		{ tiers: ["a"], configKey: "c", domainFile: "d", objects: [] },
		{ bucket: "b", urlOf: (key) => key },
	);
	expect(packaged.root.from).toBe(ROOT);
});
