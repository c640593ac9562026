// pip: its index, further indexes, and where none is set the one that its own help names.
import type { Client } from "./client.ts";
import type { Machine } from "./machine.ts";

const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");

async function ownDefault(run: Machine["run"], pip: string): Promise<string[]> {
	const help = await run(pip, "install", "--help");
	const [, url] = /--index-url <url>[^(]*\(default:?\s+(https?:\/\/[^\s)]+)\)/.exec(help?.out ?? "") ?? [];
	return url === undefined ? [] : [url];
}

export const pip: Client = async ({ run, env }) => {
	const pip = (await run("pip", "--version")) === null ? "pip3" : "pip";
	const get = async (key: string, variable: string) => {
		const set = env[variable] ?? "";
		if (set !== "") return words(set);
		const answer = await run(pip, "config", "get", `global.${key}`);
		return answer === null ? null : answer.code === 0 ? words(answer.out) : [];
	};
	const index = await get("index-url", "PIP_INDEX_URL");
	if (index === null) return null;
	const further = (await get("extra-index-url", "PIP_EXTRA_INDEX_URL")) ?? [];
	const own = index.length > 0 ? [] : await ownDefault(run, pip);
	return {
		urls: [
			...index.map((url) => ({ url, by: "index-url" })),
			...own.map((url) => ({ url, by: "its own default" })),
			...further.map((url) => ({ url, by: "extra-index-url" })),
		],
		notes: [
			...(index.length === 0 && own.length === 0 ? ["pip config get global.index-url said nothing, nor did pip's help"] : []),
			"an index may name files on other hosts: a stack in the mode observe shows them",
		],
	};
};
