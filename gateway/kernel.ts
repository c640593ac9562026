// The kernel's log, record by record as they come. Touches /dev/kmsg.
import { constants } from "node:fs";
import { open } from "node:fs/promises";

const PAUSE_MS = 250;
const LONGEST_RECORD = 8192;

/** Hands on what is logged from now on, until the signal. Throws what the file system says when there is no such log. */
export async function readKernelLog(onRecord: (text: string) => void, signal: AbortSignal): Promise<void> {
	const file = await open("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK);
	const buffer = Buffer.alloc(LONGEST_RECORD);
	/** Null: nothing more for now. */
	const read = async (): Promise<string | null> => {
		try {
			const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
			return bytesRead === 0 ? null : buffer.toString("utf8", 0, bytesRead);
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			if (code === "EAGAIN") return null;
			// Records were overwritten before they were read: the next read goes on with the oldest that is left.
			if (code === "EPIPE") return "";
			throw error;
		}
	};
	try {
		while ((await read()) !== null);
		while (!signal.aborted) {
			for (let record = await read(); record !== null; record = await read()) onRecord(record);
			await Bun.sleep(PAUSE_MS);
		}
	} finally {
		await file.close();
	}
}
