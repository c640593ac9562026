// Tiers of a mayfly.yml that no job could ever use, that would be more than they should, or that a stack cannot hold. Pure.
import type { ConfigProblem } from "./config-checks.ts";
import { readHost } from "./host.ts";
import { neverDeploys } from "./rule.ts";

const LISTS = ["events", "refs", "environments", "workflows", "repositories", "actors"] as const;
type ListName = (typeof LISTS)[number];

export interface TierPart {
	kind: "build" | "deploy";
	freeForm: boolean;
	allow: { forks: boolean } & Partial<Record<ListName, string[] | undefined>>;
	sshKeys: unknown[];
	requireApproval: boolean;
	ceiling: { cpu: number; ram: number; volume: number | null } | null;
	role: string | null;
	egress: { groups: string[]; hosts: string[] };
}

/** What a stack has beside the file, and every tier must fit. */
export interface StackLists {
	/** The names of the egress groups. */
	groups: readonly string[];
	/** Whether anybody can have a name below a domain. */
	isAnybodys: (domain: string) => boolean;
	mostTiers: number;
	/** Names of the gateways' own lists. */
	takenNames: readonly string[];
}

type Named = [name: string, tier: TierPart];

/** Whether a pattern can match anything that begins in one of these ways. */
function canBegin(pattern: string, beginnings: readonly string[]): boolean {
	const [fixed = ""] = pattern.split("*", 1);
	return beginnings.some((it) => fixed.startsWith(it) || (fixed !== pattern && it.startsWith(fixed)));
}

const FILE = /^([^/]+\/[^/]+\/)?\.github\/workflows\/[^/@]+$/;
const isDotted = (pattern: string) => /^[./]/.test(pattern);

/** Whether a pattern can match a value at all: what it begins with or contains is fixed by what GitHub calls such things, letter by letter. */
const CAN_MATCH: Partial<Record<ListName, { test: (pattern: string, kind: TierPart["kind"]) => boolean; say: string }>> = {
	refs: {
		test: (pattern, kind) => canBegin(pattern, ["refs/heads/", "refs/tags/", ...(kind === "build" ? ["refs/pull/"] : [])]),
		say: "whole names are compared, such as refs/heads/main or refs/tags/v*",
	},
	workflows: {
		test: (pattern) => FILE.test(pattern) || (pattern.includes("*") && (!isDotted(pattern) || canBegin(pattern, [".github/workflows/"]))),
		say: "paths are compared, such as .github/workflows/deploy.yml",
	},
	repositories: { test: (pattern) => /\/|\*\*/.test(pattern), say: "full names are compared, such as octo-org/shop or octo-org/*" },
};

function allowProblems([name, { kind, allow }]: Named): ConfigProblem[] {
	return LISTS.flatMap((list): ConfigProblem[] => {
		const patterns = allow[list];
		if (patterns === undefined) return [];
		const path = `tiers.${name}.allow.${list}`;
		if (patterns.length === 0) return [{ path, reason: "is empty, so no job is ever admitted: leave it out to admit all" }];
		if (list === "environments" && kind === "build")
			return [{ path, reason: "a build tier cannot know a job's environment, so no job is ever admitted: make it a deploy tier" }];
		const rule = CAN_MATCH[list];
		return patterns.flatMap((pattern, at) =>
			rule === undefined || rule.test(pattern, kind)
				? []
				: [{ path: `${path}.${at}`, reason: `${JSON.stringify(pattern)} matches nothing: ${rule.say}` }],
		);
	});
}

function deployProblems([name, { freeForm, allow, sshKeys, role }]: Named): ConfigProblem[] {
	const at = (path: string, reason: string) => ({ path: `tiers.${name}.${path}`, reason });
	return [
		...(allow.events ?? []).flatMap((event, index) =>
			neverDeploys(event) ? [at(`allow.events.${index}`, `a deploy tier never serves ${event}`)] : [],
		),
		...(sshKeys.length > 0 ? [at("sshKeys", "a deploy machine cannot be opened")] : []),
		...(freeForm ? [at("freeForm", "a deploy tier serves presets only")] : []),
		...(allow.forks ? [at("allow.forks", "a deploy tier never serves forks")] : []),
		...(role === null
			? []
			: [at("role", "jobs of a deploy tier have an identity of their own: let them take a role by it (cloudformation/deploy-role.yaml)")]),
	];
}

function buildProblems([name, { allow, requireApproval, role }]: Named): ConfigProblem[] {
	return [
		...(requireApproval ? [{ path: `tiers.${name}.requireApproval`, reason: "only deploy tiers ask for an approval" }] : []),
		...(role !== null && allow.forks
			? [{ path: `tiers.${name}.role`, reason: "the tier serves forks: anybody who opens a pull request would hold the role" }]
			: []),
	];
}

/** Domains that readHost refuses are told with the shape of the file. */
function egressProblems([name, { egress }]: Named, { groups, isAnybodys }: StackLists): ConfigProblem[] {
	return [
		...egress.groups.flatMap((group, at) =>
			groups.includes(group)
				? []
				: [{ path: `tiers.${name}.egress.groups.${at}`, reason: `there is no group ${group}: there is ${groups.join(", ")}` }],
		),
		...egress.hosts.flatMap((text, at) => {
			const read = readHost(text);
			if (!read.ok || !read.host.below || !isAnybodys(read.host.name)) return [];
			const reason = `${JSON.stringify(text)} admits anybody's names below ${read.host.name}: list the hosts one by one`;
			return [{ path: `tiers.${name}.egress.hosts.${at}`, reason }];
		}),
	];
}

function namesProblems(names: readonly string[], { mostTiers, takenNames }: StackLists): ConfigProblem[] {
	return [
		...(names.length > mostTiers ? [{ path: "tiers", reason: `${names.length} tiers: a stack has subnets for ${mostTiers}` }] : []),
		...names
			.filter((name) => takenNames.includes(name.toLowerCase()))
			.map((name) => ({ path: `tiers.${name}`, reason: "is the name of a list of the gateways' own: call the tier otherwise" })),
	];
}

/** `names` are those of all tiers, `tiers` those that could be read. */
export function tierProblems(names: readonly string[], tiers: readonly Named[], lists: StackLists | null): ConfigProblem[] {
	const only = (has: (tier: TierPart) => boolean, key: string, say: (first: string) => string) => {
		const [first, ...more] = tiers.filter(([, tier]) => has(tier)).map(([name]) => name);
		return more.map((name) => ({ path: `tiers.${name}.${key}`, reason: say(first ?? "") }));
	};
	return [
		...(names.length === 0 ? [{ path: "tiers", reason: "there is no tier" }] : []),
		...(lists === null ? [] : namesProblems(names, lists)),
		...only(
			({ freeForm }) => freeForm,
			"freeForm",
			(first) => `tier ${first} already serves free-form labels`,
		),
		...only(
			({ role }) => role !== null,
			"role",
			(first) => `tier ${first} already has a role: one tier at most`,
		),
		...tiers.flatMap((tier) => [
			...(tier[1].kind === "build" ? buildProblems(tier) : deployProblems(tier)),
			...allowProblems(tier),
			...(lists === null ? [] : egressProblems(tier, lists)),
		]),
	];
}
