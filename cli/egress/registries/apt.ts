// apt: the sites of its sources, as apt itself reads them.
import type { Client } from "./client.ts";

export const apt: Client = async ({ run }) => {
	const answer = await run("apt-get", "indextargets", "--format", "$(SITE)");
	if (answer === null) return null;
	const sites = [...new Set(answer.out.split("\n").map((line) => line.trim()))].filter((line) => line !== "").toSorted();
	return {
		urls: sites.map((url) => ({ url, by: "sources" })),
		notes: [
			...(sites.length === 0 ? ["apt-get indextargets named no site"] : []),
			...(sites.some((site) => site.startsWith("http:"))
				? ["apt's packages are signed and asked for on port 80, which the gateway passes by the Host"]
				: []),
		],
	};
};
