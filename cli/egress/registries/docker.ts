// Docker: the registry that names without a host mean, and its mirrors, as the daemon says or as its file does.
import { join } from "node:path";
import type { Client, Named } from "./client.ts";

function objectIn(text: string | null): Record<string, unknown> {
	try {
		const value: unknown = JSON.parse(text ?? "");
		return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
	} catch {
		return {};
	}
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((it) => typeof it === "string") : []);
const mirrors = (value: unknown): Named[] => texts(value).map((url) => ({ url, by: "registry-mirrors" }));

export const docker: Client = async ({ run, read, home }) => {
	const answer = await run("docker", "info", "--format", "{{json .}}");
	if (answer === null) return null;
	const info = objectIn(answer.out);
	const own = typeof info.IndexServerAddress === "string" && info.IndexServerAddress !== "" ? [info.IndexServerAddress] : [];
	const config =
		typeof info.RegistryConfig === "object" && info.RegistryConfig !== null ? (info.RegistryConfig as Record<string, unknown>) : {};
	const files = await Promise.all(["/etc/docker/daemon.json", join(home, ".config", "docker", "daemon.json")].map(read));
	return {
		urls: [
			...own.map((url) => ({ url, by: "the daemon's own registry" })),
			...mirrors(config.Mirrors),
			...files.flatMap((file) => mirrors(objectIn(file)["registry-mirrors"])),
		],
		notes: [
			...(own.length === 0 ? ["the daemon did not say which registry names without a host mean"] : []),
			"a registry sends clients on to other hosts for tokens and layers: a stack in the mode observe shows them",
		],
	};
};
