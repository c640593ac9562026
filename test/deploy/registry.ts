// What CloudFormation's registry says of a resource type: the actions that its handlers call, in AWS's own words, as cfn-lint ships them beside moto.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { installMoto, motoFile } from "../fakes/moto.ts";

export interface Handlers {
	create: string[];
	update: string[];
	delete: string[];
}

/** Gives the handlers of a type; throws for one that the registry does not have. */
export async function readRegistry(): Promise<(type: string) => Handlers> {
	await installMoto();
	const schemas = join(await motoFile("../cfnlint"), "data", "schemas");
	const index = JSON.parse(readFileSync(join(schemas, "providers", "us-east-1.json"), "utf8")) as Record<string, string>;
	return (type) => {
		if (!index[type]) throw new Error(`the registry has no ${type}`);
		const { handlers = {} } = JSON.parse(readFileSync(join(schemas, "resources", `${index[type]}.json`), "utf8"));
		const of = (name: string): string[] => [...new Set<string>(handlers[name]?.permissions ?? [])];
		return { create: of("create"), update: of("update"), delete: of("delete") };
	};
}
