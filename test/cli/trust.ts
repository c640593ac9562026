// Trust policies of roles for GitHub's jobs, good until a test spoils one, and what is said of them.
import { checkFile } from "../../cli/deploy-role/check-file.ts";

export const HOST = "token.actions.githubusercontent.com";
export const PROVIDER = `arn:aws:iam::111122223333:oidc-provider/${HOST}`;
export const SUBJECT = "repo:octo-org/shop:environment:production";
export const BOUNDARY = "arn:aws:iam::111122223333:policy/boundary";
export const pin = (sub: unknown, aud: unknown = "sts.amazonaws.com") => ({ StringEquals: { [`${HOST}:aud`]: aud, [`${HOST}:sub`]: sub } });
export const AUD = { [`${HOST}:aud`]: "sts.amazonaws.com" };

export type Statement = Record<string, unknown>;
export const statement = (more: Statement = {}): Statement => ({
	...{ Effect: "Allow", Principal: { Federated: PROVIDER }, Action: "sts:AssumeRoleWithWebIdentity", Condition: pin(SUBJECT) },
	...more,
});
export const without = (name: string) => Object.fromEntries(Object.entries(statement()).filter(([key]) => key !== name));
export const policy = (...statements: unknown[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
export const saidOf = (text: string) => checkFile(text).problems.map(({ path, reason }) => `${path}: ${reason}`);
