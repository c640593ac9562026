// The compiled agent of this machine's platform.
import type { AgentTarget } from "../../build/agent.ts";
import { readyParts } from "../../build/ready.ts";

export const TARGET = `${process.platform}-${process.arch}` as AgentTarget;

/** Path of the binary for this machine. */
export async function agentBinary(): Promise<string> {
	return (await readyParts()).agent;
}
