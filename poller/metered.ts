// The same calls, counted: what was handed out and settled, and whatever failed, by its class. Decides nothing and changes no answer.
import type { Outcome } from "../contract/settle.ts";
import { Ec2Error } from "./ec2.ts";
import { classOfCode, failureOf } from "./ec2-errors.ts";
import { GitHubError } from "./github-error.ts";
import type { Ec2, FailureKind, GitHub, Mailbox, Metrics, Relay } from "./ports.ts";

/** What an error of EC2 or GitHub counts as; null for one of neither. Pure. */
export function kindOf(error: unknown): FailureKind | null {
	if (error instanceof Ec2Error) return `ec2-${classOfCode(error.code)}`;
	if (!(error instanceof GitHubError)) return null;
	if (error.retryAt !== null) return "github-limited";
	return error.retryable ? "github-failed" : "github-refused";
}

type Call = (...values: unknown[]) => Promise<unknown>;

/** Every call of a port; a failure is told and thrown on. */
function watched<T extends object>(port: T, failed: (error: unknown) => void): T {
	const told = (error: unknown) => {
		failed(error);
		throw error;
	};
	const watchedCall =
		(call: Call): Call =>
		(...values) =>
			call(...values).catch(told);
	const calls: Record<string, Call> = {};
	for (const [name, call] of Object.entries(port)) calls[name] = watchedCall(call as Call);
	return calls as T;
}

function meteredRelay(relay: Relay, metrics: Metrics): Relay {
	const port = watched(relay, () => metrics.failure("relay"));
	return {
		...port,
		async lease(request) {
			const answer = await port.lease(request);
			if (!answer.superseded) metrics.budgets(answer.budgets);
			for (const item of answer.work) if (item.kind === "launch") metrics.handedOut(item);
			return answer;
		},
		async settle(results) {
			const answer = await port.settle(results);
			for (const result of results) {
				const taken = answer.settled[result.workId];
				if (taken) count(result, taken.state, metrics);
			}
			return answer;
		},
	};
}

function count(result: Outcome, state: string | null, metrics: Metrics): void {
	metrics.settled(result);
	if (result.outcome === "launched") metrics.launched(result.market);
	if (result.outcome === "failed") metrics.failure("boot");
	if (state === "refused" && result.outcome === "refused" && result.ours !== false) metrics.failure("refused");
	if (state === "dead") metrics.failure("dead");
}

function meteredEc2(ec2: Ec2, metrics: Metrics): Ec2 {
	const port = watched(ec2, (error) => metrics.failure(kindOf(error) ?? "ec2-unknown"));
	return {
		...port,
		async createFleet(request) {
			const answer = await port.createFleet(request);
			const wanted = request.TargetCapacitySpecification?.TotalTargetCapacity ?? 0;
			if (answer.instanceIds.length < wanted) metrics.failure(`ec2-${failureOf(answer.errors).class}`);
			return answer;
		},
	};
}

export interface Outside {
	relay: Relay;
	github: GitHub;
	ec2: Ec2;
	mailbox: Mailbox;
}

/** The ports that count what goes over them. */
export function metered({ relay, github, ec2, mailbox }: Outside, metrics: Metrics): Outside {
	return {
		relay: meteredRelay(relay, metrics),
		github: watched(github, (error) => metrics.failure(kindOf(error) ?? "github-failed")),
		ec2: meteredEc2(ec2, metrics),
		mailbox: watched(mailbox, () => metrics.failure("mailbox")),
	};
}
