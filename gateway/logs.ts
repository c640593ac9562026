// CloudWatch Logs (AWS JSON 1.1: PutLogEvents, CreateLogStream). Touches the network.
import { type AwsAccess, AwsError, sendSigned } from "../aws/request.ts";
import type { LogEvent } from "./batches.ts";

export interface Logs {
	/** Makes the stream if there is none. Throws AwsError. */
	put(group: string, stream: string, events: readonly LogEvent[]): Promise<void>;
}

const kindOf = (text: string) => /"__type"\s*:\s*"(?:[^"#]*#)?([A-Za-z]+)"/.exec(text)?.[1] ?? "";

export function createLogs(access: () => Promise<AwsAccess>, url: string): Logs {
	async function call(operation: string, body: object, fine: string): Promise<string> {
		const answer = await sendSigned(await access(), "logs", {
			...{ method: "POST", url: `${url}/`, body: JSON.stringify(body) },
			headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `Logs_20140328.${operation}` },
		});
		const text = await answer.text();
		if (answer.status === 200) return "";
		if (kindOf(text) === fine) return fine;
		throw new AwsError(operation, answer.status, text);
	}
	return {
		async put(logGroupName, logStreamName, events) {
			const logEvents = events.map(({ timestamp, message }) => ({ timestamp, message }));
			const send = (fine: string) => call("PutLogEvents", { logGroupName, logStreamName, logEvents }, fine);
			if ((await send("ResourceNotFoundException")) === "") return;
			await call("CreateLogStream", { logGroupName, logStreamName }, "ResourceAlreadyExistsException");
			await send("");
		},
	};
}
