// The folders of one job below the runner's work folder, laid out as the runner does. Touches the disk.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { JobMessage } from "../github/protocol.ts";

export interface Folders {
	workspace: string;
	/** RUNNER_WORKSPACE: the folder that the workspace lies in. */
	pipeline: string;
	temp: string;
	tools: string;
	event: string;
	commands: string;
}

export function makeFolders(root: string, workFolder: string, { github, event }: JobMessage): Folders {
	const work = resolve(root, workFolder || "_work");
	const name =
		String(github.repository ?? "repository")
			.split("/")
			.at(-1) || "repository";
	const temp = join(work, "_temp");
	rmSync(temp, { recursive: true, force: true });
	const folders = {
		workspace: join(work, name, name),
		pipeline: join(work, name),
		temp,
		tools: join(work, "_tool"),
		event: join(temp, "_github_workflow/event.json"),
		commands: join(temp, "_runner_file_commands"),
	};
	for (const folder of [folders.workspace, folders.tools, folders.commands, join(temp, "_github_workflow")])
		mkdirSync(folder, { recursive: true });
	writeFileSync(folders.event, JSON.stringify(event));
	return folders;
}
