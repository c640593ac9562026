// A relay that tests write the lines of: it hands out the work it is given, keeps what is settled, and parses all with the contract.
import { type LeaseRequest, parseLeaseRequest, type WorkItem } from "../../contract/lease.ts";
import { type ObserveRequest, parseObserveRequest, type Verdict } from "../../contract/observe.ts";
import type { Parsed } from "../../contract/parse.ts";
import { type Outcome, parseSettleRequest } from "../../contract/settle.ts";

export interface FakeRelay {
	url: string;
	leases: LeaseRequest[];
	/** Every result, in order of arrival. */
	settled: Outcome[];
	observed: ObserveRequest[];
	/** What did not parse. */
	problems: string[];
	/** Results that are answered as stale: another lease has taken their item over. None by itself. */
	isStale(result: Outcome): boolean;
	verdicts: Verdict[];
	onDemandOnly: boolean;
	superseded: boolean;
	/** The next so many requests to a path get this status and no more; 0 drops the connection's answer. */
	fail(path: string, status: number, times?: number): void;
	/** Handed out by the next lease. */
	push(...work: WorkItem[]): void;
	/** The first end (neither `launching` nor `extend`) of each of these. */
	ends(...workIds: string[]): Promise<Outcome[]>;
	/** Resolves once this holds; looked at after every request. */
	until(holds: () => boolean): Promise<void>;
	stop(): Promise<void>;
}

const isEnd = ({ outcome }: Outcome) => outcome !== "launching" && outcome !== "extend";

export function startFakeRelay(token: string): FakeRelay {
	const waiting: WorkItem[] = [];
	const watchers = new Set<() => void>();
	const faults: { path: string; status: number; times: number }[] = [];
	const answers = new Map<string, object>();
	const changed = () => {
		for (const watch of [...watchers]) watch();
	};
	const relay: FakeRelay = {
		...{
			url: "",
			leases: [],
			settled: [],
			observed: [],
			problems: [],
			verdicts: [],
			onDemandOnly: false,
			superseded: false,
		},
		isStale: () => false,
		fail: (path, status, times = 1) => void faults.push({ path, status, times }),
		push(...work) {
			waiting.push(...work);
			changed();
		},
		until: (holds) =>
			new Promise((resolve) => {
				const watch = () => {
					if (!holds()) return;
					watchers.delete(watch);
					resolve();
				};
				watchers.add(watch);
				watch();
			}),
		async ends(...workIds) {
			const endOf = (workId: string) => relay.settled.find((result) => result.workId === workId && isEnd(result));
			await relay.until(() => workIds.every(endOf));
			return workIds.flatMap((workId) => endOf(workId) ?? []);
		},
		stop: () => server.stop(true),
	};
	const read = <T>(parsed: Parsed<T>): T | null => {
		if (!parsed.ok) relay.problems.push(parsed.reason);
		return parsed.ok ? parsed.value : null;
	};
	async function lease(body: unknown, signal: AbortSignal): Promise<object | null> {
		const asked = read(parseLeaseRequest(body));
		if (!asked) return null;
		relay.leases.push(asked);
		const known = answers.get(asked.requestId);
		if (known) return known;
		const wait = Math.min(asked.waitSeconds * 1000, 2000);
		if (!relay.superseded) await Promise.race([relay.until(() => waiting.length > 0), Bun.sleep(wait)]);
		// Whoever asked is gone: its work is for the next one.
		if (signal.aborted) return null;
		const budgets = { jitCalls: 180, ec2Calls: 50, onDemandOnly: relay.onDemandOnly, paused: false };
		const answer = { work: relay.superseded ? [] : waiting.splice(0, asked.max), budgets, superseded: relay.superseded };
		answers.set(asked.requestId, answer);
		return answer;
	}
	function settle(body: unknown): object | null {
		const asked = read(parseSettleRequest(body));
		if (!asked) return null;
		const known = asked.results.filter((result) => !relay.isStale(result));
		relay.settled.push(...known);
		const stale = asked.results.filter((result) => !known.includes(result)).map(({ workId }) => [workId, { reason: "told so" }]);
		return { settled: Object.fromEntries(known.map(({ workId }) => [workId, { state: "queued" }])), stale: Object.fromEntries(stale) };
	}
	function observe(body: unknown): object | null {
		const asked = read(parseObserveRequest(body));
		if (!asked) return null;
		relay.observed.push(asked);
		return { machines: relay.verdicts };
	}
	async function answer(request: Request): Promise<Response> {
		const { pathname } = new URL(request.url);
		if (request.headers.get("authorization") !== `Bearer ${token}`) return new Response("{}", { status: 401 });
		const body: unknown = await request.json();
		const result = pathname === "/lease" ? await lease(body, request.signal) : pathname === "/settle" ? settle(body) : observe(body);
		const fault = faults.find((it) => it.path === pathname && it.times-- > 0);
		if (fault) return new Response("{}", { status: fault.status });
		return result ? Response.json(result) : new Response("{}", { status: 400 });
	}
	const server = Bun.serve({
		...{ hostname: "127.0.0.1", port: 0, idleTimeout: 0 },
		async fetch(request) {
			const response = await answer(request);
			queueMicrotask(changed);
			return response;
		},
	});
	relay.url = server.url.origin;
	return relay;
}
