// npm: its registry, and those of scopes.
import type { Client, Named } from "./client.ts";

function scopesIn(text: string): Named[] {
	try {
		const settings: unknown = JSON.parse(text);
		if (typeof settings !== "object" || settings === null) return [];
		return Object.entries(settings).flatMap(([key, url]) =>
			/^@[^:]+:registry$/.test(key) && typeof url === "string" ? [{ url, by: key.replace(/:registry$/, "") }] : [],
		);
	} catch {
		return [];
	}
}

export const npm: Client = async ({ run }) => {
	const registry = await run("npm", "config", "get", "registry");
	if (registry === null) return null;
	const url = registry.out.trim();
	const all = await run("npm", "config", "list", "--json");
	const isKnown = registry.code === 0 && url !== "" && url !== "undefined";
	return {
		urls: [...(isKnown ? [{ url, by: "registry" }] : []), ...scopesIn(all?.out ?? "")],
		notes: isKnown ? [] : ["npm config get registry said nothing"],
	};
};
