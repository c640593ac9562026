// For each resource type of the templates the request that makes one, as CloudFormation sends it for ours. Data.
import { ACCOUNT, arn, type Context } from "../cloudformation/iam.ts";

export type Request = [action: string, resource: string, context: Context];

const TAGGED = { "aws:RequestTag/mayfly:stack": "mayfly" };
const OURS = { "aws:ResourceTag/mayfly:stack": "mayfly" };
const iam = (what: string) => `arn:aws:iam::${ACCOUNT}:${what}`;

export const CREATES: Record<string, Request> = {
	"AWS::Budgets::Budget": ["budgets:ModifyBudget", `arn:aws:budgets::${ACCOUNT}:budget/mayfly-over-the-daily-budget`, {}],
	"AWS::CloudFormation::Stack": ["cloudformation:CreateStack", arn("stack/mayfly-Egress-1A/2", "cloudformation"), {}],
	"AWS::CloudWatch::Alarm": ["cloudwatch:PutMetricAlarm", arn("alarm:mayfly-poller-silent", "cloudwatch"), {}],
	"AWS::CloudWatch::Dashboard": ["cloudwatch:PutDashboard", `arn:aws:cloudwatch::${ACCOUNT}:dashboard/mayfly-mayfly`, {}],
	"AWS::EC2::EIP": ["ec2:AllocateAddress", arn("elastic-ip/eipalloc-0a"), TAGGED],
	"AWS::EC2::FlowLog": ["ec2:CreateFlowLogs", arn("vpc-flow-log/fl-0a"), TAGGED],
	"AWS::EC2::Instance": ["ec2:RunInstances", arn("instance/i-0a"), { "aws:RequestTag/mayfly:gateway": "mayfly" }],
	"AWS::EC2::InstanceConnectEndpoint": ["ec2:CreateInstanceConnectEndpoint", arn("instance-connect-endpoint/eice-0a"), TAGGED],
	"AWS::EC2::InternetGateway": ["ec2:CreateInternetGateway", arn("internet-gateway/igw-0a"), TAGGED],
	"AWS::EC2::LaunchTemplate": ["ec2:CreateLaunchTemplate", arn("launch-template/lt-0a"), TAGGED],
	"AWS::EC2::NetworkAcl": ["ec2:CreateNetworkAcl", arn("network-acl/acl-0a"), TAGGED],
	"AWS::EC2::NetworkAclEntry": ["ec2:CreateNetworkAclEntry", arn("network-acl/acl-0a"), OURS],
	"AWS::EC2::Route": ["ec2:CreateRoute", arn("route-table/rtb-0a"), OURS],
	"AWS::EC2::RouteTable": ["ec2:CreateRouteTable", arn("route-table/rtb-0a"), TAGGED],
	"AWS::EC2::SecurityGroup": ["ec2:CreateSecurityGroup", arn("security-group/sg-0a"), TAGGED],
	"AWS::EC2::SecurityGroupIngress": ["ec2:AuthorizeSecurityGroupIngress", arn("security-group/sg-0a"), OURS],
	"AWS::EC2::Subnet": ["ec2:CreateSubnet", arn("subnet/subnet-0a"), TAGGED],
	"AWS::EC2::SubnetNetworkAclAssociation": ["ec2:ReplaceNetworkAclAssociation", arn("network-acl/acl-0a"), OURS],
	"AWS::EC2::SubnetRouteTableAssociation": ["ec2:AssociateRouteTable", arn("route-table/rtb-0a"), OURS],
	"AWS::EC2::VPC": ["ec2:CreateVpc", arn("vpc/vpc-0a"), TAGGED],
	"AWS::EC2::VPCEndpoint": ["ec2:CreateVpcEndpoint", arn("vpc-endpoint/vpce-0a"), TAGGED],
	"AWS::EC2::VPCGatewayAttachment": ["ec2:AttachInternetGateway", arn("internet-gateway/igw-0a"), OURS],
	"AWS::Events::Rule": ["events:PutRule", arn("rule/mayfly-Poller-1A-Schedule-2B", "events"), {}],
	"AWS::IAM::InstanceProfile": ["iam:CreateInstanceProfile", iam("instance-profile/mayfly-Egress-1A-Profile-2B"), {}],
	"AWS::IAM::ManagedPolicy": ["iam:CreatePolicy", iam("policy/mayfly-Ssh-1A-Policy-2B"), {}],
	"AWS::IAM::Role": ["iam:CreateRole", iam("role/mayfly-Poller-1A-Role-2B"), {}],
	"AWS::Lambda::EventInvokeConfig": ["lambda:PutFunctionEventInvokeConfig", arn("function:mayfly-Poller-1A-Function-2B", "lambda"), {}],
	"AWS::Lambda::Function": ["lambda:CreateFunction", arn("function:mayfly-Poller-1A-Function-2B", "lambda"), {}],
	"AWS::Lambda::Permission": ["lambda:AddPermission", arn("function:mayfly-Poller-1A-Function-2B", "lambda"), {}],
	"AWS::Logs::LogGroup": ["logs:CreateLogGroup", arn("log-group:/mayfly/mayfly/poller", "logs"), {}],
	"AWS::Logs::MetricFilter": ["logs:PutMetricFilter", arn("log-group:/mayfly/mayfly/poller", "logs"), {}],
	"AWS::Logs::QueryDefinition": ["logs:PutQueryDefinition", "*", {}],
	"AWS::Logs::ResourcePolicy": ["logs:PutResourcePolicy", "*", {}],
	"AWS::Route53Resolver::FirewallDomainList": [
		"route53resolver:CreateFirewallDomainList",
		arn("firewall-domain-list/rslvr-fdl-0a", "route53resolver"),
		TAGGED,
	],
	"AWS::Route53Resolver::FirewallRuleGroup": [
		"route53resolver:CreateFirewallRuleGroup",
		arn("firewall-rule-group/rslvr-frg-0a", "route53resolver"),
		TAGGED,
	],
	"AWS::Route53Resolver::FirewallRuleGroupAssociation": [
		"route53resolver:AssociateFirewallRuleGroup",
		arn("firewall-rule-group-association/rslvr-frgassoc-0a", "route53resolver"),
		TAGGED,
	],
	"AWS::Route53Resolver::ResolverQueryLoggingConfig": [
		"route53resolver:CreateResolverQueryLogConfig",
		arn("resolver-query-log-config/rqlc-0a", "route53resolver"),
		TAGGED,
	],
	"AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": [
		"route53resolver:AssociateResolverQueryLogConfig",
		arn("resolver-query-log-config/rqlc-0a", "route53resolver"),
		{},
	],
	"AWS::S3::Bucket": ["s3:CreateBucket", "arn:aws:s3:::mayfly-mailbox-1a-bucket-2b", {}],
	"AWS::S3::BucketPolicy": ["s3:PutBucketPolicy", "arn:aws:s3:::mayfly-mailbox-1a-bucket-2b", {}],
	"AWS::SNS::Subscription": ["sns:Subscribe", arn("mayfly-Observability-1A-Topic-2B", "sns"), {}],
	"AWS::SNS::Topic": ["sns:CreateTopic", arn("mayfly-Observability-1A-Topic-2B", "sns"), {}],
	"AWS::SNS::TopicPolicy": ["sns:SetTopicAttributes", arn("mayfly-Observability-1A-Topic-2B", "sns"), {}],
};
