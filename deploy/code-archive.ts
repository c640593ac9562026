// The archive that Lambda takes: one file, and the same bytes from the same bytes. Pure.
import { zipSync } from "fflate";

/** The earliest that the format knows, as local time, which is what the library writes: no clock and no zone of a machine gets into the bytes. */
const NO_TIME = new Date(1980, 0, 1);

/** Readable by everybody, since Lambda unpacks as one user and runs as another. */
const READABLE = 0o644 << 16;
const UNIX = 3;

export function codeArchive(name: string, body: Uint8Array): Uint8Array {
	return zipSync({ [name]: [body, { mtime: NO_TIME, level: 9, os: UNIX, attrs: READABLE }] });
}
