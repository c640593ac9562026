// The egress lab: the gateway's files as they ship, in network namespaces, between runners and an internet that wishes them ill.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { EgressMode } from "../../contract/egress.ts";
import { type Host, readHost } from "../../contract/host.ts";
import type { Gateway } from "../../egress/gateway.ts";
import { haproxyFiles } from "../../egress/haproxy.ts";
import { nftablesRules } from "../../egress/nftables.ts";

const NODE = join(import.meta.dir, "..", "..", "node_modules", ".bin", "node");
const NAMES = ["github.test", "api.github.test", "rotate.test", "evil.test", "shared.test", "tenant.test"];
/** What the resolver knows; all else is NXDOMAIN to everybody, as behind DNS Firewall. */
const ADDRESSES: Record<string, string> = {
	...{ "github.test": "11.0.0.10", "api.github.test": "11.0.0.10", "shared.test": "11.0.0.30", "rotate.test": "11.0.0.10" },
	...{
		"imds.test": "169.254.169.254",
		"vpc.test": "10.77.2.10",
		"loop.test": "127.0.0.1",
		"ship.test": "11.0.0.10",
		"evil.test": "11.0.0.20",
	},
};

export type From = "run" | "dep";

/** Names as a mayfly.yml has them. */
export interface Lists {
	build: string[];
	deploy: string[];
}

function hostsOf(texts: string[]): Host[] {
	return texts.map((text) => {
		const reading = readHost(text);
		if (!reading.ok) throw new Error(reading.reason);
		return reading.host;
	});
}

function makeCertificates(folder: string): void {
	const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
	const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
	openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=lab");
	for (const name of NAMES) {
		openssl(
			"req",
			...key,
			"-keyout",
			`${name}.key`,
			"-out",
			`${name}.csr`,
			"-subj",
			`/CN=${name}`,
			"-addext",
			`subjectAltName=DNS:${name}`,
		);
		const sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy", "-days", "2"];
		openssl("x509", "-req", "-in", `${name}.csr`, ...sign, "-out", `${name}.crt`);
	}
}

export type Lab = Awaited<ReturnType<typeof startLab>>;

/** Makes the network and starts everything in it. Needs root. */
export async function startLab(mode: EgressMode, lists: Lists) {
	// Devices have names of 15 characters at most.
	const prefix = `mf${process.pid.toString(36)}${{ open: "o", observe: "b", enforce: "e" }[mode]}`;
	const folder = mkdtempSync(join(tmpdir(), "mayfly-egress-"));
	chmodSync(folder, 0o755);
	const script = join(import.meta.dir, "lab.sh");
	const ns = (name: string) => `${prefix}-${name}`;
	const children: Bun.Subprocess[] = [];
	const within = (name: string, command: string[], stdout: "pipe" | "ignore" = "ignore") => {
		const child = Bun.spawn(["ip", "netns", "exec", ns(name), ...command], { stdin: "ignore", stdout, stderr: "ignore" });
		children.push(child);
		return child;
	};
	/** Starts something that says `ready`, and keeps its lines. */
	const heard = async (name: string, command: string[]) => linesOf(within(name, command, "pipe"));
	const linesOf = async (child: Bun.Subprocess, isReady = false) => {
		const lines: string[] = [];
		const ready = Promise.withResolvers<void>();
		void (async () => {
			let rest = "";
			for await (const chunk of child.stdout as ReadableStream<Uint8Array>) {
				const parts = (rest + Buffer.from(chunk).toString("utf8")).split("\n");
				rest = parts.pop() ?? "";
				lines.push(...parts);
				if (parts.some((line) => line.includes("ready"))) ready.resolve();
			}
		})();
		if (!isReady) await ready.promise;
		return lines;
	};
	/** What the kernels of all namespaces log: there is one. */
	const kernel = async () => {
		execFileSync("sysctl", ["-qw", "net.netfilter.nf_log_all_netns=1"]);
		const child = Bun.spawn(["dmesg", "--follow-new", "--notime"], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
		children.push(child);
		return await linesOf(child, true);
	};
	/** Runs a command in a namespace. */
	const exec = async (from: From | "gw" | "net", ...command: string[]) => {
		const child = Bun.spawn(["ip", "netns", "exec", ns(from), ...command], {
			stdin: "ignore",
			stdout: "pipe",
			stderr: "pipe",
			timeout: 20_000,
		});
		const [stdout, stderr, status] = await Promise.all([
			new Response(child.stdout).text(),
			new Response(child.stderr).text(),
			child.exited,
		]);
		return { stdout, stderr, status };
	};
	const stop = async () => {
		for (const child of children) child.kill("SIGKILL");
		await Promise.all(children.map((child) => child.exited));
		spawnSync("bash", [script, "down", prefix]);
		rmSync(folder, { recursive: true, force: true });
	};
	const gatewayOf = (asked: Lists): Gateway => ({
		mode,
		gateways: ["11.0.1.0/24"],
		...{ resolver: "169.254.169.253:53", log: "127.0.0.1:514", folder: join(folder, "gateway"), user: "haproxy", connections: 4000 },
		lists: [
			{ name: "build", sources: ["10.77.1.0/24"], hosts: hostsOf(asked.build) },
			{ name: "deploy", sources: ["10.77.2.0/24"], hosts: hostsOf(asked.deploy) },
		],
	});
	const writeGateway = (asked: Lists) => {
		for (const [name, text] of Object.entries(haproxyFiles(gatewayOf(asked)))) {
			const file = join(folder, "gateway", name);
			mkdirSync(dirname(file), { recursive: true });
			writeFileSync(file, text);
		}
	};
	/** The resolver answers from a file that it reads again at SIGHUP. */
	const hostsFile = join(folder, "hosts");
	const writeNames = (more: Record<string, string> = {}) => {
		const all = { ...ADDRESSES, ...more };
		writeFileSync(
			hostsFile,
			Object.entries(all)
				.map(([name, address]) => `${address} ${name}\n`)
				.join(""),
		);
		chmodSync(hostsFile, 0o644);
	};
	try {
		spawnSync("bash", [script, "down", prefix]);
		execFileSync("bash", [script, "up", prefix], { stdio: ["ignore", "ignore", "inherit"] });
		makeCertificates(folder);
		writeNames();
		const dnsmasq = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--local=/#/", "--user=root"];
		const resolver = within("dns", [
			...dnsmasq,
			`--addn-hosts=${hostsFile}`,
			"--listen-address=169.254.169.253",
			"--bind-interfaces",
			"--pid-file=",
		]);
		const kernelLog = await kernel();
		const reached = await heard("net", [process.execPath, join(import.meta.dir, "origins.ts"), folder]);
		const log = await heard("gw", [process.execPath, join(import.meta.dir, "syslog.ts")]);
		writeGateway(lists);
		writeFileSync(join(folder, "gateway", "nftables.conf"), nftablesRules(gatewayOf(lists)));
		execFileSync("ip", ["netns", "exec", ns("gw"), "nft", "-f", join(folder, "gateway", "nftables.conf")]);
		const config = join(folder, "gateway", "haproxy.cfg");
		execFileSync("ip", ["netns", "exec", ns("gw"), "haproxy", "-c", "-f", config], { stdio: "ignore" });
		const haproxy = within("gw", ["haproxy", "-W", "-db", "-f", config]);
		await Bun.sleep(500);
		return {
			folder,
			ca: join(folder, "ca.crt"),
			/** What reached the internet, newest last. */
			reached,
			/** What the gateway logged, as its own objects. */
			log: () => log.flatMap((line) => (line.includes("{") ? [JSON.parse(line.slice(line.indexOf("{"))) as Record<string, unknown>] : [])),
			/** nftables' lines. */
			kernelLog: () => kernelLog,
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
				writeNames(names);
				resolver.kill("SIGHUP");
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
