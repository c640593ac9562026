// mayfly.yml, the operator's file, and the resolved config that is made of it at deploy and read by the poller (DESIGN 7). Pure.
import * as v from "valibot";
import { type ConfigProblem, problemsBetween, type ReadableParts } from "./config-checks.ts";
import { Id, parserOf, Text, VersionOne } from "./parse.ts";
import { Rule } from "./rule.ts";
import { Arch, Range, type Reading, readFamilies, readRange, readSpot } from "./size.ts";

export type { ConfigProblem } from "./config-checks.ts";

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `90s` or `6h` to milliseconds. */
export function readDuration(text: string): Reading<number> {
	const [, count, unit] = /^([0-9]{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
	if (count !== undefined) return { ok: true, value: Number(count) * UNITS[unit as keyof typeof UNITS] };
	return { ok: false, reason: `${JSON.stringify(text)} is not a duration like 500ms, 90s, 10m, 6h or 2d` };
}

/** A schema for a value that is written as text, or as a bare number or boolean where YAML makes it one. */
function written<T>(read: (text: string) => Reading<T>) {
	return v.pipe(
		v.union([v.string(), v.number(), v.boolean()], "expected a text or a number"),
		// Tells the generator of the JSON Schema what the text must look like (build/schema-forms.ts).
		v.metadata({ read }),
		v.rawTransform<string | number | boolean, T>(({ dataset, addIssue, NEVER }) => {
			const result = read(String(dataset.value));
			if (result.ok) return result.value;
			addIssue({ message: result.reason });
			return NEVER;
		}),
	);
}

const Name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "a name holds letters, digits, `_`, `.` and `-`, at most 64"));
/** GitHub ends a job after 5 days (FACTS 2.3). */
const Duration = v.pipe(written(readDuration), v.maxValue(UNITS.d * 5, "longer than the 5 days that GitHub gives a job"));
const Label = v.pipe(v.string(), v.trim(), v.minLength(1, "an empty label"), v.maxLength(256));
/** `ubuntu-latest` is short for `[ubuntu-latest]`. */
const LabelSet = v.union([
	v.pipe(
		Label,
		v.transform((label) => [label]),
	),
	v.pipe(v.array(Label), v.minLength(1, "an empty set of labels"), v.maxLength(100)),
]);

const OwnerYml = v.strictObject({
	name: Name,
	/** Where runners are registered. `repo` serves personal accounts. */
	endpoint: v.optional(v.picklist(["org", "repo"]), "org"),
	runnerGroupId: v.optional(Id, 1),
	installationId: v.optional(v.nullable(Id), null),
});
const PresetYml = v.strictObject({
	/** May be left out when there is only one tier. */
	tier: v.optional(Name),
	/** Plain sets that ask for this preset without naming it. */
	labels: v.optional(v.array(LabelSet), []),
	cpu: written(readRange),
	ram: v.optional(v.nullable(written(readRange)), null),
	family: v.optional(written(readFamilies)),
	image: Name,
	spot: v.optional(written(readSpot), true),
});
const ImageYml = v.strictObject({
	arch: Arch,
	/** Left out: the launch template's own. */
	ami: v.optional(
		v.nullable(v.pipe(v.string(), v.regex(/^(ami-[0-9a-f]{8,17}|resolve:ssm:\S+)$/, "not an image id like ami-0123…"))),
		null,
	),
});
const RuleYml = v.strictObject(Rule.entries);
const LimitsYml = v.strictObject({
	/** Listening without a job for this long ends a machine. */
	idle: v.optional(Duration),
	maxJob: v.optional(Duration),
	/** From launch to the first sign of a job. */
	boot: v.optional(Duration),
	linger: v.optional(Duration),
});
const TierYml = v.strictObject({
	kind: v.optional(v.picklist(["build", "deploy"]), "build"),
	allow: RuleYml,
	/** Serves labels that describe a machine instead of naming a preset. */
	freeForm: v.optional(v.boolean(), false),
	/** The most vCPUs and GiB that a label may ask for here. */
	ceiling: v.optional(v.nullable(v.strictObject({ cpu: v.number(), ram: v.number() })), null),
	runnerGroupId: v.optional(v.nullable(Id), null),
	limits: v.optional(LimitsYml, {}),
});

/** Refused jobs stay queued at GitHub, with the reason in the ledger. */
const OnRefused = v.picklist(["leave"], "only `leave` is honoured yet");

export const MayflyYml = v.strictObject({
	owners: v.pipe(v.array(OwnerYml), v.minLength(1, "no owner is served"), v.maxLength(1000)),
	acceptRunsOnLabels: v.optional(v.boolean(), false),
	onRefused: v.optional(OnRefused, "leave"),
	presets: v.optional(v.record(Name, PresetYml), {}),
	images: v.record(Name, ImageYml),
	tiers: v.record(Name, TierYml),
	limits: v.optional(LimitsYml, {}),
});
export type MayflyYml = v.InferOutput<typeof MayflyYml>;

const Milliseconds = v.pipe(v.number(), v.integer(), v.minValue(0));
const ConfigLimits = v.object({ idle: Milliseconds, maxJob: Milliseconds, boot: Milliseconds, linger: Milliseconds });
export type ConfigLimits = v.InferOutput<typeof ConfigLimits>;

const Template = v.object({ id: Text, version: Text });
/** What the stack has in the account: ids from CloudFormation. */
export const Infrastructure = v.object({
	stack: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,127}$/, "not a stack name")),
	launchTemplates: v.object({ x64: Template, arm64: Template }),
	/** One fleet takes at most one subnet of each zone. */
	subnets: v.pipe(v.array(v.object({ id: Text, zone: Text })), v.minLength(1)),
});
export type Infrastructure = v.InferOutput<typeof Infrastructure>;

export const Preset = v.object({
	tier: Text,
	labels: v.array(v.array(Text)),
	cpu: Range,
	ram: v.nullable(Range),
	/** Empty: any. */
	families: v.array(Text),
	image: Text,
	spot: v.boolean(),
});
export type Preset = v.InferOutput<typeof Preset>;

export const Tier = v.object({
	kind: v.picklist(["build", "deploy"]),
	allow: Rule,
	freeForm: v.boolean(),
	ceiling: v.nullable(v.object({ cpu: v.number(), ram: v.number() })),
	runnerGroupId: v.nullable(Id),
	limits: ConfigLimits,
});
export type Tier = v.InferOutput<typeof Tier>;

export const Owner = v.object({ name: Text, endpoint: v.picklist(["org", "repo"]), runnerGroupId: Id, installationId: v.nullable(Id) });
export type Owner = v.InferOutput<typeof Owner>;

export const ResolvedConfig = v.object({
	version: VersionOne,
	owners: v.array(Owner),
	acceptRunsOnLabels: v.boolean(),
	onRefused: OnRefused,
	presets: v.record(v.string(), Preset),
	images: v.record(v.string(), v.object({ arch: Arch, ami: v.nullable(Text) })),
	tiers: v.record(v.string(), Tier),
	limits: ConfigLimits,
	infrastructure: Infrastructure,
});
export type ResolvedConfig = v.InferOutput<typeof ResolvedConfig>;
export const parseResolvedConfig = parserOf(ResolvedConfig);

const DEFAULT_LIMITS: ConfigLimits = { idle: 10 * 60_000, maxJob: 6 * 3_600_000, boot: 10 * 60_000, linger: 10_000 };

export type MayflyYmlReading = { ok: true; value: MayflyYml } | { ok: false; problems: ConfigProblem[] };

/** Checks a mayfly.yml that was read from YAML: each part by itself and what the parts say of each other, every problem with its path. */
export function parseMayflyYml(input: unknown): MayflyYmlReading {
	const shape = v.safeParse(MayflyYml, input);
	const ofShape = (shape.issues ?? []).map((issue) => ({ path: v.getDotPath(issue) ?? "", reason: reasonOf(issue) }));
	const problems = [...ofShape, ...problemsBetween(readableParts(input))];
	return shape.success && problems.length === 0 ? { ok: true, value: shape.output } : { ok: false, problems };
}

function reasonOf(issue: v.BaseIssue<unknown>): string {
	if (issue.type === "strict_object" && issue.expected === "never") return "unknown key";
	if (issue.received === "undefined") return "is missing";
	return issue.message.startsWith("Invalid ") ? `expected ${issue.expected}, found ${issue.received}` : issue.message;
}

/** What of a file with problems can be read: the rest of it is still compared, so that nobody mends a file one problem at a time. */
const Readable = v.object({
	owners: v.fallback(v.array(v.fallback(v.nullable(v.object({ name: v.string() })), null)), []),
	presets: recordOf({
		tier: v.fallback(v.optional(v.string()), undefined),
		labels: v.fallback(v.array(v.fallback(LabelSet, [])), []),
		cpu: v.fallback(v.nullable(PresetYml.entries.cpu), null),
		ram: v.fallback(PresetYml.entries.ram, null),
		image: v.fallback(v.nullable(v.string()), null),
	}),
	images: recordOf({}),
	tiers: recordOf({
		kind: v.fallback(TierYml.entries.kind, "build"),
		freeForm: v.fallback(TierYml.entries.freeForm, false),
		allow: v.fallback(v.object({ forks: v.fallback(v.optional(v.boolean(), false), false) }), { forks: false }),
		ceiling: v.fallback(TierYml.entries.ceiling, null),
	}),
});

function recordOf<E extends v.ObjectEntries>(entries: E) {
	return v.fallback(v.record(v.string(), v.fallback(v.nullable(v.object(entries)), null)), {});
}

function readableParts(input: unknown): ReadableParts {
	const read = v.safeParse(Readable, input);
	return read.success ? read.output : { owners: [], presets: {}, images: {}, tiers: {} };
}

/** What a mayfly.yml says by itself, before any stack has it. */
export type ResolvedFile = Omit<ResolvedConfig, "infrastructure">;

/** Fills in every default, so that the poller decides nothing of its own. */
export function resolveFile(file: MayflyYml): ResolvedFile {
	const limits = { ...DEFAULT_LIMITS, ...file.limits };
	const [onlyTier = ""] = Object.keys(file.tiers);
	const presets = Object.entries(file.presets).map(([id, { tier = onlyTier, family, ...preset }]) => [
		id,
		{ ...preset, tier, families: family ?? [] },
	]);
	const tiers = Object.entries(file.tiers).map(([name, tier]) => [name, { ...tier, limits: { ...limits, ...tier.limits } }]);
	return { ...file, version: 1, limits, presets: Object.fromEntries(presets), tiers: Object.fromEntries(tiers) };
}

/** Joins the operator's file with what the stack has. */
export function resolveConfig(file: MayflyYml, infrastructure: Infrastructure): ResolvedConfig {
	return { ...resolveFile(file), infrastructure };
}
