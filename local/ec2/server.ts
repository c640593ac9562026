// The wire of the EC2 stand-in: a signed form comes in, XML goes out (FACTS 8, "EC2 Query wire").
import { type AwsKeys, type Problem, verifySignature } from "../sigv4.ts";
import { type ActionCall, runAction } from "./actions.ts";
import type { Ec2State } from "./create-fleet.ts";
import { type Call, takeOne } from "./faults.ts";
import { parseParameters } from "./parameters.ts";
import { Ec2Refusal, missing, refusalDocument } from "./refusal.ts";
import { document } from "./xml.ts";

const VERSION = "2016-11-15";
const NAMESPACE = `http://ec2.amazonaws.com/doc/${VERSION}/`;
const MAX_BODY_BYTES = 1024 * 1024;
const AUTH_CODES: Record<Problem, [code: string, status: number]> = {
	unsigned: ["AuthFailure", 401],
	malformed: ["AuthFailure", 401],
	"unknown-key": ["AuthFailure", 401],
	scope: ["AuthFailure", 401],
	expired: ["RequestExpired", 400],
	payload: ["SignatureDoesNotMatch", 403],
	signature: ["SignatureDoesNotMatch", 403],
};

export interface WireOptions {
	keys: AwsKeys;
	region: string;
	state: Ec2State;
	/** Called with every signed call. */
	record: (call: Call) => void;
}

async function readSigned(request: Request, { keys, region, state }: WireOptions): Promise<string> {
	const body = new Uint8Array(await request.arrayBuffer());
	const { method, url, headers } = request;
	if (method !== "POST" || new URL(url).pathname !== "/") throw new Ec2Refusal("InvalidRequest", "Calls are POST / with a form body.", 405);
	const verdict = verifySignature({ method, url, headers, body }, { keys, region, service: "ec2", now: state.machines.now() });
	if (verdict.valid) return new TextDecoder().decode(body);
	const [code, status] = AUTH_CODES[verdict.problem];
	throw new Ec2Refusal(code, verdict.reason, status);
}

function readCall(body: string): ActionCall {
	const node = parseParameters(body);
	const { Action: action, Version: version, ...parameters } = Object.fromEntries(new URLSearchParams(body));
	if (!action) throw missing("Action");
	if (version !== VERSION) throw new Ec2Refusal("NoSuchVersion", `The requested version (${version}) of service AmazonEC2 does not exist`);
	return { action, body, node, parameters };
}

/** The call with all that was made to go wrong around it; gives the answer's document. */
async function answerCall(call: ActionCall, requestId: string, { state, record }: WireOptions): Promise<string> {
	const { faults, machines } = state;
	const { action, parameters } = call;
	const seen = { action, parameters, at: machines.now() };
	record(seen);
	await faults.onCall(seen, "received");
	if (takeOne(faults.throttled, action)) throw new Ec2Refusal("RequestLimitExceeded", "Request limit exceeded.", 503);
	const result = runAction(call, state);
	await faults.onCall(seen, "applied");
	if (faults.latencyMs[action]) await Bun.sleep(faults.latencyMs[action]);
	if (takeOne(faults.lost, action)) throw new Ec2Refusal("InternalError", "An internal error has occurred", 500);
	setTimeout(() => void faults.onCall(seen, "answered"), 0);
	return document(`${action}Response`, { requestId, ...result }, NAMESPACE);
}

async function answer(request: Request, options: WireOptions): Promise<Response> {
	const requestId = crypto.randomUUID();
	// Signers set their clock by the date of an answer.
	const date = new Date(options.state.machines.now()).toUTCString();
	const headers = { "content-type": "text/xml;charset=UTF-8", "x-amzn-requestid": requestId, date };
	try {
		const call = readCall(await readSigned(request, options));
		return new Response(await answerCall(call, requestId, options), { headers });
	} catch (error) {
		const refusal = error instanceof Ec2Refusal ? error : new Ec2Refusal("InternalError", String(error), 500);
		return new Response(refusalDocument(refusal, requestId), { status: refusal.status, headers });
	}
}

/** Listens on a free port. */
export function serveEc2(options: WireOptions): { url: string; stop(): Promise<void> } {
	const server = Bun.serve({
		hostname: "127.0.0.1",
		port: 0,
		maxRequestBodySize: MAX_BODY_BYTES,
		idleTimeout: 0,
		fetch: (request) => answer(request, options),
	});
	return { url: server.url.origin, stop: () => server.stop(true) };
}
