// Who and what exists: the App, the accounts it is installed on, their repositories and runner groups. Data only, no I/O.

export type Access = "read" | "write";
export type Permissions = Record<string, Access>;

export interface RepositoryOptions {
	name: string;
	/** Default true: public repositories are refused by runner groups that do not allow them. */
	private?: boolean;
	/** False: it exists, but the App was not installed on it. */
	installed?: boolean;
	/** Environments whose jobs wait for an approval. */
	protectedEnvironments?: string[];
}

export interface RunnerGroupOptions {
	name: string;
	visibility?: "all" | "selected" | "private";
	/** Names of the repositories that may use it, when `selected`. */
	repositories?: string[];
	allowsPublicRepositories?: boolean;
	/** `owner/repo/.github/workflows/file.yml@ref`; a list restricts the group to them. */
	selectedWorkflows?: string[];
}

export interface AccountOptions {
	login: string;
	type?: "Organization" | "User";
	repositories: RepositoryOptions[];
	/** What the installation was granted. */
	permissions?: Permissions;
	/** Beside `Default`, which has id 1. */
	runnerGroups?: RunnerGroupOptions[];
}

export interface Person {
	id: number;
	login: string;
	type: "Organization" | "User";
}

export interface Repository {
	id: number;
	name: string;
	fullName: string;
	owner: Person;
	private: boolean;
	installed: boolean;
	fork: boolean;
	protectedEnvironments: string[];
}

export interface RunnerGroup {
	id: number;
	name: string;
	default: boolean;
	visibility: "all" | "selected" | "private";
	repositoryIds: number[];
	allowsPublicRepositories: boolean;
	selectedWorkflows: string[] | null;
}

export interface Account extends Person {
	installationId: number;
	permissions: Permissions;
	repositories: Repository[];
	runnerGroups: RunnerGroup[];
	createdAt: number;
}

export interface World {
	appId: number;
	clientId: string;
	slug: string;
	accounts: Account[];
}

/** The least an App needs for either kind of owner (FACTS 2.2), with `actions: write` for reruns. */
const GRANTED: Record<Person["type"], Permissions> = {
	Organization: { organization_self_hosted_runners: "write", actions: "write", metadata: "read" },
	User: { administration: "write", actions: "write", metadata: "read" },
};

function groupsOf(groups: RunnerGroupOptions[], repositories: Repository[]): RunnerGroup[] {
	const all: RunnerGroup = {
		id: 1,
		name: "Default",
		default: true,
		visibility: "all",
		repositoryIds: [],
		allowsPublicRepositories: false,
		selectedWorkflows: null,
	};
	const others = groups.map((group, at) => ({
		id: at + 2,
		name: group.name,
		default: false,
		visibility: group.visibility ?? "all",
		repositoryIds: repositories.filter(({ name }) => group.repositories?.includes(name)).map(({ id }) => id),
		allowsPublicRepositories: group.allowsPublicRepositories ?? false,
		selectedWorkflows: group.selectedWorkflows ?? null,
	}));
	return [all, ...others];
}

function accountOf(options: AccountOptions, at: number, now: number): Account {
	const type = options.type ?? "Organization";
	const owner: Person = { id: 9_100_000 + at, login: options.login, type };
	const repositories = options.repositories.map((repository, index) => ({
		id: 700_100_000 + at * 1000 + index,
		name: repository.name,
		fullName: `${options.login}/${repository.name}`,
		owner,
		private: repository.private ?? true,
		installed: repository.installed ?? true,
		fork: false,
		protectedEnvironments: repository.protectedEnvironments ?? [],
	}));
	return {
		...owner,
		installationId: 51_000_000 + at,
		permissions: options.permissions ?? GRANTED[type],
		repositories,
		runnerGroups: groupsOf(options.runnerGroups ?? [], repositories),
		createdAt: now,
	};
}

/** Builds the world once; nothing in it but this stand-in's tests changes it afterwards. */
export function createWorld(appId: number, accounts: AccountOptions[], now: number): World {
	return { appId, clientId: `Iv23li${appId}`, slug: "mayfly", accounts: accounts.map((account, at) => accountOf(account, at, now)) };
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** GitHub's names are case-insensitive. */
export function accountNamed(world: World, login: string): Account | null {
	return world.accounts.find((account) => same(account.login, login)) ?? null;
}

export function repositoryNamed(world: World, owner: string, name: string): Repository | null {
	return accountNamed(world, owner)?.repositories.find((repository) => same(repository.name, name)) ?? null;
}

/** Someone who pushes, dispatches or approves; the id is made from the name so that it stays the same. */
export function personNamed(world: World, login: string): Person {
	const known = accountNamed(world, login);
	if (known) return { id: known.id, login: known.login, type: known.type };
	let id = 0;
	for (const character of login.toLowerCase()) id = (id * 31 + character.charCodeAt(0)) % 8_000_000;
	return { id: id + 1, login, type: "User" };
}
