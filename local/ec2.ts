// The EC2 stand-in: the Query API as the AWS SDK speaks it, on a free port. It refuses what EC2 would refuse, and boots what it launches.
import { createActions } from "./ec2/actions.ts";
import { type Call, type Faults, noFaults, takeOne } from "./ec2/faults.ts";
import type { Account, Market } from "./ec2/fleet-request.ts";
import { createMachines, type Instance, REASONS, type Reason, type State, type StateChange } from "./ec2/machines.ts";
import { parseParameters, textAt } from "./ec2/parameters.ts";
import { Ec2Refusal, missing, refusalDocument } from "./ec2/refusal.ts";
import { document } from "./ec2/xml.ts";
import type { Boot } from "./instance.ts";
import { type AwsKeys, type Problem, verifySignature } from "./sigv4.ts";

const VERSION = "2016-11-15";
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

export interface Ec2Options extends Account {
	keys: AwsKeys;
	region: string;
	/** How a launched instance starts: `createBoot` of instance.ts. */
	boot: Boot;
	/** Machines alive at once; the rest is a capacity error. 16 unless told. */
	machines?: number;
	/** Terminated instances stay listed for this long; an hour unless told, as at EC2. */
	keepTerminatedMs?: number;
	now?: () => number;
}

/** An instance as tests and the local system see it. Times are epoch milliseconds. */
export interface InstanceView {
	instanceId: string;
	pid: number | null;
	state: State;
	reason: Reason | null;
	privateIp: string;
	instanceType: string;
	zone: string;
	market: Market;
	tags: Record<string, string>;
	launchedAt: number;
	terminatedAt: number | null;
	interruptAt: number | null;
	directory: string | null;
	problem: unknown;
}

export interface Ec2 {
	url: string;
	faults: Faults;
	/** In the order of launch. */
	instances(): InstanceView[];
	/** Every signed call, oldest first. */
	calls(): Call[];
	/** Sends a signal to an instance's agent alone; false if it has none. */
	kill(instanceId: string, signal: NodeJS.Signals): boolean;
	/** Announces an interruption through IMDS and carries it out; returns the announced time. Throws unless it is a running spot instance. */
	interrupt(instanceId: string, notice: { noticeMs: number }): number;
	/** Makes IMDS recommend a rebalance. */
	recommendRebalance(instanceId: string): void;
	onState(listener: (change: StateChange) => void): () => void;
	/** Ends every machine, then the server. */
	stop(): Promise<void>;
}

function viewOf(instance: Instance): InstanceView {
	const { instanceId, state, reason, privateIp, pool, market, tags, launchedAt, terminatedAt, interruptAt, machine, problem } = instance;
	return {
		...{ instanceId, state, reason, privateIp, market, launchedAt, terminatedAt, interruptAt, problem },
		pid: machine?.pid ?? null,
		instanceType: pool.instanceType,
		zone: pool.zone,
		tags: Object.fromEntries(tags),
		directory: machine?.directory ?? null,
	};
}

async function readSigned(request: Request, { keys, region }: Ec2Options, now: number): Promise<string> {
	const body = new Uint8Array(await request.arrayBuffer());
	if (request.method !== "POST" || new URL(request.url).pathname !== "/")
		throw new Ec2Refusal("InvalidRequest", "Calls are POST / with a form body.", 405);
	const verdict = verifySignature(
		{ method: request.method, url: request.url, headers: request.headers, body },
		{ keys, region, service: "ec2", now },
	);
	if (!verdict.valid) {
		const [code, status] = AUTH_CODES[verdict.problem];
		throw new Ec2Refusal(code, verdict.reason, status);
	}
	return new TextDecoder().decode(body);
}

/** Starts the stand-in. It launches through `options.boot` and needs nothing else from the machine it runs on. */
export async function startEc2(options: Ec2Options): Promise<Ec2> {
	const now = options.now ?? Date.now;
	const faults = noFaults();
	const calls: Call[] = [];
	const machines = createMachines({ region: options.region, now, keepTerminatedMs: options.keepTerminatedMs ?? 3_600_000 });
	const timers = new Set<Timer>();
	const run = createActions({ account: options, machines, faults, boot: options.boot, quota: options.machines ?? 16, now });

	/** Signers set their clock by the date of an answer. */
	function xml(body: string, status: number, requestId: string): Response {
		const headers = { "content-type": "text/xml;charset=UTF-8", date: new Date(now()).toUTCString(), "x-amzn-requestid": requestId };
		return new Response(body, { status, headers });
	}

	async function answer(request: Request, requestId: string): Promise<Response> {
		const body = await readSigned(request, options, now());
		const node = parseParameters(body);
		const { Action: action = "", Version: version, ...parameters } = Object.fromEntries(new URLSearchParams(body));
		if (!action) throw missing("Action");
		if (version !== VERSION)
			throw new Ec2Refusal("NoSuchVersion", `The requested version (${version}) of service AmazonEC2 does not exist`);
		const call = { action, parameters, at: now() };
		calls.push(call);
		await faults.onCall(call, "received");
		if (takeOne(faults.throttled, action)) throw new Ec2Refusal("RequestLimitExceeded", "Request limit exceeded.", 503);
		const result = run(action, body, { node, parameters });
		await faults.onCall(call, "applied");
		if (faults.latencyMs[action]) await Bun.sleep(faults.latencyMs[action]);
		if (takeOne(faults.lost, action)) throw new Ec2Refusal("InternalError", "An internal error has occurred", 500);
		setTimeout(() => void faults.onCall(call, "answered"), 0);
		return xml(
			document(`${action}Response`, { requestId, ...result }, `http://ec2.amazonaws.com/doc/${textAt(node, "Version")}/`),
			200,
			requestId,
		);
	}

	const server = Bun.serve({
		hostname: "127.0.0.1",
		port: 0,
		maxRequestBodySize: MAX_BODY_BYTES,
		idleTimeout: 0,
		async fetch(request) {
			const requestId = crypto.randomUUID();
			return answer(request, requestId).catch((error) => {
				const refusal = error instanceof Ec2Refusal ? error : new Ec2Refusal("InternalError", String(error), 500);
				return xml(refusalDocument(refusal, requestId), refusal.status, requestId);
			});
		},
	});

	function running(instanceId: string): Instance {
		const found = machines.listed().find((instance) => instance.instanceId === instanceId);
		if (found?.state !== "running") throw new Error(`${instanceId} is not a running instance`);
		return found;
	}

	function interrupt(instanceId: string, { noticeMs }: { noticeMs: number }): number {
		const instance = running(instanceId);
		if (instance.market !== "spot") throw new Error(`${instanceId} is not a spot instance`);
		const at = Math.ceil((now() + noticeMs) / 1000) * 1000;
		instance.interruptAt = at;
		instance.machine?.announceInterruption(at);
		timers.add(setTimeout(() => void machines.end(instance, REASONS.spot), at - now()));
		return at;
	}

	async function stop(): Promise<void> {
		for (const timer of timers) clearTimeout(timer);
		await server.stop(true);
		await Promise.all(machines.listed().map((instance) => machines.end(instance, REASONS.user)));
	}

	return {
		url: server.url.origin,
		faults,
		instances: () => machines.listed().map(viewOf),
		calls: () => [...calls],
		kill: (instanceId, signal) => running(instanceId).machine?.kill(signal) ?? false,
		interrupt,
		recommendRebalance: (instanceId) => running(instanceId).machine?.recommendRebalance(now()),
		onState: machines.onState,
		stop,
	};
}
