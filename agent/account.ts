// The user that the runner runs as, from /etc/passwd. Pure.

export interface Account {
	name: string;
	uid: number;
	gid: number;
	home: string;
	shell: string;
}

/** Null if there is no such user. Root is none: job code does not run as root of its own accord. */
export function findAccount(passwd: string, name: string): Account | null {
	for (const line of passwd.split("\n")) {
		const [user, , uid, gid, , home, shell] = line.split(":");
		if (user !== name || !/^\d+$/.test(uid ?? "") || !/^\d+$/.test(gid ?? "")) continue;
		return Number(uid) === 0 ? null : { name, uid: Number(uid), gid: Number(gid), home: home || "/", shell: shell || "/bin/sh" };
	}
	return null;
}

/** What to put before a command so that it runs as the user, with the user's groups such as docker's (FACTS 8); `setpriv` becomes the command. Pure. */
export function asAccount(account: Account | null): string[] {
	return account === null ? [] : ["setpriv", `--reuid=${account.uid}`, `--regid=${account.gid}`, "--init-groups", "--"];
}
