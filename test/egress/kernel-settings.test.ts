// What mayfly-closed.service does, with the files that ship, in a network namespace of its own.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const GATEWAY = join(import.meta.dir, "..", "..", "ami", "gateway");

test("the closed rules and the kernel's settings load by the unit's own commands, one after the other, and each setting holds", () => {
	const unit = readFileSync(join(GATEWAY, "units", "mayfly-closed.service"), "utf8").replaceAll("/etc/mayfly/", `${GATEWAY}/`);
	const commands = [...unit.matchAll(/^ExecStart=(.*)$/gm)].map(([, command]) => command);
	const settings = [...readFileSync(join(GATEWAY, "sysctl.conf"), "utf8").matchAll(/^-?([a-z0-9_.]+) = (.*)$/gm)].map(
		([, name = "", value = ""]) => [name, value] as const,
	);
	const script = ["set -e", ...commands, ...settings.map(([name]) => `sysctl -n ${name}`)].join("\n");
	const { stdout, exitCode } = Bun.spawnSync(["unshare", "-n", "bash", "-c", script]);
	const read = stdout.toString().trim().split("\n");
	expect([exitCode, read.length]).toEqual([0, settings.length]);
	// The size of the table is the whole machine's, which a namespace only reads.
	const own = settings.map((setting, at) => ({ setting, read: read[at] })).filter(({ setting }) => !setting[0].endsWith("conntrack_max"));
	expect(own.map(({ setting, read }) => [setting[0], read?.split(/\s+/).join(" ")])).toEqual(
		own.map(({ setting }) => [setting[0], setting[1]]),
	);
	expect(Object.fromEntries(settings)).toMatchObject({
		...{ "net.netfilter.nf_conntrack_max": "262144", "net.netfilter.nf_conntrack_tcp_timeout_time_wait": "30" },
		"net.netfilter.nf_conntrack_tcp_timeout_syn_recv": "10",
	});
});
