// mayfly.yml, the operator's file: its one schema, and every problem of a file at once (DESIGN 7). Pure.
import * as v from "valibot";
import { type ConfigProblem, problemsBetween, type ReadableParts } from "./config-checks.ts";
import { readEntry } from "./host.ts";
import { Id } from "./parse.ts";
import { Patterns, Rule } from "./rule.ts";
import { Arch, type Reading, readFamilies, readRange, readRetry, readSpot, readVolume } from "./size.ts";
import type { StackLists } from "./tier-checks.ts";

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

/** Machines. */
export const Count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000));

const OwnerYml = v.strictObject({
	name: Name,
	/** Where runners are registered. `repo` serves personal accounts. */
	endpoint: v.optional(v.picklist(["org", "repo"]), "org"),
	runnerGroupId: v.optional(Id, 1),
	installationId: v.optional(v.nullable(Id), null),
	/** Machines at a time, for all of its repositories and for any one of them; further jobs wait for their turn. */
	maxMachines: v.optional(v.nullable(Count), null),
	maxMachinesPerRepository: v.optional(v.nullable(Count), null),
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
	/** Left out: the image's own disk. */
	volume: v.optional(v.nullable(written(readVolume)), null),
	spot: v.optional(written(readSpot), true),
	/** Run again after EC2 took the machine. */
	retry: v.optional(written(readRetry), true),
});
const ImageYml = v.strictObject({
	arch: Arch,
	/** Left out: the launch template's own. */
	ami: v.optional(
		v.nullable(
			v.pipe(
				v.string(),
				v.regex(
					// The names that the poller's role may have looked up.
					/^(ami-[0-9a-f]{8,17}|resolve:ssm:\/mayfly\/images\/[A-Za-z0-9_./-]+(:[A-Za-z0-9_.-]+)?)$/,
					"neither an image id like ami-0123… nor a parameter like resolve:ssm:/mayfly/images/name",
				),
			),
		),
		null,
	),
	/** Where EC2 attaches the root disk; needed where a label or preset chooses its size. */
	rootDevice: v.optional(v.pipe(v.string(), v.regex(/^\/dev\/[a-z0-9]{2,16}$/, "not a device like /dev/sda1")), "/dev/sda1"),
});
const RuleYml = v.strictObject(Rule.entries);
const LimitsYml = v.strictObject({
	/** Listening without a job for this long ends a machine. */
	idle: v.optional(Duration),
	maxJob: v.optional(Duration),
	/** From launch to the first sign of a job. */
	boot: v.optional(Duration),
	linger: v.optional(Duration),
	/** How long a job with `debug=true` waits before its first step. */
	debug: v.optional(Duration),
});
/** As a line of authorized_keys has it. */
const SshKey = v.pipe(
	v.string(),
	v.maxLength(2048),
	v.regex(
		/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,2}( [^\r\n]*)?$/,
		"not a public key like `ssh-ed25519 AAAA… name`",
	),
);
/** What machines of a tier may reach: names of groups (egress/groups.json) and of hosts; all else is cut at the gateway (DESIGN 10). */
const EgressYml = v.strictObject({
	groups: v.optional(v.pipe(v.array(Name), v.maxLength(50)), ["github"]),
	hosts: v.optional(v.pipe(v.array(written(readEntry)), v.maxLength(2000)), []),
});
const TierYml = v.strictObject({
	kind: v.optional(v.picklist(["build", "deploy"]), "build"),
	allow: RuleYml,
	/** Serves labels that describe a machine instead of naming a preset. */
	freeForm: v.optional(v.boolean(), false),
	/** The most vCPUs and GiB that a label may ask for here. Without `volume` labels choose no disk. */
	ceiling: v.optional(
		v.nullable(
			v.strictObject({
				cpu: v.pipe(v.number(), v.minValue(1, "no machine has less than 1 vCPU")),
				ram: v.pipe(v.number(), v.minValue(2, "no machine has less than 2 GiB")),
				volume: v.optional(v.nullable(v.pipe(v.number(), v.minValue(1, "no disk has less than 1 GiB"))), null),
			}),
		),
		null,
	),
	runnerGroupId: v.optional(v.nullable(Id), null),
	/** Somebody must have approved the run's deployment. */
	requireApproval: v.optional(v.boolean(), false),
	egress: v.optional(EgressYml, { groups: ["github"], hosts: [] }),
	/** What machines of this tier hold: left out, nothing (cloudformation/tier-role.yaml). */
	role: v.optional(
		v.nullable(
			v.pipe(
				v.string(),
				v.regex(
					/^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[A-Za-z0-9+=,.@_-]{1,64}$/,
					"not a role's ARN like arn:aws:iam::111122223333:role/builds",
				),
			),
		),
		null,
	),
	/** Who may open machines whose jobs say `ssh=true`. */
	sshKeys: v.optional(v.pipe(v.array(SshKey), v.maxLength(100)), []),
	limits: v.optional(LimitsYml, {}),
});

const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "not a sha256 in lower-case hex"));
/** The oldest runner that machines may use: one whose image has an older one fetches this one from the mailbox bucket (FACTS 1.9). */
export const RunnerRelease = v.strictObject({
	version: v.pipe(v.string(), v.regex(/^[0-9]+\.[0-9]+\.[0-9]+$/, "not a version like 2.337.0")),
	/** Of `actions-runner-linux-<arch>-<version>.tar.gz`, for each architecture of the images. */
	sha256: v.strictObject({ x64: v.optional(v.nullable(Sha256), null), arm64: v.optional(v.nullable(Sha256), null) }),
});

/** `leave`: a refused job stays queued at GitHub, with the reason in the ledger. `cancel-run`: its run is cancelled as well, so that its author sees it. */
export const OnRefused = v.picklist(["leave", "cancel-run"]);

const MayflyEntries = {
	owners: v.pipe(v.array(OwnerYml), v.minLength(1, "no owner is served"), v.maxLength(1000)),
	/** Which of several stacks this one is, for labels with `env=`. */
	environment: v.optional(Name, "production"),
	acceptRunsOnLabels: v.optional(v.boolean(), false),
	onRefused: v.optional(OnRefused, "leave"),
	/** Deployment environments that are for deploy tiers alone. */
	protectedEnvironments: v.optional(Patterns, []),
	runner: v.optional(v.nullable(RunnerRelease), null),
	presets: v.optional(v.record(Name, PresetYml), {}),
	images: v.record(Name, ImageYml),
	tiers: v.record(Name, TierYml),
	limits: v.optional(LimitsYml, {}),
};
export const MayflyYml = v.strictObject(MayflyEntries);
export type MayflyYml = v.InferOutput<typeof MayflyYml>;

export type MayflyYmlReading = { ok: true; value: MayflyYml } | { ok: false; problems: ConfigProblem[] };

/** Checks a mayfly.yml that was read from YAML: each part by itself and what the parts say of each other, every problem with its path. */
export function parseMayflyYml(input: unknown, lists: StackLists | null = null): MayflyYmlReading {
	const shape = v.safeParse(MayflyYml, input);
	const ofShape = (shape.issues ?? []).map((issue) => ({ path: v.getDotPath(issue) ?? "", reason: reasonOf(issue) }));
	const problems = [...ofShape, ...problemsBetween(readableParts(input), lists)];
	return shape.success && problems.length === 0 ? { ok: true, value: shape.output } : { ok: false, problems };
}

function reasonOf(issue: v.BaseIssue<unknown>): string {
	if (issue.type === "strict_object" && issue.expected === "never") return "unknown key";
	if (issue.received === "undefined") return "is missing";
	return issue.message.startsWith("Invalid ") ? `expected ${issue.expected}, found ${issue.received}` : issue.message;
}

const RuleList = v.fallback(v.optional(v.array(v.string())), undefined);
const RULE_LISTS = {
	events: RuleList,
	refs: RuleList,
	environments: RuleList,
	workflows: RuleList,
	repositories: RuleList,
	actors: RuleList,
};
/** Items keep their places; what is no text is told with the shape. */
const TextList = v.fallback(v.optional(v.array(v.fallback(v.string(), "")), []), []);

/** What of a file with problems can be read: the rest of it is still compared, so that nobody mends a file one problem at a time. */
const Readable = v.object({
	owners: v.fallback(v.array(v.fallback(v.nullable(v.object({ name: v.string() })), null)), []),
	presets: recordOf({
		tier: v.fallback(v.optional(v.string()), undefined),
		labels: v.fallback(v.array(v.fallback(LabelSet, [])), []),
		cpu: v.fallback(v.nullable(PresetYml.entries.cpu), null),
		ram: v.fallback(PresetYml.entries.ram, null),
		image: v.fallback(v.nullable(v.string()), null),
		volume: v.fallback(PresetYml.entries.volume, null),
	}),
	images: recordOf({ arch: v.fallback(v.nullable(Arch), null) }),
	runner: v.fallback(MayflyEntries.runner, null),
	tiers: recordOf({
		kind: v.fallback(TierYml.entries.kind, "build"),
		freeForm: v.fallback(TierYml.entries.freeForm, false),
		allow: v.fallback(v.object({ forks: v.fallback(v.optional(v.boolean(), false), false), ...RULE_LISTS }), { forks: false }),
		sshKeys: v.fallback(v.optional(v.array(v.unknown()), []), []),
		requireApproval: v.fallback(TierYml.entries.requireApproval, false),
		ceiling: v.fallback(TierYml.entries.ceiling, null),
		role: v.fallback(TierYml.entries.role, null),
		egress: v.fallback(v.object({ groups: TextList, hosts: TextList }), { groups: [], hosts: [] }),
	}),
});

function recordOf<E extends v.ObjectEntries>(entries: E) {
	return v.fallback(v.record(v.string(), v.fallback(v.nullable(v.object(entries)), null)), {});
}

function readableParts(input: unknown): ReadableParts {
	const read = v.safeParse(Readable, input);
	return read.success ? read.output : { owners: [], presets: {}, images: {}, runner: null, tiers: {} };
}
