// What the AWS SDK throws, as the edges here tell it: operation, target, AWS's own code, status and request id. Pure.

interface SdkError {
	name?: string;
	message?: string;
	$metadata?: { httpStatusCode?: number; requestId?: string };
}

/** Why a call failed, as far as a person can do something about it. */
export type Cause = "credentials" | "refused" | "absent" | "network" | "interrupted" | "other";

const NO_CREDENTIALS =
	/^(CredentialsProviderError|TokenProviderError|ExpiredToken|ExpiredTokenException|InvalidClientTokenId|UnrecognizedClientException|AuthFailure|SignatureDoesNotMatch|InvalidAccessKeyId)$/;
const NETWORK =
	/^(ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|TimeoutError|NetworkingError|ConnectionRefused|FailedToOpenSocket)$/;

export function causeOf(error: unknown): Cause {
	const { name = "", $metadata } = error as SdkError;
	const code = String((error as { code?: unknown }).code ?? name);
	if (name === "AbortError") return "interrupted";
	if (NO_CREDENTIALS.test(name)) return "credentials";
	if (NETWORK.test(code) || NETWORK.test(name)) return "network";
	if ($metadata?.httpStatusCode === 403 || /^(AccessDenied|AccessDeniedException|UnauthorizedOperation)$/.test(name)) return "refused";
	return $metadata?.httpStatusCode === 404 ? "absent" : "other";
}

/** The service has answered that the request is not for it to carry out: nothing was. */
export function isRefusal(error: unknown): boolean {
	const { httpStatusCode: status = 0 } = (error as SdkError).$metadata ?? {};
	return status >= 400 && status < 500;
}

/** `PutObject s3://bucket/key: AccessDenied (403) not authorized to perform s3:PutObject [request 4B6E...]`. */
export function told(operation: string, target: string, error: unknown): string {
	const { name = "unknown", message = String(error), $metadata } = error as SdkError;
	const status = $metadata?.httpStatusCode === undefined ? "" : ` (${$metadata.httpStatusCode})`;
	const request = $metadata?.requestId ? ` [request ${$metadata.requestId}]` : "";
	return `${operation} ${target}: ${name}${status} ${message.slice(0, 600)}${request}`;
}

/** What to do about it, in a sentence; empty where there is nothing to say. */
export function advice(cause: Cause, region: string): string {
	switch (cause) {
		case "credentials":
			return "there are no AWS credentials that work: aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID with its secret";
		case "network":
			return `nothing answered: is ${region} the region's right name, and is the network there?`;
		case "refused":
			return "these credentials may not do that: docs/deploy.md says what the person who deploys needs";
		default:
			return "";
	}
}
