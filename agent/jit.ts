// Looks into a JIT configuration for the runner's name (FACTS 1.2). It is a private key: nothing else of it is kept or shown. Pure.

function decode(text: string): unknown {
	return JSON.parse(Buffer.from(text, "base64").toString("utf8"));
}

function field(value: unknown, name: string): string | null {
	if (typeof value !== "object" || value === null) return null;
	const found: unknown = (value as Record<string, unknown>)[name];
	return typeof found === "string" ? found : null;
}

/** AgentName of the `.runner` file inside; null for an encoding that we do not know, which is the runner's to refuse. */
export function agentNameOf(jitConfig: string): string | null {
	try {
		return field(decode(field(decode(jitConfig), ".runner") ?? ""), "AgentName");
	} catch {
		return null;
	}
}
