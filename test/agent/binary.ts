// The compiled agent, built once for the test files of a process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentTarget, buildAgent } from "../../build/agent.ts";

export const TARGET = `${process.platform}-${process.arch}` as AgentTarget;

let building: Promise<string> | undefined;

async function build(): Promise<string> {
	const folder = mkdtempSync(join(tmpdir(), "mayfly-agent-"));
	process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
	await buildAgent(TARGET, join(folder, "agent"));
	return join(folder, "agent");
}

/** Path of the binary for this machine. */
export function agentBinary(): Promise<string> {
	building ??= build();
	return building;
}
