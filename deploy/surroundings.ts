/** What a deployment has around it: a terminal, a clock and a person. */
export interface Surroundings {
	out: (text: string) => void;
	err: (text: string) => void;
	/** Whether `out` shows colours. */
	colour: boolean;
	/** Null: nobody is there to be asked. */
	ask: ((question: string) => Promise<string>) | null;
	defaultRegion: string | undefined;
	/** Folder of this checkout. */
	checkout: string;
	/** Ends when the person does. */
	signal: AbortSignal;
	now: () => number;
	sleep: (ms: number) => Promise<void>;
}
