// Builds the gateway's program.
import { join } from "node:path";
import { buildProgram, type Target } from "./compiled.ts";

/** Compiles gateway/main.ts for a target. Throws with Bun's own words when it fails. */
export async function buildGateway(target: Target, outFile: string): Promise<void> {
	await buildProgram("mayfly-gateway", join("gateway", "main.ts"), target, outFile);
}
