// What a REST route answers, and GitHub's form of a refusal. Pure.

export interface Answer {
	status: number;
	/** Null is an empty body. */
	body: unknown;
	headers?: Record<string, string>;
}

export function ok(body: unknown, headers?: Record<string, string>): Answer {
	return { status: 200, body, headers };
}

/** GitHub's basic error; `message` is what its own API says where that is known. */
export function refusal(status: number, message: string, headers?: Record<string, string>): Answer {
	return { status, body: { message, documentation_url: "https://docs.github.com/rest", status: String(status) }, headers };
}

export const notFound = (): Answer => refusal(404, "Not Found");

/** 422 in the simple form, whose errors are sentences. */
export function invalid(message: string, errors: string[] = []): Answer {
	return { status: 422, body: { message, errors, documentation_url: "https://docs.github.com/rest" } };
}

/** Whole seconds, as GitHub writes times. */
export function isoTime(at: number): string;
export function isoTime(at: number | null): string | null;
export function isoTime(at: number | null): string | null {
	return at === null ? null : new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}
