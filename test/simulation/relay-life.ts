// One life of the relay's object. After its end nothing of it goes on: no call is answered, no timer fires, and the rows are the next one's, as
// Cloudflare runs one instance of an object at a time and takes no more writes of one that it has replaced.
import { RelayError } from "../../poller/relay.ts";
import type { QueueService, Surface } from "../../relay/queue-service.ts";
import type { Clock } from "./clock.ts";

export interface RelayLife {
	/** A call of it; rejects with a RelayError when it ends first, and gives `lost` instead where that is given. */
	asked<T>(effect: (queue: QueueService) => T | Promise<T>, lost?: T): Promise<T>;
	/** For calls that are answered at once. */
	queue: QueueService;
	end(): void;
}

const ENDED = Symbol("ended");

export function beginLife(clock: Clock, open: (timer: Surface["timer"]) => QueueService): RelayLife {
	const ended = Promise.withResolvers<typeof ENDED>();
	let isOver = false;
	const queue = open((ms, call) => clock.after(ms, () => void (isOver || call())));
	return {
		queue,
		async asked(effect, lost) {
			const result = await Promise.race([effect(queue), ended.promise]);
			if (result !== ENDED) return result;
			if (lost !== undefined) return lost;
			throw new RelayError("the relay", null, "the answer was lost");
		},
		end() {
			isOver = true;
			ended.resolve(ENDED);
		},
	};
}
