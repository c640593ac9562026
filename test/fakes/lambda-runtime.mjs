// Lambda's side of a Node function (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html): imports the handler that _HANDLER names, asks the
// Runtime API for one invocation after the other, and answers each. AWS's own client for this is compiled when it is installed, which the lock
// file does not allow. Plain JavaScript, since Node runs it as it is.
import { request } from "node:http";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";

const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT = process.cwd(), _HANDLER = "" } = process.env;
const say = (record) => process.stdout.write(`${JSON.stringify({ at: "runtime", pid: process.pid, ...record })}\n`);

/** Without a limit of time: the next invocation may be long in coming. */
function call(method, path, body = "", headers = {}) {
	return new Promise((resolve, reject) => {
		const sent = request(`http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime${path}`, { method, headers }, (answer) => {
			const parts = [];
			answer.on("data", (part) => parts.push(part));
			answer.on("end", () => resolve({ headers: answer.headers, text: Buffer.concat(parts).toString() }));
		});
		sent.on("error", reject);
		sent.end(body);
	});
}

function tell(path, error) {
	const { name: errorType = "Error", message: errorMessage = String(error), stack = "" } = error ?? {};
	const body = JSON.stringify({ errorType, errorMessage, stackTrace: stack.split("\n").slice(1) });
	return call("POST", path, body, { "Lambda-Runtime-Function-Error-Type": errorType });
}

async function importHandler() {
	const [file, name] = _HANDLER.split(".");
	const { [name]: handler } = await import(pathToFileURL(join(LAMBDA_TASK_ROOT, `${file}.mjs`)).href);
	if (typeof handler !== "function") throw new Error(`${_HANDLER} is undefined or not exported`);
	return handler;
}

const handler = await importHandler().catch(async (error) => {
	await tell("/init/error", error);
	process.exit(1);
});
say({ initMs: Math.round(performance.now()) });
for (;;) {
	const { headers, text } = await call("GET", "/invocation/next");
	const awsRequestId = headers["lambda-runtime-aws-request-id"];
	const deadline = Number(headers["lambda-runtime-deadline-ms"]);
	const context = { awsRequestId, getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()) };
	try {
		const result = await handler(JSON.parse(text), context);
		await call("POST", `/invocation/${awsRequestId}/response`, JSON.stringify(result ?? null));
	} catch (error) {
		await tell(`/invocation/${awsRequestId}/error`, error);
	}
}
