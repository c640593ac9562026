// 60-units.sh, with folders of our own in place of a root's: a namespace of mounts has them where systemd's are.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SCRIPT = join(import.meta.dir, "..", "..", "ami", "provision", "60-units.sh");
const UNITS = {
	"allowed.service": "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlso=brought.socket\n",
	"brought.socket": "[Socket]\nListenStream=1\n[Install]\nWantedBy=sockets.target\n",
	"needed.service": "[Service]\nExecStart=/bin/true\n[Install]\nRequiredBy=multi-user.target\n",
	"ssh.service": "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias=sshd.service\n",
	"ssh.socket": "[Socket]\nListenStream=22\n[Install]\nWantedBy=sockets.target\nRequiredBy=ssh.service\n",
	"static.service": "[Service]\nExecStart=/bin/true\n",
	"multi-user.target": "[Unit]\n",
	"sockets.target": "[Unit]\n",
};
let folder: string;
let system: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "mayfly-units-"));
	system = join(folder, "etc", "system");
	for (const each of ["etc/system", "lib", "parts"]) await mkdir(join(folder, each), { recursive: true });
	for (const [name, text] of Object.entries(UNITS)) await writeFile(join(folder, "lib", name), text);
	await mkdir(join(folder, "lib", "multi-user.target.wants"));
	await symlink("../static.service", join(folder, "lib", "multi-user.target.wants", "static.service"));
	await writeFile(join(folder, "parts", "units.allow"), "# Of a test.\nallowed.service\nneeded.service # said why\n");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the script and then asks systemctl for what is enabled. */
async function provision(): Promise<string[]> {
	const inside = [
		`mount --bind ${folder}/etc /etc/systemd`,
		`mount --bind ${folder}/lib /usr/lib/systemd/system`,
		`PARTS=${folder}/parts bash ${SCRIPT}`,
		"systemctl --root=/ list-unit-files --no-legend --state=enabled,enabled-runtime",
	];
	const child = Bun.spawn(["unshare", "--mount", "bash", "-euc", inside.join("\n")], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
	const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
	expect([err, code]).toEqual(["", 0]);
	return out.split("\n").flatMap((line) => line.split(" ")[0] || []);
}

test.each(["/lib/systemd/system", "/usr/lib/systemd/system"])(
	"only what is allowed stays enabled where packages link to %s",
	async (to) => {
		for (const name of ["sockets.target.wants", "ssh.service.requires"]) {
			await mkdir(join(system, name));
			await symlink(join(to, "ssh.socket"), join(system, name, "ssh.socket"));
		}
		await symlink(join(to, "ssh.service"), join(system, "sshd.service"));
		expect((await provision()).toSorted()).toEqual(["allowed.service", "needed.service"]);
		expect(await readdir(system)).not.toContain("sshd.service");
		// An operator's key has sshd started, which must be able to.
		for (const name of ["ssh.service", "ssh.socket"]) expect(await readdir(system)).not.toContain(name);
	},
);

test("what an allowed one or a package brings along is masked, and nothing else by mistake", async () => {
	await provision();
	for (const name of ["brought.socket", "static.service"]) expect(await readlink(join(system, name))).toBe("/dev/null");
	expect(await readdir(system)).not.toContain("*");
});
