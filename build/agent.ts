// Builds the agent.
import { join } from "node:path";
import { buildProgram, type Target } from "./compiled.ts";

export type AgentTarget = Target;

/** Compiles agent/main.ts for a target. Throws with Bun's own words when it fails. */
export async function buildAgent(target: AgentTarget, outFile: string): Promise<void> {
	await buildProgram("mayfly-agent", join("agent", "main.ts"), target, outFile);
}
