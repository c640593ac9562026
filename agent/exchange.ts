// Exchanges the image's runner for the one that the boot document wants: GitHub gives no jobs to a runner that is too old (FACTS 1.9), and
// an image may be. The archive comes from the mailbox bucket and is nobody's until its checksum is that of the document.
import { chownSync, mkdirSync, rmSync } from "node:fs";
import type { BootDocument } from "../contract/boot.ts";
import { type Account, asAccount } from "./account.ts";
import type { Mailbox } from "./mailbox.ts";

type Wanted = NonNullable<BootDocument["runner"]>;

export interface Exchange {
	wanted: Wanted;
	/** The image's runner. */
	root: string;
	account: Account | null;
	mailbox: Mailbox;
	/** When it is given up. */
	signal: AbortSignal;
}

/** What was wrong with the archive or the way to it. */
export class ExchangeError extends Error {
	override name = "ExchangeError";
}

/** Whether the image's runner is older than the one that is wanted; an unknown one may be. Pure. */
export function isOlder(baked: string | null, wanted: string): boolean {
	return baked === null || baked.localeCompare(wanted, "en", { numeric: true }) < 0;
}

async function download({ wanted, mailbox, signal }: Exchange, file: string): Promise<void> {
	const response = await mailbox.fetchPart(wanted.url, signal);
	const hash = new Bun.CryptoHasher("sha256");
	const output = Bun.file(file).writer();
	try {
		for await (const chunk of response) {
			hash.update(chunk);
			output.write(chunk);
			await output.flush();
		}
	} finally {
		await output.end();
	}
	const sha256 = hash.digest("hex");
	if (sha256 !== wanted.sha256)
		throw new ExchangeError(`the archive of runner ${wanted.version} has the checksum ${sha256}, not ${wanted.sha256}`);
}

/** Unpacked with the runner's rights: it is the runner's from the first byte on. */
async function unpack({ account, signal }: Exchange, file: string, root: string): Promise<void> {
	const tar = Bun.spawn([...asAccount(account), "tar", "-xzf", file, "-C", root], {
		cwd: "/",
		stdio: ["ignore", "ignore", "pipe"],
		signal,
	});
	const [said, code] = await Promise.all([new Response(tar.stderr).text(), tar.exited]);
	if (code !== 0)
		throw new ExchangeError(`the runner's archive cannot be unpacked: ${said.trim().slice(0, 500) || `tar ended with ${code}`}`);
}

/** Fetches, checks and unpacks; the root of the new runner. Throws ExchangeError or MailboxError; nothing is left of an archive. */
export async function exchangeRunner(it: Exchange): Promise<string> {
	const root = `${it.root}-${it.wanted.version}`;
	const file = `${root}.tar.gz`;
	try {
		await download(it, file);
		mkdirSync(root, { recursive: true });
		if (it.account) chownSync(root, it.account.uid, it.account.gid);
		await unpack(it, file, root);
		return root;
	} finally {
		rmSync(file, { force: true });
	}
}
