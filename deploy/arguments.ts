// The command line of `bun run deploy`, read into a plain value. Pure.
import { parseArgs } from "node:util";
import { ARTIFACTS_STACK } from "./artifacts.ts";

export interface DeployArguments {
	region: string;
	/** The operator's mayfly.yml. */
	config: string;
	stack: string;
	/** Parameters of the root template, by name. */
	set: Record<string, string>;
	/** A file of more of them; null: none. */
	parameters: string | null;
	/** The role that CloudFormation works with; null: the caller's own rights. */
	roleArn: string | null;
	dryRun: boolean;
	yes: boolean;
	json: boolean;
}
export type ArgumentsReading = { ok: true; value: DeployArguments | "help" } | { ok: false; problems: string[] };

export const HELP = `Deploys Mayfly's stack, or changes it: checks everything, packages, shows what would change, asks, carries it out.

usage: bun run deploy --region R --config FILE [--stack NAME] [--set Parameter=value ...] [--parameters FILE]
                      [--role-arn ARN] [--dry-run] [--yes] [--json]

  --region R            the AWS region (default: AWS_REGION)
  --config FILE         the operator's mayfly.yml (default: mayfly.yml)
  --stack NAME          the stack's name (default: mayfly); the service role of docs/deploy.md allows names that begin with mayfly
  --set Parameter=value a parameter of cloudformation/root.yaml; may be given again and again
  --parameters FILE     parameters as YAML or JSON, {Parameter: value}, or as the aws command writes them; --set goes before
  --role-arn ARN        the role that CloudFormation works with (cloudformation/service-role.yaml)
  --dry-run             writes dist/stack/ and nothing else; says what would be uploaded and with which parameters
  --yes                 does not ask
  --json                prints one JSON object at the end; what happens meanwhile goes to stderr
  --help                this text

What is not given stays as the stack has it, or is the template's default.

examples:
  bun run deploy --region eu-west-1 --config mayfly.yml --set RelayUrl=https://mayfly-relay.example.workers.dev \\
      --set AppId=123456 --set SecretArn=arn:aws:secretsmanager:eu-west-1:111122223333:secret:mayfly/prod-AbCdEf --dry-run
  bun run deploy --region eu-west-1 --config mayfly.yml --parameters prod.yml
  bun run deploy --region eu-west-1 --config mayfly.yml --set EgressMode=observe

exit status: 0 deployed, or nothing to change; 1 not deployed, or CloudFormation failed; 2 refused before anything was changed, or a
             change set waits for review (no terminal and no --yes); 130 interrupted
`;

const REGION = /^[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2}$/;
/** CloudFormation's own form (CreateStack); 40 leave room for the names that are made of it. */
const STACK = /^[A-Za-z][A-Za-z0-9-]{0,39}$/;
/** Beside the stack, once for an account (docs/deploy.md). */
const OTHERS = [ARTIFACTS_STACK, "mayfly-service-role"];
const ROLE = /^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[A-Za-z0-9+=,.@_/-]+$/;

const OPTIONS = {
	region: { type: "string" },
	config: { type: "string" },
	stack: { type: "string", default: "mayfly" },
	set: { type: "string", multiple: true },
	parameters: { type: "string" },
	"role-arn": { type: "string" },
	"dry-run": { type: "boolean", default: false },
	yes: { type: "boolean", short: "y", default: false },
	json: { type: "boolean", default: false },
	help: { type: "boolean", short: "h", default: false },
} as const;

/** Reads the arguments; every problem is named at once. `defaultRegion` is the environment's. */
export function readArguments(argv: string[], defaultRegion: string | undefined): ArgumentsReading {
	const parsed = parsedOrReason(argv);
	if (typeof parsed === "string") return { ok: false, problems: [parsed] };
	const { values, positionals } = parsed;
	if (values.help) return { ok: true, value: "help" };
	const region = values.region ?? defaultRegion ?? "";
	const roleArn = values["role-arn"] ?? null;
	const { set, problems: setProblems } = readSet(values.set ?? []);
	const problems = [
		...positionals.map((text) => `${JSON.stringify(text)} stands alone: parameters are given as --set Parameter=value`),
		...(region === "" ? ["the region is missing: --region eu-west-1, or AWS_REGION"] : []),
		...(region !== "" && !REGION.test(region) ? [`${JSON.stringify(region)} is not a region like eu-west-1`] : []),
		...(OTHERS.includes(values.stack) ? [`${values.stack} is another stack's name, which Mayfly has in every account`] : []),
		...(STACK.test(values.stack) ? [] : [`${JSON.stringify(values.stack)} is not a stack's name: letters, digits and -, at most 40`]),
		...(roleArn === null || ROLE.test(roleArn)
			? []
			: [`${JSON.stringify(roleArn)} is not a role's ARN like arn:aws:iam::111122223333:role/name`]),
		...[values.config, values.parameters].filter((path) => path === "").map(() => "a path is empty"),
		...setProblems,
	];
	if (problems.length > 0) return { ok: false, problems };
	const { config = "mayfly.yml", parameters = null, stack, yes, json } = values;
	return { ok: true, value: { region, config, stack, set, parameters, roleArn, dryRun: values["dry-run"], yes, json } };
}

function parsedOrReason(argv: string[]) {
	try {
		return parseArgs({ args: argv, allowPositionals: true, options: OPTIONS });
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
}

function readSet(texts: readonly string[]): { set: Record<string, string>; problems: string[] } {
	const pairs = texts.map((text) => ({ text, match: /^([A-Za-z0-9]+)=(.*)$/s.exec(text) }));
	const names = pairs.map(({ match }) => match?.[1]);
	return {
		set: Object.fromEntries(pairs.flatMap(({ match }) => (match ? [[match[1], match[2]]] : []))),
		problems: pairs.flatMap(({ text, match }, at) => {
			if (!match) return [`--set ${JSON.stringify(text)} is not Parameter=value`];
			return names.indexOf(match[1]) < at ? [`--set gives ${match[1]} twice`] : [];
		}),
	};
}
