// What a session asked for and did not wait for must not go on after it. Lambda freezes a process that has answered, and lets it go on
// with the next invocation: what was left would then act on leases that have long been another session's
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, "Invoke phase").

export interface Life {
	/** The same port: its calls neither begin nor answer once the life is over. What waits for them waits for good, as if the process had ended. */
	of<T extends object>(port: T): T;
	end(): void;
}

export function createLife(): Life {
	let isOver = false;
	const never = new Promise<never>(() => undefined);
	type Call = (...values: unknown[]) => Promise<unknown>;
	const answered = (answer: unknown) => (isOver ? never : answer);
	const failed = (error: unknown) => {
		if (isOver) return never;
		throw error;
	};
	const untilOver =
		(call: Call): Call =>
		(...values) =>
			isOver ? never : call(...values.map(lasting)).then(answered, failed);
	/** What a call waits for in its midst, such as room for its next page. */
	const lasting = (value: unknown) => (typeof value === "function" ? untilOver(value as Call) : value);
	return {
		of<T extends object>(port: T): T {
			const calls: Record<string, Call> = {};
			for (const [name, call] of Object.entries(port)) calls[name] = untilOver(call as Call);
			return calls as T;
		},
		end() {
			isOver = true;
		},
	};
}
