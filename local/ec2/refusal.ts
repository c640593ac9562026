// How EC2 says no: a code for programs, a message for people, and the HTTP status (EC2 API Reference, "Error codes").
import { document } from "./xml.ts";

/** Thrown by whatever reads or applies a call; the server turns it into the answer. */
export class Ec2Refusal extends Error {
	override name = "Ec2Refusal";
	constructor(
		readonly code: string,
		message: string,
		readonly status = 400,
	) {
		super(message);
	}
}

export const missing = (name: string) => new Ec2Refusal("MissingParameter", `The request must contain the parameter ${name}`);
export const invalid = (message: string) => new Ec2Refusal("InvalidParameterValue", message);

/** EC2's error document (FACTS 8, "EC2 Query wire"). */
export function refusalDocument(refusal: Ec2Refusal, requestId: string): string {
	return document("Response", { Errors: { Error: { Code: refusal.code, Message: refusal.message } }, RequestID: requestId });
}
