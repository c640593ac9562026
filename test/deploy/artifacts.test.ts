// The artifacts bucket: what CloudFormation runs comes out of it, so nobody else reads or writes it, and nothing in it is replaced unseen.
import { expect, test } from "bun:test";
import { artifactsBucket } from "../../deploy/plan.ts";
import { type Document, isAllowed } from "../cloudformation/iam.ts";
import { PSEUDO, readTemplate, render } from "../cloudformation/template.ts";

const { resources } = render({ ...readTemplate("artifacts"), Parameters: {} }, {});
const bucket = resources.Bucket as unknown as { Properties: Record<string, unknown>; [key: string]: unknown };

test("has the name that a deployment looks for", () => {
	const target = { account: String(PSEUDO["AWS::AccountId"]), region: String(PSEUDO["AWS::Region"]) };
	expect(bucket.Properties.BucketName).toBe(artifactsBucket(target));
});

test("is private, encrypted, versioned, and stays", () => {
	expect(bucket).toMatchObject({
		...{ DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" },
		Properties: {
			PublicAccessBlockConfiguration: {
				BlockPublicAcls: true,
				BlockPublicPolicy: true,
				IgnorePublicAcls: true,
				RestrictPublicBuckets: true,
			},
			OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
			BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }] },
			VersioningConfiguration: { Status: "Enabled" },
		},
	});
});

test("forgets replaced versions alone: what a stack may roll back to stays", () => {
	const { Rules } = bucket.Properties.LifecycleConfiguration as { Rules: Record<string, unknown>[] };
	expect(Rules.filter((rule) => "ExpirationInDays" in rule)).toEqual([]);
	expect(Rules.some((rule) => "NoncurrentVersionExpiration" in rule)).toBe(true);
});

test("answers over TLS alone, whoever asks", async () => {
	const { PolicyDocument } = (resources.Policy as unknown as { Properties: { PolicyDocument: Document } }).Properties;
	const everything = { Statement: [{ Sid: "All", Effect: "Allow", Action: "s3:*", Resource: "*" }] };
	const asks = (secure: string) =>
		isAllowed({ identity: [everything], resource: PolicyDocument }, "s3:GetObject", "arn:aws:s3:::Bucket/code/x.zip", {
			"aws:SecureTransport": secure,
		});
	expect(await Promise.all([asks("true"), asks("false")])).toEqual([true, false]);
});
