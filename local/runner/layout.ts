// Lays the stand-in out as the files of a runner release (FACTS 1.1): what calls the runner by its names finds them here.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clocks } from "./clocks.ts";
import { OWN_VARIABLE } from "./start-up.ts";

export interface RunnerOptions {
	/** Absolute path of Bun: the machine's environment has no PATH to find it by. */
	bun: string;
	/** Absolute path of the folder with the programs; this one unless told. */
	programs?: string;
	/** Shorter waits, for the local system and for tests. */
	clocks?: Partial<Clocks>;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** Leaves Bun's cache out of the job's home. Tells the program the root it lies in. Neither `.env` nor `bunfig.toml` of the directory it is started in may reach into the runner: the job owns that directory. */
function wrapper(bun: string, source: string): string {
	return `#!/bin/sh\n${OWN_VARIABLE}=0 exec ${quoted(bun)} --smol --no-install --no-env-file --config=/dev/null ${quoted(source)} "\${0%/*}/.." "$@"\n`;
}

const CONFIG = `#!/bin/sh
echo 'This runner takes just-in-time configurations only: Runner.Listener run --jitconfig <encoded>.' >&2
exit 1
`;

/** The loop around the helper; it ends with 0 for nearly everything, which is why the agent does not use it. */
const RUN = `#!/bin/bash
DIR="$(cd "$(dirname "\${BASH_SOURCE[0]}")" && pwd)"
while :; do
	cp -f "$DIR/run-helper.sh.template" "$DIR/run-helper.sh" && chmod +x "$DIR/run-helper.sh"
	"$DIR/run-helper.sh" $*
	returnCode=$?
	if [[ $returnCode == 2 ]]; then
		echo "Restarting runner..."
	elif [[ $returnCode == 7 && "$ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE" == "1" ]]; then
		echo "Exiting runner..."
		exit 7
	else
		echo "Exiting runner..."
		exit 0
	fi
done
`;

const RUN_HELPER = `#!/bin/bash
if [ "$(id -u)" -eq 0 ] && [ -z "$RUNNER_ALLOW_RUNASROOT" ]; then
	echo "Must not run interactively with sudo"
	exit 1
fi
DIR="$(cd "$(dirname "\${BASH_SOURCE[0]}")" && pwd)"
"$DIR/bin/Runner.Listener" run $*
returnCode=$?
case $returnCode in
	0) echo "Runner listener exit with 0 return code, stop the service, no retry needed."; exit 0 ;;
	1) echo "Runner listener exit with terminated error, stop the service, no retry needed."; exit 0 ;;
	2) echo "Runner listener exit with retryable error, re-launch runner in 5 seconds."; sleep 5; exit 2 ;;
	3 | 4) echo "Runner listener exit because of updating, re-launch runner after successful update"; exit 2 ;;
	5) echo "Runner listener exit with Session Conflict error, stop the service, no retry needed."; exit 0 ;;
	7)
		if [ "$ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE" = "1" ]; then
			echo "Runner listener exit with deprecated version exit code: 7."
			exit 7
		fi
		exit 0
		;;
	*) echo "Exiting with unknown error code: $returnCode"; exit 0 ;;
esac
`;

/** Fills the directory `root`, which must exist and stay writable for the runner's user. */
export async function layoutRunner(
	root: string,
	{ bun, programs: folder = import.meta.dirname, clocks = {} }: RunnerOptions,
): Promise<void> {
	for (const folder of ["bin", "externals", "_diag"]) await mkdir(join(root, folder), { recursive: true });
	const programs = {
		"bin/Runner.Listener": wrapper(bun, join(folder, "listener.ts")),
		"bin/Runner.Worker": wrapper(bun, join(folder, "worker.ts")),
		"config.sh": CONFIG,
		"run.sh": RUN,
		"run-helper.sh.template": RUN_HELPER,
	};
	for (const [name, text] of Object.entries(programs)) {
		await writeFile(join(root, name), text);
		await chmod(join(root, name), 0o755);
	}
	await writeFile(join(root, "bin/clocks.json"), JSON.stringify(clocks));
}
