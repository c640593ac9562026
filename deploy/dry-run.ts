// What `--dry-run` says: what would be uploaded, and with which parameters. Pure.

import type { Part } from "./parts.ts";
import type { Plan } from "./plan.ts";

export interface DryRun {
	uploads: { bucket: string; key: string; bytes: number | null; sha256: string }[];
	parameters: { name: string; value: string; from: string }[];
}

const MAILBOX = "(mailbox)";

/** The mailbox bucket's name is known once there is a stack. */
export function dryRunOf(
	{ bucket, artifacts, mailbox, chosen }: Plan,
	parts: readonly (Part & { bytes: number })[],
	mailboxBucket: string | null,
): DryRun {
	const into = mailboxBucket ?? MAILBOX;
	return {
		uploads: [
			...artifacts.map(({ key, body, sha256 }) => ({ bucket, key, bytes: body.length, sha256 })),
			...mailbox.map(({ key, body, sha256 }) => ({ bucket: into, key, bytes: body.length, sha256 })),
			...parts.map(({ key, bytes, sha256 }) => ({ bucket: into, key, bytes, sha256 })),
		],
		parameters: chosen.map(({ name, value, source, secret }) => ({ name, value: secret ? "****" : value, from: source })),
	};
}

export function dryRunLines({ uploads, parameters }: DryRun): string[] {
	const wide = (texts: string[]) => Math.max(0, ...texts.map((text) => text.length));
	const [bytes, names, froms] = [
		wide(uploads.map((one) => String(one.bytes))),
		wide(parameters.map(({ name }) => name)),
		wide(parameters.map(({ from }) => from)),
	];
	return [
		"would upload what is not there yet:",
		...uploads.map((one) => `  ${String(one.bytes).padStart(bytes)} bytes  ${one.sha256.slice(0, 16)}  s3://${one.bucket}/${one.key}`),
		"parameters:",
		...parameters.map(({ name, value, from }) => `  ${name.padEnd(names)}  ${from.padEnd(froms)}  ${value === "" ? '""' : value}`),
	];
}
