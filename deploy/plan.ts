// Everything that a deployment would bring to AWS, from what the operator hands in. Pure.
import { parseResolvedFile } from "../contract/config.ts";
import { EGRESS_KEY, type EgressMode } from "../contract/egress.ts";
import { composeEgress } from "./egress-document.ts";
import type { Inputs } from "./inputs.ts";
import { type Artifact, artifactOf, type Deployed, type Package, packageStack } from "./package.ts";
import type { Chosen } from "./parameters.ts";
import type { StoredObject } from "./storage.ts";

export interface Plan {
	/** The artifacts bucket. */
	bucket: string;
	package: Package;
	rootUrl: string;
	/** Of the package, and the list that DNS Firewall reads. */
	artifacts: Artifact[];
	/** Objects of the mailbox that are a deployment's own: the poller's config and the gateways' list. */
	mailbox: StoredObject[];
	chosen: Chosen[];
}
export type Planned = { ok: true; plan: Plan } | { ok: false; reason: string };

export interface Target {
	account: string;
	region: string;
}

/** The other partitions' domains. */
export function urlSuffixOf(region: string): string {
	return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

/** One for an account and region: a bucket's name is everybody's, so it holds what is ours alone. */
export function artifactsBucket({ account, region }: Target): string {
	return `mayfly-artifacts-${account}-${region}`;
}

/** `code` is the poller's archive, by the path that the templates give it. Throws a TemplateError for templates that do not fit together. */
export function planDeployment(inputs: Inputs, chosen: Chosen[], code: Record<string, Uint8Array>, target: Target): Planned {
	const { file, groups, templates } = inputs;
	const urlSuffix = urlSuffixOf(target.region);
	const parameter = (name: string) => chosen.find((one) => one.name === name)?.value ?? "";
	const strange = secretElsewhere(parameter("SecretArn"), target.region);
	if (strange) return { ok: false, reason: strange };
	const composed = composeEgress(file, groups, {
		...{ region: target.region, urlSuffix, relayUrl: parameter("RelayUrl"), cidr: parameter("Cidr"), zones: Number(parameter("Zones")) },
		mode: parameter("EgressMode") as EgressMode,
	});
	if (!composed.ok) return composed;
	const config = JSON.stringify(file);
	const read = parseResolvedFile(JSON.parse(config));
	if (!read.ok) return { ok: false, reason: `the poller would not read this mayfly.yml: ${read.reason}` };
	const bucket = artifactsBucket(target);
	const domains = artifactOf("egress", "domains.txt", composed.egress.domains);
	const stored = objectOf("", config, "application/json");
	const configObject = { ...stored, key: `config/${stored.sha256}.json` };
	const [tierRole] = Object.entries(file.tiers).flatMap(([tier, { role }]) => (role === null ? [] : [{ tier, arn: role }]));
	const deployed: Deployed = {
		...{ tiers: Object.keys(file.tiers), configKey: configObject.key, domainFile: `s3://${bucket}/${domains.key}` },
		tierRole,
		objects: composed.egress.objects,
	};
	const place = { bucket, urlOf: (key: string) => `https://${bucket}.s3.${target.region}.${urlSuffix}/${key}` };
	const packaged = packageStack({ templates, code }, deployed, place);
	return {
		ok: true,
		plan: {
			...{ bucket, package: packaged, rootUrl: place.urlOf(packaged.root.key), chosen },
			artifacts: [domains, ...packaged.artifacts],
			mailbox: [configObject, objectOf(EGRESS_KEY, JSON.stringify(composed.egress.document), "application/json")],
		},
	};
}

/** The poller asks Secrets Manager of its own region. */
function secretElsewhere(arn: string, region: string): string | null {
	const [, , , lies = region] = arn.split(":");
	return lies === region ? null : `SecretArn: the secret is in ${lies}, the stack would be in ${region}: which region is meant?`;
}

function objectOf(key: string, text: string, contentType: string): StoredObject {
	const { body, sha256 } = artifactOf("", key, text);
	return { key, body, sha256, contentType };
}
