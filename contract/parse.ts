// How every parser in this folder answers: a value, or the reason it was refused. Pure.
import * as v from "valibot";

/** The outcome of reading a message from another process. Refusals are expected, so they are values. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string };

/** Turns a schema into a parser. The reason names the first wrong field by its path, never its value: values may be secrets. */
export function parserOf<S extends v.GenericSchema>(schema: S) {
	return (input: unknown): Parsed<v.InferOutput<S>> => {
		const result = v.safeParse(schema, input, { abortEarly: true });
		if (result.success) return { ok: true, value: result.output };
		return { ok: false, reason: reasonOf(result.issues[0]) };
	};
}

/** Where something is wrong and what is expected there. */
export function reasonOf(issue: v.BaseIssue<unknown>): string {
	// The names on the way are the sender's where a record may have any.
	const path = v.getDotPath(issue)?.slice(0, 200);
	const said = issue.message.startsWith("Invalid ") ? `expected ${issue.expected}` : issue.message;
	return `${path ?? "body"}: ${said}`;
}

/** Version 1 of a message; any other version is refused with a reason instead of being half understood. */
export const VersionOne = v.literal(1, "unknown version, this build reads version 1");

/** Epoch milliseconds. */
export const Time = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15));

/** A GitHub numeric id: jobs, runs, installations. */
export const Id = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER));

/** `i-` and 8 or 17 hex digits (EC2's own form). */
export const InstanceId = v.pipe(v.string(), v.regex(/^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, "not an EC2 instance id"));

export const LONGEST_TEXT = 2048;
/** Text of bounded length: reasons, names. */
export const Text = v.pipe(v.string(), v.maxLength(LONGEST_TEXT));

/** For what GitHub says: none of its names holds a NUL, and what prints one stops there. */
export const noNul = v.check((text: string) => !text.includes("\0"), "holds a NUL character");

/** `owner/name`, GitHub's full name of a repository. Neither part may be a dot segment: names become parts of URLs. */
export const RepositoryName = v.pipe(
	v.string(),
	v.maxLength(256),
	v.regex(/^(?!\.{1,2}\/)[A-Za-z0-9_.-]+\/(?!\.{1,2}$)[A-Za-z0-9_.-]+$/, "not owner/name"),
);
