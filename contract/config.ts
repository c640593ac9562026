// The resolved config: what is made of mayfly.yml at deploy and read by the poller, which joins it with what the stack has (DESIGN 7). Pure.
import * as v from "valibot";
import { Count, type MayflyYml, OnRefused, RunnerRelease } from "./mayfly-yml.ts";
import { Id, parserOf, reasonOf, Text, VersionOne } from "./parse.ts";
import { Patterns, Rule } from "./rule.ts";
import { Arch, Range, Volume } from "./size.ts";

const Milliseconds = v.pipe(v.number(), v.integer(), v.minValue(0));
const ConfigLimits = v.object({
	...{ idle: Milliseconds, maxJob: Milliseconds, boot: Milliseconds, linger: Milliseconds },
	debug: v.optional(Milliseconds, 0),
});
export type ConfigLimits = v.InferOutput<typeof ConfigLimits>;

const Template = v.object({ id: Text, version: Text });
/** Null: for machines of any tier. */
const Subnet = v.object({ id: Text, zone: Text, tier: v.optional(v.nullable(Text), null) });
export type Subnet = v.InferOutput<typeof Subnet>;
/** What the stack has in the account: ids from CloudFormation. */
export const Infrastructure = v.object({
	stack: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,127}$/, "not a stack name")),
	launchTemplates: v.object({ x64: Template, arm64: Template }),
	/** One fleet takes at most one subnet of each zone. */
	subnets: v.pipe(v.array(Subnet), v.minLength(1, "there is no subnet")),
	/** What the launch templates start. */
	images: v.optional(v.nullable(v.object({ x64: Text, arm64: Text })), null),
});
export type Infrastructure = v.InferOutput<typeof Infrastructure>;

/** Reads what the stack's template writes. Every problem at once, by its path. */
export function parseInfrastructure(text: string): { ok: true; value: Infrastructure } | { ok: false; problems: string[] } {
	let read: unknown;
	try {
		read = JSON.parse(text);
	} catch {
		return { ok: false, problems: ["not JSON"] };
	}
	const result = v.safeParse(Infrastructure, read);
	return result.success ? { ok: true, value: result.output } : { ok: false, problems: result.issues.map(reasonOf) };
}

export const Preset = v.object({
	tier: Text,
	labels: v.array(v.array(Text)),
	cpu: Range,
	ram: v.nullable(Range),
	/** Empty: any. */
	families: v.array(Text),
	image: Text,
	volume: v.optional(v.nullable(Volume), null),
	spot: v.boolean(),
	retry: v.optional(v.boolean(), true),
});
export type Preset = v.InferOutput<typeof Preset>;

export const Tier = v.object({
	kind: v.picklist(["build", "deploy"]),
	allow: Rule,
	freeForm: v.boolean(),
	ceiling: v.nullable(v.object({ cpu: v.number(), ram: v.number(), volume: v.optional(v.nullable(v.number()), null) })),
	runnerGroupId: v.nullable(Id),
	requireApproval: v.optional(v.boolean(), false),
	sshKeys: v.optional(v.array(Text), []),
	/** For the gateway, not for the poller. */
	egress: v.optional(v.object({ groups: v.array(Text), hosts: v.array(Text) }), { groups: [], hosts: [] }),
	limits: ConfigLimits,
});
export type Tier = v.InferOutput<typeof Tier>;

export const Owner = v.object({
	...{ name: Text, endpoint: v.picklist(["org", "repo"]), runnerGroupId: Id, installationId: v.nullable(Id) },
	maxMachines: v.optional(v.nullable(Count), null),
	maxMachinesPerRepository: v.optional(v.nullable(Count), null),
});
export type Owner = v.InferOutput<typeof Owner>;

/** What a mayfly.yml says by itself, before any stack has it. */
export const ResolvedFile = v.object({
	version: VersionOne,
	owners: v.array(Owner),
	environment: v.optional(Text, "production"),
	acceptRunsOnLabels: v.boolean(),
	onRefused: OnRefused,
	protectedEnvironments: v.optional(Patterns, []),
	runner: v.optional(v.nullable(RunnerRelease), null),
	presets: v.record(v.string(), Preset),
	images: v.record(v.string(), v.object({ arch: Arch, ami: v.nullable(Text), rootDevice: v.optional(Text, "/dev/sda1") })),
	tiers: v.record(v.string(), Tier),
	limits: ConfigLimits,
});
export type ResolvedFile = v.InferOutput<typeof ResolvedFile>;
export const parseResolvedFile = parserOf(ResolvedFile);

/** The operator's file, and the stack that has it. */
export interface ResolvedConfig extends ResolvedFile {
	infrastructure: Infrastructure;
}

const DEFAULT_LIMITS: ConfigLimits = { idle: 10 * 60_000, maxJob: 6 * 3_600_000, boot: 10 * 60_000, linger: 10_000, debug: 15 * 60_000 };

/** What brings a deploy tier jobs unless its rule says so (DESIGN 7). */
const DEPLOY_EVENTS = ["push", "workflow_dispatch", "release"];

/** Fills in every default, so that the poller decides nothing of its own. */
export function resolveFile(file: MayflyYml): ResolvedFile {
	const limits = { ...DEFAULT_LIMITS, ...file.limits };
	const [onlyTier = ""] = Object.keys(file.tiers);
	const presets = Object.entries(file.presets).map(([id, { tier = onlyTier, family, ...preset }]) => [
		id,
		{ ...preset, tier, families: family ?? [] },
	]);
	const tiers = Object.entries(file.tiers).map(([name, tier]) => [
		name,
		{ ...tier, allow: { ...(tier.kind === "deploy" && { events: DEPLOY_EVENTS }), ...tier.allow }, limits: { ...limits, ...tier.limits } },
	]);
	return { ...file, version: 1, limits, presets: Object.fromEntries(presets), tiers: Object.fromEntries(tiers) };
}
