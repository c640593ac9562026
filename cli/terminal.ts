/** Where a command writes to, and where it was started. */
export interface Terminal {
	out: (text: string) => void;
	err: (text: string) => void;
	/** Whether `out` shows colours. */
	colour: boolean;
	/** The environment and the folder that the command was started with, for what it starts itself. */
	env: Record<string, string | undefined>;
	folder: string;
}
