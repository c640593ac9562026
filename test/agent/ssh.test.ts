// SSH keys of the boot document: off unless an operator asked for them.
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../agent/log.ts";
import { openSsh } from "../../agent/ssh.ts";

const home = mkdtempSync(join(tmpdir(), "mayfly-ssh-"));
afterEach(() => rmSync(home, { recursive: true, force: true }));
const log = createLog("silent", Date.now);
const account = { name: "runner", uid: 65534, gid: 65534, home, shell: "/bin/sh" };

test("keys become the runner's, each a line of its own, and the server is started", async () => {
	openSsh(["ssh-ed25519 AAAA alice\n", "ssh-ed25519 BBBB bob\nssh-rsa CCCC mallory"], account, ["touch", join(home, "started")], log);
	const file = join(home, ".ssh/authorized_keys");
	expect(readFileSync(file, "utf8")).toBe("ssh-ed25519 AAAA alice\nssh-ed25519 BBBB bob ssh-rsa CCCC mallory\n");
	expect([statSync(file).mode & 0o777, statSync(file).uid, statSync(join(home, ".ssh")).mode & 0o777]).toEqual([0o600, 65534, 0o700]);
	while (!existsSync(join(home, "started"))) await Bun.sleep(5);
});

test("without keys nothing is written and nothing is started; what cannot be done stops nothing", () => {
	openSsh([], account, ["touch", join(home, "started")], log);
	openSsh(["ssh-ed25519 AAAA alice"], null, ["touch", join(home, "started")], log);
	openSsh(["ssh-ed25519 AAAA alice"], { ...account, home: "/proc/nowhere" }, ["touch", join(home, "started")], log);
	expect(existsSync(home) && existsSync(join(home, "started"))).toBe(false);
});
