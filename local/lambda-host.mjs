// Stands for Lambda's own runtime: imports the bundle, invokes its handler with a clock that runs out, and invokes it again as the
// schedule would. Each line on stdin is an event of another rule: one more invocation beside that one. Plain JavaScript, since Node runs it
// as it is. node lambda-host.mjs <bundle> <session ms>

import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/** The schedule's minute, shortened. */
const PAUSE_MS = 500;

const [bundle = "", sessionMs = ""] = process.argv.slice(2);
const { handler } = await import(pathToFileURL(resolve(bundle)).href);

function say(record) {
	process.stdout.write(`${JSON.stringify({ level: 50, time: Date.now(), ...record })}\n`);
}

const SCHEDULED = { source: "aws.events", "detail-type": "Scheduled Event", detail: {} };

createInterface({ input: process.stdin }).on("line", (line) => void invoke(JSON.parse(line)));

for (;;) {
	await invoke(SCHEDULED);
	await new Promise((wake) => setTimeout(wake, PAUSE_MS));
}

async function invoke(event) {
	const endsAt = Date.now() + Number(sessionMs);
	// As Lambda does: who is not done when the time is up is ended.
	const deadline = setTimeout(() => {
		say({ msg: `Task timed out after ${sessionMs} ms` });
		process.exit(1);
	}, Number(sessionMs));
	try {
		await handler(event, { getRemainingTimeInMillis: () => Math.max(0, endsAt - Date.now()) });
	} catch (error) {
		say({ msg: "Invoke Error", error: String(error?.stack ?? error) });
	}
	clearTimeout(deadline);
}
