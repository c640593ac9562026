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
	const untilOver =
		(call: Call): Call =>
		async (...values) => {
			if (isOver) return never;
			try {
				const answer = await call(...values);
				return isOver ? never : answer;
			} catch (error) {
				if (isOver) return never;
				throw error;
			}
		};
	return {
		of: <T extends object>(port: T) => Object.fromEntries(Object.entries(port).map(([name, call]) => [name, untilOver(call as Call)])) as T,
		end() {
			isOver = true;
		},
	};
}
