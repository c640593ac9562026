// What a trust policy may compare a token's claims with, written out: whole values that name one thing. Pure.

export const ISSUER = "token.actions.githubusercontent.com";
export const AUDIENCE = "sts.amazonaws.com";

/** Gives what is wrong with a text, or null. */
export type TextCheck = (text: string) => string | null;

const OWNER = "[A-Za-z0-9][A-Za-z0-9_-]*(?:@[0-9]+)?";
const REPOSITORY = "[A-Za-z0-9_.-]+(?:@[0-9]+)?";
/** An environment, or a branch or tag; then what a customised subject adds, which narrows it. */
const WHOLE = new RegExp(`^repo:${OWNER}/${REPOSITORY}:(?:environment:[^:]+|ref:refs/(?:heads|tags)/[^:\\s]+)(?::[a-z_]+:[^:]+)*$`);

/** A subject must be that of one environment, or of one branch or tag, of one repository. */
export const subjectProblem: TextCheck = (text) => {
	const quoted = JSON.stringify(text);
	if (text.includes("${")) return `${quoted} holds a variable, which the token itself may fill`;
	if (/[*?]/.test(text)) return `${quoted} holds a wildcard: write the whole subject`;
	if (/^repo:[^:]*:(?:pull_request$|ref:refs\/pull\/)/.test(text)) return `${quoted} is that of pull requests, which anybody may open`;
	if (WHOLE.test(text)) return null;
	if (!/^repo:/.test(text)) return `${quoted} does not begin with repo:owner/repository: it says nothing of whose job it is`;
	if (!new RegExp(`^repo:${OWNER}/${REPOSITORY}(?::|$)`).test(text)) return `${quoted} names no single repository`;
	if (new RegExp(`^repo:${OWNER}/${REPOSITORY}:?$`).test(text))
		return `${quoted} names a repository alone: say which environment, or which branch`;
	return `${quoted} names neither an environment (environment:production) nor a branch or tag (ref:refs/heads/main)`;
};

export const audienceProblem: TextCheck = (text) =>
	text === AUDIENCE ? null : `${JSON.stringify(text)} is not ${AUDIENCE}: a token made for somebody else could be used here`;

const PROVIDER = /^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider\/token\.actions\.githubusercontent\.com(\/[A-Za-z0-9-]+)?$/;

/** GitHub's provider, or that of one enterprise at GitHub. */
export const providerProblem: TextCheck = (text) =>
	PROVIDER.test(text) ? null : `${JSON.stringify(text)} is not GitHub's provider: somebody else could take the role`;

/** What the keys of a provider's claims begin with. */
export const hostOf = (provider: string): string => provider.replace(/^.*:oidc-provider\//, "").toLowerCase();

const POLICY = /^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy\/[A-Za-z0-9+=,.@_/-]+$/;

/** The permissions boundary. */
export const boundaryProblem: TextCheck = (text) => {
	if (text === "") return "there is no permissions boundary: nothing limits what the role may be given later";
	if (/:policy\/AdministratorAccess$/.test(text)) return "AdministratorAccess as a boundary limits nothing";
	return POLICY.test(text) ? null : `${JSON.stringify(text)} is no managed policy's ARN`;
};

const SUBJECTS = [
	...["*", "**", "?", "*/*", "octo-org/*", "octo-org/shop*", "octo-org/sho?", "prod*", "main*", "refs/heads/*", "refs/*"],
	...["refs/pull/1/merge", "pull_request", "${aws:username}", "repo:octo-org/*", "repo:octo-org/shop:*", "repo:octo-org/shop:pull_request"],
	...["repo:octo-org/shop", "repo:octo-org/shop:environment:*", "shop:pull_request", "octo-org/shop:pull_request"],
];
const PROVIDERS = ["*", "evil.example.com", `${ISSUER}.evil.example.com`].map((host) => `arn:aws:iam::111122223333:oidc-provider/${host}`);

/** What may stand in a parameter, by mistake or not, where a plain text should. */
export const subjectProbes = (plain: string) => [
	...SUBJECTS,
	...["*", "?", "${a:b}"].flatMap((sign) => [`${plain}${sign}`, `${plain.slice(0, -1)}${sign}`, `${plain}/${sign}`]),
];
export const audienceProbes = () => ["*"];
export const providerProbes = () => ["*", ...PROVIDERS];
export const boundaryProbes = () => ["", "arn:aws:iam::aws:policy/AdministratorAccess"];
