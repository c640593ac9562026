// The egress lab: the gateway's files as they ship, in network namespaces, between runners and an internet that wishes them ill.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { EgressMode } from "../../contract/egress.ts";
import { HEALTH_PATH, HEALTH_PORT } from "../../egress/gateway.ts";
import { render } from "../../gateway/render.ts";
import { makeCertificates } from "./certificates.ts";
import { createNamespaces, writeNames } from "./namespaces.ts";
import { eventually } from "./scene.ts";

const NODE = join(import.meta.dir, "..", "..", "node_modules", ".bin", "node");
export type From = "run" | "dep";

/** Names as a mayfly.yml has them. */
export interface Lists {
	build: string[];
	deploy: string[];
}

/** Of HAProxy's processes: proc(5), utime and stime. */
function ticksOf(pid: string): number {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		return stat.includes("(haproxy)") ? Number(fields[11]) + Number(fields[12]) : 0;
	} catch {
		return 0;
	}
}

export type Lab = Awaited<ReturnType<typeof startLab>>;

/** Makes the network and starts everything in it. Needs root. `connections`: what the gateway takes at once. */
export async function startLab(mode: EgressMode, lists: Lists, connections = 4000) {
	// Devices have names of 15 characters at most.
	const prefix = `mf${process.pid.toString(36)}${{ open: "o", observe: "b", enforce: "e" }[mode]}`;
	const folder = mkdtempSync(join(tmpdir(), "mayfly-egress-"));
	chmodSync(folder, 0o755);
	const script = join(import.meta.dir, "lab.sh");
	const space = createNamespaces(prefix);
	const { within, heard, exec, ns } = space;
	const stop = async () => {
		await space.stop();
		spawnSync("bash", [script, "down", prefix]);
		rmSync(folder, { recursive: true, force: true });
	};
	const gateway = join(folder, "gateway");
	const writeGateway = (asked: Lists) => {
		const document = {
			...{ version: 1 as const, mode, gateways: ["11.0.1.0/24"] },
			lists: [
				{ name: "build", sources: ["10.77.1.0/24"], hosts: asked.build },
				{ name: "deploy", sources: ["10.77.2.0/24"], hosts: asked.deploy },
			],
		};
		const place = { resolver: "169.254.169.253:53", syslogPort: 514, haproxyUser: "haproxy", connections };
		for (const [name, text] of Object.entries(render(document, place, gateway))) {
			mkdirSync(dirname(join(gateway, name)), { recursive: true });
			writeFileSync(join(gateway, name), text);
		}
	};
	const hostsFile = join(folder, "hosts");
	try {
		spawnSync("bash", [script, "down", prefix]);
		execFileSync("bash", [script, "up", prefix], { stdio: ["ignore", "ignore", "inherit"] });
		makeCertificates(folder);
		writeNames(hostsFile);
		const resolver = await space.resolver("dns", hostsFile);
		const kernelLog = await space.kernelLog();
		const reached = await heard("net", [process.execPath, join(import.meta.dir, "origins.ts"), folder]);
		const log = await heard("gw", [process.execPath, join(import.meta.dir, "syslog.ts")]);
		writeGateway(lists);
		execFileSync("ip", ["netns", "exec", ns("gw"), "nft", "-f", join(gateway, "nftables.conf")]);
		const config = join(gateway, "haproxy.cfg");
		execFileSync("ip", ["netns", "exec", ns("gw"), "haproxy", "-c", "-f", config], { stdio: "ignore" });
		const haproxy = within("gw", ["haproxy", "-W", "-db", "-f", config]);
		const health = `http://127.0.0.1:${HEALTH_PORT}${HEALTH_PATH}`;
		await eventually(
			async () => ((await exec("gw", "curl", "-q", "-s", "--max-time", "1", health)).status === 0 ? true : undefined),
			200,
			50,
		);
		return {
			folder,
			ca: join(folder, "ca.crt"),
			/** What reached the internet, newest last. */
			reached,
			/** What the gateway logged, as its own objects. */
			log: () => log.flatMap((line) => (line.includes("{") ? [JSON.parse(line.slice(line.indexOf("{"))) as Record<string, unknown>] : [])),
			/** nftables' lines. */
			kernelLog: () => kernelLog,
			/** What the resolver was asked by whom, as Route 53's query log has it. */
			dnsLog: () => resolver.asked,
			exec,
			/** curl with the lab's authority; `to` takes the place of the resolver. */
			curl(from: From | "gw", url: string, { to, args = [] }: { to?: string; args?: string[] } = {}) {
				const { hostname, port, protocol } = new URL(url);
				const at = to === undefined ? [] : ["--resolve", `${hostname}:${port || (protocol === "https:" ? 443 : 80)}:${to}`];
				return exec(from, "curl", "-q", "-sS", "--fail", "--max-time", "6", "--cacert", join(folder, "ca.crt"), ...at, ...args, url);
			},
			/** A TLS client whose hello is cut up; what the origin said. */
			hello: async (address: string, name: string, how: "segments" | "records" | "plain") =>
				(await exec("run", NODE, join(import.meta.dir, "hello.mjs"), address, name, how, join(folder, "ca.crt"))).stdout.trim(),
			/** The addresses of names change. */
			rename(names: Record<string, string>) {
				writeNames(hostsFile, names);
				resolver.readAgain();
			},
			/** CPU that HAProxy has used so far, with its processes. */
			async proxySeconds() {
				const { stdout } = await exec("gw", "ip", "netns", "pids", ns("gw"));
				const ticks = stdout.split("\n").filter(Boolean).map(ticksOf);
				return ticks.reduce((sum, its) => sum + its, 0) / 100;
			},
			/** New lists, as a deploy brings them. */
			reload(asked: Lists) {
				writeGateway(asked);
				haproxy.kill("SIGUSR2");
			},
			stop,
		};
	} catch (error) {
		await stop();
		throw error;
	}
}
