// Runs a provisioning script inside the root folder, in namespaces of its own: what it mounts or starts goes with it.
import { copyFile, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { run, type Workshop } from "./command.ts";

/** The root with its own /proc and /dev, and an empty /run and /tmp. */
const ENTER = `
mount --make-rprivate /
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t sysfs -o ro sysfs "$1/sys"
mount -t tmpfs tmpfs "$1/run"
mkdir -p "$1/run/mayfly-parts"
[ -z "$2" ] || mount --bind "$2" "$1/run/mayfly-parts"
exec chroot "$1" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "\${@:4}" /bin/bash "$3"
`;
/** Where a script finds the parts. */
export const PARTS = "/run/mayfly-parts";
const NAMESPACES = "--mount --pid --fork --kill-child".split(" ");

/** `env` is all that the script has; `parts` is a folder that it sees as PARTS. */
export async function runInside(root: string, script: string, env: Record<string, string>, parts: string | null, shop: Workshop) {
	const inside = `/tmp/${basename(script)}`;
	await mkdir(join(root, "tmp"), { recursive: true });
	await copyFile(script, join(root, inside));
	const variables = Object.entries({ ...env, ...(parts === null ? {} : { PARTS }) }).map(([name, value]) => `${name}=${value}`);
	const enter = ["bash", "-ec", ENTER, "enter", root, parts ?? "", inside, ...variables];
	try {
		return await run(basename(script, ".sh"), ["unshare", ...NAMESPACES, ...enter], shop);
	} finally {
		await rm(join(root, inside), { force: true });
	}
}
