// What workerd is told to run: the bundle, its variables and storage, and the bindings that Cloudflare would give it. FACTS 8.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** A Durable Object's storage is found again by this key: it must never change. */
const UNIQUE_KEY = "mayfly-queue";

/** What of wrangler.toml the relay is run with. */
interface Wrangler {
	compatibility_date: string;
	ratelimits: { name: string; simple: { limit: number; period: number } }[];
}

/**
 * Cloudflare's rate limit binding, for one process: a window of the period for each key, begun by the clock, as in wrangler dev. Refuses
 * what that refuses.
 */
const RATE_LIMIT = `export default function rateLimit({ limit, period }) {
	let window = 0;
	const counts = new Map();
	return {
		async limit(options) {
			const { key } = options ?? {};
			if (typeof key !== "string") throw new TypeError("invalid key: " + key);
			const now = Math.floor(Date.now() / (period * 1000));
			if (now !== window) counts.clear();
			window = now;
			const count = counts.get(key) ?? 0;
			if (count >= limit) return { success: false };
			counts.set(key, count + 1);
			return { success: true };
		},
	};
}
`;

function rateLimitBinding({ name, simple }: Wrangler["ratelimits"][number]): string {
	const inner = Object.entries(simple).map(([key, value]) => `(name = "${key}", json = "${value}")`);
	return `(name = "${name}", wrapped = (moduleName = "mayfly:rate-limit", innerBindings = [${inner.join(", ")}]))`;
}

/** The configuration for `relay.js` in the same folder. Values of variables stay in the environment, so that no secret lies there. */
export async function workerdConfig(variables: readonly string[]): Promise<string> {
	const text = await readFile(join(import.meta.dir, "..", "wrangler.toml"), "utf8");
	const wrangler = Bun.TOML.parse(text) as Wrangler;
	const bindings = [
		...variables.map((name) => `(name = "${name}", fromEnvironment = "${name}")`),
		...wrangler.ratelimits.map(rateLimitBinding),
		`(name = "QUEUE", durableObjectNamespace = "Queue")`,
	];
	return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "storage", disk = (path = "storage", writable = true)),
    (name = "relay", worker = (
      modules = [(name = "worker", esModule = embed "relay.js")],
      compatibilityDate = "${wrangler.compatibility_date}",
      bindings = [
        ${bindings.join(",\n        ")}
      ],
      durableObjectNamespaces = [(className = "Queue", uniqueKey = "${UNIQUE_KEY}", enableSql = true)],
      durableObjectStorage = (localDisk = "storage"),
    )),
  ],
  sockets = [(name = "http", http = (), service = "relay")],
  extensions = [(modules = [(name = "mayfly:rate-limit", internal = true, esModule = ${JSON.stringify(RATE_LIMIT)})])],
);
`;
}
