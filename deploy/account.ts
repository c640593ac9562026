// Whose account it is. Touches STS.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { type Cause, causeOf, told } from "./errors.ts";

export class AccountError extends Error {
	readonly why: Cause;
	constructor(operation: string, target: string, cause: unknown) {
		super(told(operation, target, cause), { cause });
		this.name = "AccountError";
		this.why = causeOf(cause);
	}
}

export interface Account {
	id: string;
	/** The caller, for people. */
	caller: string;
}

/** Throws an AccountError, which is also how missing credentials show. */
export async function readAccount(region: string, abortSignal: AbortSignal): Promise<Account> {
	const client = new STSClient({ region });
	try {
		const { Account: id = "", Arn: caller = "" } = await client.send(new GetCallerIdentityCommand({}), { abortSignal });
		return { id, caller };
	} catch (error) {
		throw new AccountError("GetCallerIdentity", region, error);
	} finally {
		client.destroy();
	}
}
