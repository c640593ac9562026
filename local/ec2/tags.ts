// Tags as EC2 takes them (FACTS 4.5): at most 50 on a resource, keys up to 128 characters, values up to 256, `aws:` reserved. Pure.
import { listAt, type Node } from "./parameters.ts";
import { Ec2Refusal, invalid, missing } from "./refusal.ts";

export type Tags = Map<string, string>;

const TAGGABLE = ["fleet", "instance", "volume", "network-interface"];
const MAX_TAGS = 50;

function checkTag(key: string, value: string): void {
	if (key.length > 128 || value.length > 256)
		throw invalid(`Tag ${key.length > 128 ? "key" : "value"} exceeds the maximum length of ${key.length > 128 ? 128 : 256} characters`);
	if (/^aws:/i.test(key)) throw invalid("Tag keys starting with 'aws:' are reserved for internal use");
}

/** Reads `Tag.N.Key` and `Tag.N.Value`. */
export function readTags(node: Node): Tags {
	const tags: Tags = new Map();
	for (const member of listAt(node, "Tag")) {
		const key = member.children.get("Key")?.value;
		const value = member.children.get("Value")?.value ?? "";
		if (!key) throw missing("Tag.Key");
		checkTag(key, value);
		if (tags.has(key)) throw invalid(`Duplicate tag key '${key}' specified.`);
		tags.set(key, value);
	}
	return tags;
}

/** Reads `TagSpecification.N`: the tags of each kind of resource that an instant fleet can tag at launch (FACTS 4.2). */
export function readTagSpecifications(node: Node): Map<string, Tags> {
	const found = new Map<string, Tags>();
	for (const member of listAt(node, "TagSpecification")) {
		const kind = member.children.get("ResourceType")?.value ?? "";
		if (!TAGGABLE.includes(kind)) throw invalid(`'${kind}' is not a valid taggable resource type for this operation.`);
		if (found.has(kind)) throw invalid(`Duplicate tag specification for the resource type '${kind}'.`);
		found.set(kind, mergeTags(new Map(), readTags(member)));
	}
	return found;
}

/** `old` with `added` over it; EC2's own `aws:` tags do not count towards the limit. */
export function mergeTags(old: Tags, added: Tags): Tags {
	const merged = new Map([...old, ...added]);
	if ([...merged.keys()].filter((key) => !key.startsWith("aws:")).length > MAX_TAGS)
		throw new Ec2Refusal("TagLimitExceeded", `You have reached the maximum number of tags (${MAX_TAGS}) on this resource`);
	return merged;
}
