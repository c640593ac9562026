// Two zones with gateways as they ship: the compiled program and HAProxy under a real systemd with the image's own units, in network namespaces.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readyGateway } from "../../build/ready.ts";
import { EGRESS_KEY, type EgressDocument } from "../../contract/egress.ts";
import { makeCertificates } from "./certificates.ts";
import { createNamespaces, writeNames } from "./namespaces.ts";
import { LISTS } from "./scene.ts";

export interface World {
	instances: Record<string, { zone: string; privateIp: string; state: "running" | "stopped"; userData: string }>;
	/** By route table. */
	routes: Record<string, string>;
	/** By route table: the namespace of the runner that goes by it. */
	runners: Record<string, string>;
}
export type Zone = "a" | "b";

export const GATEWAYS = { a: "i-0aaaaaaaaaaaaaaaa", b: "i-0bbbbbbbbbbbbbbbb" } as const;
const ADDRESSES = { a: "10.77.0.10", b: "10.77.2.10" } as const;
const IMAGE = join(import.meta.dir, "..", "..", "ami", "gateway");
const MACHINE = join(import.meta.dir, "..", "fakes", "systemd-machine.sh");
const UNITS = ["mayfly-closed.service", "haproxy.service", "mayfly-gateway.service"];
/** HAProxy is back later than on a gateway, so that there is time to see what passes without it. */
const SLOW = "[Service]\nRestartSec=3\n";

export const DOCUMENT: EgressDocument = {
	...{ version: 1, mode: "enforce", gateways: ["10.77.0.0/23", "10.77.2.0/23"] },
	lists: [{ name: "build", sources: ["10.77.16.0/20", "10.77.32.0/20"], hosts: LISTS.build }],
};

function userData(zone: Zone): string {
	return `# What a gateway's launch template has.
MAYFLY_STACK=lab
MAYFLY_REGION=eu-west-1
MAYFLY_ZONE=eu-west-1${zone}
MAYFLY_ROUTE_TABLES=eu-west-1a=rtb-0a,eu-west-1b=rtb-0b
MAYFLY_MAILBOX_URL=http://11.0.0.50:8080/mailbox
MAYFLY_LOG_GROUP=/mayfly/lab/proxy
MAYFLY_POLL_MS=1000
MAYFLY_CONNECTIONS=4000
MAYFLY_EC2_URL=http://11.0.0.50:8080/ec2
MAYFLY_LOGS_URL=http://11.0.0.50:8080/logs
`;
}

function commOf(pid: number): string | null {
	try {
		return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
	} catch {
		return null;
	}
}

/** The files of a gateway's machine, as its image has them. */
function layMachine(folder: string, program: string): void {
	mkdirSync(join(folder, "files/etc/mayfly"), { recursive: true });
	mkdirSync(join(folder, "files/usr/local/bin"), { recursive: true });
	cpSync(join(IMAGE, "units"), join(folder, "units"), { recursive: true });
	writeFileSync(join(folder, "units/haproxy.service.d/slow.conf"), SLOW);
	for (const name of ["closed.nft", "sysctl.conf"]) cpSync(join(IMAGE, name), join(folder, "files/etc/mayfly", name));
	cpSync(program, join(folder, "files/usr/local/bin/mayfly-gateway"));
	writeFileSync(join(folder, "files/etc/resolv.conf"), "nameserver 169.254.169.253\n");
}

export type ZonesLab = Awaited<ReturnType<typeof startZones>>;

/** Makes the network and boots both gateways. Needs root. */
export async function startZones() {
	const prefix = `mz${process.pid.toString(36)}`;
	const folder = mkdtempSync(join(tmpdir(), "mayfly-zones-"));
	chmodSync(folder, 0o755);
	const script = join(import.meta.dir, "zones.sh");
	const space = createNamespaces(prefix);
	const stop = async () => {
		await space.stop();
		spawnSync("bash", [script, "down", prefix]);
		rmSync(folder, { recursive: true, force: true });
	};
	const world: World = {
		instances: Object.fromEntries(
			(["a", "b"] as const).map((zone) => [
				GATEWAYS[zone],
				{ zone: `eu-west-1${zone}`, privateIp: ADDRESSES[zone], state: "running" as const, userData: userData(zone) },
			]),
		),
		routes: { "rtb-0a": GATEWAYS.a, "rtb-0b": GATEWAYS.b },
		runners: { "rtb-0a": "ra", "rtb-0b": "rb" },
	};
	const program = await readyGateway();
	/** Its process 1 ends, and all of the machine with it, when this is killed. */
	const boot = (zone: Zone) => {
		const machine = join(folder, zone);
		rmSync(machine, { recursive: true, force: true });
		layMachine(machine, program);
		const namespaces = "--mount --pid --fork --uts --ipc --cgroup --kill-child".split(" ");
		return space.within(`g${zone}`, ["unshare", ...namespaces, "bash", MACHINE, machine, ...UNITS]);
	};
	try {
		spawnSync("bash", [script, "down", prefix]);
		execFileSync("bash", [script, "up", prefix], { stdio: ["ignore", "ignore", "inherit"] });
		makeCertificates(folder);
		const hostsFile = join(folder, "hosts");
		writeNames(hostsFile);
		await space.resolver("dns", hostsFile);
		await space.kernelLog();
		writeFileSync(join(folder, "world.json"), JSON.stringify(world));
		const standIns = (name: string, what: string) =>
			space.heard(name, [process.execPath, join(import.meta.dir, "stand-ins.ts"), what, folder, prefix]);
		const reached = await space.heard("net", [process.execPath, join(import.meta.dir, "origins.ts"), folder]);
		const [aws] = [await standIns("net", "aws"), await standIns("dns", "metadata")];
		const machines = { a: boot("a"), b: boot("b") };
		const said = () => aws.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Record<string, string>] : []));
		return {
			...{ exec: space.exec, reached, stop, folder },
			/** What lies in the mailbox from now on, as it is written. */
			publish(text: string) {
				const file = join(folder, "mailbox", EGRESS_KEY);
				mkdirSync(join(file, ".."), { recursive: true });
				writeFileSync(`${file}.next`, text);
				renameSync(`${file}.next`, file);
			},
			/** Messages that came to a log group, whole. */
			messages: (group: "proxy" | "gateway") =>
				said().flatMap((line) => (line.group === `/mayfly/lab/${group}` ? [line.message ?? ""] : [])),
			/** Which gateway each route was moved to, in order. */
			replaced: () => said().flatMap((line) => (line.replaced ? [[line.replaced, line.to]] : [])),
			curl: (from: "ra" | "rb", url: string, ...args: string[]) =>
				space.exec(from, "curl", "-q", "-sS", "--fail", "--max-time", "5", "--cacert", join(folder, "ca.crt"), ...args, url),
			/** Ends what runs under a name on a gateway, as a crash would. */
			async crash(zone: Zone, comm: string) {
				const pids = (await space.exec(`g${zone}`, "ip", "netns", "pids", space.ns(`g${zone}`))).stdout
					.split("\n")
					.filter(Boolean)
					.map(Number);
				const its = pids.filter((pid) => commOf(pid) === comm);
				for (const pid of its) process.kill(pid, "SIGKILL");
				return its.length;
			},
			/** The machine is gone with all that runs on it, and its place in the VPC with it. */
			async lose(zone: Zone) {
				spawnSync("ip", ["-n", space.ns(`g${zone}`), "link", "set", "eth0", "down"]);
				machines[zone].kill("SIGKILL");
				await machines[zone].exited;
			},
			/** It is started anew. */
			restore(zone: Zone) {
				spawnSync("ip", ["netns", "exec", space.ns(`g${zone}`), "nft", "flush", "ruleset"]);
				spawnSync("ip", ["-n", space.ns(`g${zone}`), "link", "set", "eth0", "up"]);
				machines[zone] = boot(zone);
			},
		};
	} catch (error) {
		await stop();
		throw error;
	}
}
