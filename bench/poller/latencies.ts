// What the world around the poller takes in the bench, and the time that no poller can be faster than. Pure.

/** Milliseconds that each call is made to take (measured at real ones by others: docs/benchmarks.md). */
export const LATENCIES = { github: 150, createFleet: 1500, aws: 20 };

/** The calls between a webhook and its boot document, each of which needs the answer before it. */
export const LEGS: [what: string, ms: number][] = [
	["GitHub: the run, and its jobs beside it", LATENCIES.github],
	["EC2: CreateFleet", LATENCIES.createFleet],
	["EC2: DescribeInstances, for the address", LATENCIES.aws],
	["GitHub: the runner's registration", LATENCIES.github],
	["S3: the boot document", LATENCIES.aws],
];

export const FLOOR_MS = LEGS.reduce((sum, [, ms]) => sum + ms, 0);
