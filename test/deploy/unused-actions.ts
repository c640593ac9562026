// Actions that the registry names for our resource types and the service role does not have: they belong to what our templates do not use. Data.
const named = (service: string, ...names: string[]) => names.map((name) => `${service}:${name}`);

export const UNUSED: Record<string, string[]> = {
	"stacks that cannot be deleted, or have policies of their own": named("cloudformation", "UpdateTerminationProtection", "SetStackPolicy"),
	"addresses of another account": named("ec2", "AcceptAddressTransfer"),
	"flow logs of scaling groups": named("autoscaling", "DescribeTags"),
	// A gateway's profile comes by its launch template; to exchange it is to exchange the gateway.
	"profiles, disks, placement, credits and commands of instances that run": [
		...named("ec2", "AssociateIamInstanceProfile", "DisassociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"),
		...named(
			"ec2",
			"AttachVolume",
			"DetachVolume",
			"ModifyInstanceCreditSpecification",
			"ModifyInstancePlacement",
			"ModifyPrivateDnsNameOptions",
		),
		...named("ssm", "CreateAssociation", "DeleteAssociation", "DescribeAssociation", "ListAssociations"),
	],
	"IPv6, tenancy and encryption of VPCs": [
		...named("ec2", "AssociateSubnetCidrBlock", "DisassociateSubnetCidrBlock", "CreateVpcEncryptionControl", "ModifyVpcTenancy"),
	],
	"endpoints of VPC Lattice and of other regions": [
		...named("vpc-lattice", "CreateServiceNetworkVpcEndpointAssociation", "DescribeServiceNetworkVpcEndpointAssociation"),
		...named("vpce", "AllowMultiRegion"),
	],
	"VPN gateways": named("ec2", "AttachVpnGateway", "DetachVpnGateway"),
	// Policies of the stack are inline, or attached by people.
	"policies attached to anybody, and boundaries": [
		...named(
			"iam",
			"AttachGroupPolicy",
			"AttachRolePolicy",
			"AttachUserPolicy",
			"DetachGroupPolicy",
			"DetachRolePolicy",
			"DetachUserPolicy",
		),
		...named("iam", "DeleteRolePermissionsBoundary", "PutRolePermissionsBoundary"),
	],
	"functions with keys, layers, file systems, versions, signed code and settings of their own": [
		...named("kms", "CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"),
		...named("elasticfilesystem", "DescribeMountTargets"),
		...named("s3files", "ListMountTargets"),
		...named("lambda", "AssociateRuntimeAlias", "DeleteFunctionCodeSigningConfig", "DeleteFunctionConcurrency", "GetCodeSigningConfig"),
		...named(
			"lambda",
			"GetLayerVersion",
			"PassCapacityProvider",
			"PublishVersion",
			"PutFunctionCodeSigningConfig",
			"PutFunctionConcurrency",
		),
		...named("lambda", "PutFunctionRecursionConfig", "PutFunctionScalingConfig", "PutRuntimeManagementConfig"),
	],
	"log groups with keys, masks, indexes, tokens and protection": [
		...named("logs", "AssociateKmsKey", "DisassociateKmsKey", "PutDataProtectionPolicy", "DeleteDataProtectionPolicy", "PutIndexPolicy"),
		...named("logs", "DeleteIndexPolicy", "PutBearerTokenAuthentication", "PutLogGroupDeletionProtection"),
		...named("firehose", "TagDeliveryStream"),
		"s3:REST.PUT.OBJECT",
	],
	// Names of before query logging became route53resolver's; AWS's service reference has none of them.
	"query logging by its old names": named(
		"resolverquerylogging",
		...["CreateConfig", "GetConfig", "DeleteConfig", "ListConfig"],
		...["AssociateConfig", "GetConfigAssociation", "DisassociateConfig", "ListConfigAssociation"],
	),
	"buckets with websites, logs, replicas, inventories, tables, locks, lists of access and attributes": [
		...named(
			"s3",
			"PutBucketAbac",
			"PutBucketAcl",
			"GetBucketAcl",
			"PutObjectAcl",
			"PutBucketCORS",
			"DeleteBucketCors",
			"PutBucketLogging",
		),
		...named(
			"s3",
			"PutBucketNotification",
			"PutBucketReplication",
			"DeleteBucketReplication",
			"PutReplicationConfiguration",
			"PutBucketWebsite",
		),
		...named("s3", "DeleteBucketWebsite", "PutAccelerateConfiguration", "PutAnalyticsConfiguration", "DeleteBucketAnalyticsConfiguration"),
		...named("s3", "PutInventoryConfiguration", "PutMetricsConfiguration", "DeleteBucketMetricsConfiguration"),
		...named("s3", "PutIntelligentTieringConfiguration", "PutBucketObjectLockConfiguration", "PutObjectLockConfiguration", "DeleteObject"),
		...named(
			"s3",
			"CreateBucketMetadataTableConfiguration",
			"GetBucketMetadataTableConfiguration",
			"DeleteBucketMetadataTableConfiguration",
		),
		...named("s3", "UpdateBucketMetadataAnnotationTableConfiguration", "UpdateBucketMetadataInventoryTableConfiguration"),
		...named("s3", "UpdateBucketMetadataJournalTableConfiguration"),
		...named(
			"s3tables",
			"CreateNamespace",
			"CreateTable",
			"CreateTableBucket",
			"GetTable",
			"GetTableMetadataLocation",
			"PutTableBucketPolicy",
		),
		...named("s3tables", "PutTableEncryption", "PutTablePolicy", "UpdateTableMetadataLocation"),
	],
	"buckets that lose their encryption or lifecycle": named("s3", "DeleteBucketEncryption", "DeleteBucketLifecycle"),
	"topics with masks": named("sns", "GetDataProtectionPolicy", "PutDataProtectionPolicy"),
};
