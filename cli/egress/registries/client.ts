// What a client says of where it gets packages from. Types only.
import type { Machine } from "./machine.ts";

export interface Named {
	/** As the client has it: a URL, or a host's name. */
	url: string;
	/** Which of its settings says so. */
	by: string;
}
export interface Answer {
	urls: Named[];
	/** What its settings do not say, in sentences for people. */
	notes: string[];
}
/** Null: the client is not installed. */
export type Client = (machine: Machine) => Promise<Answer | null>;
