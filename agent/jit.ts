// Looks into a JIT configuration for what its runner is (FACTS 1.2). It is a private key: nothing else of it is kept or shown. Pure.

function decode(text: string): unknown {
	return JSON.parse(Buffer.from(text, "base64").toString("utf8"));
}

const member = (value: unknown, name: string): unknown =>
	typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

export interface JitFacts {
	name: string | null;
	/** A runner that takes one job and is gone; null: not said. */
	ephemeral: boolean | null;
}

/** What the `.runner` file inside says; nothing for an encoding that we do not know, which is the runner's to refuse. */
export function jitFactsOf(jitConfig: string): JitFacts {
	try {
		const runner = decode(String(member(decode(jitConfig), ".runner")));
		const [name, ephemeral] = [member(runner, "AgentName"), member(runner, "Ephemeral")];
		return {
			name: typeof name === "string" ? name : null,
			// The runner's own settings are written with and without quotes.
			ephemeral: ephemeral === undefined || ephemeral === null ? null : String(ephemeral).toLowerCase() === "true",
		};
	} catch {
		return { name: null, ephemeral: null };
	}
}
