// Programs in network namespaces, whose names begin alike: started, heard, and ended by their ids.
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";

async function* linesOf(child: Bun.Subprocess): AsyncGenerator<string> {
	let rest = "";
	for await (const chunk of child.stdout as ReadableStream<Uint8Array>) {
		const parts = (rest + Buffer.from(chunk).toString("utf8")).split("\n");
		rest = parts.pop() ?? "";
		yield* parts;
	}
}

export function createNamespaces(prefix: string) {
	const children: Bun.Subprocess[] = [];
	const ns = (name: string) => `${prefix}-${name}`;
	const spawn = (command: string[], stdout: "pipe" | "ignore") => {
		const child = Bun.spawn(command, { stdin: "ignore", stdout, stderr: "ignore" });
		children.push(child);
		return child;
	};
	const within = (name: string, command: string[], stdout: "pipe" | "ignore" = "ignore") =>
		spawn(["ip", "netns", "exec", ns(name), ...command], stdout);
	/** Keeps a program's lines; resolves when one of them has a word. */
	const keepLines = async (child: Bun.Subprocess, word?: string) => {
		const lines: string[] = [];
		const ready = Promise.withResolvers<void>();
		void (async () => {
			for await (const line of linesOf(child)) {
				lines.push(line);
				if (word !== undefined && line.includes(word)) ready.resolve();
			}
		})();
		if (word !== undefined) await ready.promise;
		return lines;
	};
	return {
		ns,
		within,
		/** Starts something that says `ready`, and keeps its lines. */
		heard: async (name: string, command: string[]) => keepLines(within(name, command, "pipe"), "ready"),
		/** What the kernels of all namespaces log: there is one. */
		async kernelLog() {
			execFileSync("sysctl", ["-qw", "net.netfilter.nf_log_all_netns=1"]);
			return await keepLines(spawn(["dmesg", "--follow-new", "--notime"], "pipe"));
		},
		/** A resolver that knows the names of a file in the form of /etc/hosts, which it reads again at SIGHUP. It says what it was asked. */
		async resolver(name: string, hostsFile: string) {
			const options = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--local=/#/", "--user=root"];
			const place = [`--addn-hosts=${hostsFile}`, "--listen-address=169.254.169.253", "--bind-interfaces", "--pid-file="];
			const log = ["--log-queries", "--log-facility=-"];
			const child = within(name, ["sh", "-c", `exec "$@" 2>&1`, "sh", "dnsmasq", ...options, ...place, ...log], "pipe");
			return { asked: await keepLines(child), readAgain: () => child.kill("SIGHUP") };
		},
		/** Runs a command to its end. */
		async exec(name: string, ...command: string[]) {
			const child = Bun.spawn(["ip", "netns", "exec", ns(name), ...command], {
				...{ stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: 40_000 },
			});
			const [stdout, stderr, status] = await Promise.all([
				new Response(child.stdout).text(),
				new Response(child.stderr).text(),
				child.exited,
			]);
			return { stdout, stderr, status };
		},
		async stop() {
			for (const child of children) child.kill("SIGKILL");
			await Promise.all(children.map((child) => child.exited));
		},
	};
}

/** What the resolver knows; all else is NXDOMAIN to everybody, as behind DNS Firewall. */
const ADDRESSES: Record<string, string> = {
	...{ "github.test": "11.0.0.10", "api.github.test": "11.0.0.10", "shared.test": "11.0.0.30", "rotate.test": "11.0.0.10" },
	...{ "imds.test": "169.254.169.254", "vpc.test": "10.77.2.10", "loop.test": "127.0.0.1" },
	// Names without an IPv4 address.
	...{ "six.test": "2001:db8::20", "imds6.test": "fd00:ec2::254" },
	// On no list.
	...{ "other-imds.test": "169.254.169.254", "other-vpc.test": "10.77.2.10", "other-loop.test": "127.0.0.1" },
	...{ "other-six.test": "2001:db8::20" },
	...{ "ship.test": "11.0.0.10", "evil.test": "11.0.0.20" },
};

export function writeNames(file: string, more: Record<string, string> = {}): void {
	const all = Object.entries({ ...ADDRESSES, ...more });
	writeFileSync(file, all.map(([name, address]) => `${address} ${name}\n`).join(""));
	chmodSync(file, 0o644);
}
