// Go: its module proxies and its checksum database.
import type { Client, Named } from "./client.ts";

/** `name`, `name+key`, or either with a URL behind it. */
function database(text: string): Named[] {
	const [name = "", url] = text.split(/\s+/);
	return name === "" || name === "off" ? [] : [{ url: url ?? name.replace(/\+.*$/s, ""), by: "GOSUMDB" }];
}

export const go: Client = async ({ run }) => {
	const answer = await run("go", "env", "GOPROXY", "GOSUMDB");
	if (answer === null) return null;
	const [proxies = "", sums = ""] = answer.out.split("\n").map((line) => line.trim());
	const steps = proxies.split(/[,|]/).filter((step) => step !== "");
	return {
		urls: [...steps.filter((step) => step !== "direct" && step !== "off").map((url) => ({ url, by: "GOPROXY" })), ...database(sums)],
		notes: [
			...(steps.length === 0 ? ["go env GOPROXY said nothing"] : []),
			...(steps.includes("direct")
				? ["what the proxies lack is asked of each module's own host (direct): list those, or end GOPROXY with off"]
				: []),
		],
	};
};
