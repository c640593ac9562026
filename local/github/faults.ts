// Faults a test asks for: answers instead of GitHub's own, delays, and what may happen to a webhook on its way. Holds what is left of each.

export interface RequestFault {
	/** Any method when absent. */
	method?: string;
	/** Tried against the path without its query; the runners' calls lie below `/_broker/`. */
	path: RegExp;
	status: number;
	/** How many requests it takes; default 1. */
	times?: number;
	headers?: Record<string, string>;
	message?: string;
	/** The effect happens and only the answer is lost. */
	after?: boolean;
}

export interface WebhookFault {
	/** `lose` and `fail` leave the receiver without it; only `fail` shows in the list of deliveries. `reorder` holds it until the job's next one went out. */
	kind: "lose" | "fail" | "duplicate" | "delay" | "reorder";
	/** Any when absent. */
	matches?: (delivery: { event: string; action: string; jobId: number; jobName: string }) => boolean;
	times?: number;
	/** For `delay`, milliseconds. */
	delayMs?: number;
}

export interface Faults {
	/** Added to every REST request, milliseconds. */
	latencyMs: number;
	request(fault: RequestFault): void;
	webhook(fault: WebhookFault): void;
	takeRequest(method: string, path: string): RequestFault | null;
	takeWebhook(delivery: Parameters<NonNullable<WebhookFault["matches"]>>[0]): WebhookFault | null;
	clear(): void;
}

function takeFrom<T extends { times?: number }>(waiting: T[], fits: (fault: T) => boolean): T | null {
	const at = waiting.findIndex(fits);
	const fault = waiting[at];
	if (!fault) return null;
	const left = (fault.times ?? 1) - 1;
	if (left > 0) waiting[at] = { ...fault, times: left };
	else waiting.splice(at, 1);
	return fault;
}

export function createFaults(): Faults {
	const requests: RequestFault[] = [];
	const webhooks: WebhookFault[] = [];
	return {
		latencyMs: 0,
		request: (fault) => void requests.push(fault),
		webhook: (fault) => void webhooks.push(fault),
		takeRequest: (method, path) => takeFrom(requests, (fault) => (!fault.method || fault.method === method) && fault.path.test(path)),
		takeWebhook: (delivery) => takeFrom(webhooks, (fault) => !fault.matches || fault.matches(delivery)),
		clear() {
			requests.length = 0;
			webhooks.length = 0;
		},
	};
}
