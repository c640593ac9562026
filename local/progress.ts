// Live progress of a local run: a block that is redrawn on a terminal, one plain line for each change elsewhere.

export interface ProgressJob {
	id: number;
	name: string;
	/** One word: queued, launching, booting, listening, running, or the conclusion. */
	stage: string;
	ended: boolean;
	/** When the stage began, epoch ms. */
	since: number;
	detail: string;
}

export interface Screen {
	write(text: string): void;
	isTTY: boolean;
	colour: boolean;
	columns: number;
	rows: number;
}

const COLOURS: Record<string, number> = { success: 32, failure: 31, cancelled: 33, skipped: 90, running: 36 };

function painted(screen: Screen, stage: string, text: string): string {
	const code = COLOURS[stage];
	return screen.colour && code !== undefined ? `\x1b[${code}m${text}\x1b[0m` : text;
}

/** The block for a terminal: what is under way first, then what ended last, as many lines as fit. */
export function progressBlock(jobs: ProgressJob[], now: number, screen: Screen): string[] {
	const shown = [...jobs.filter((job) => !job.ended), ...jobs.filter((job) => job.ended).toReversed()].slice(
		0,
		Math.max(3, screen.rows - 3),
	);
	const nameWidth = Math.min(32, Math.max(...jobs.map((job) => job.name.length), 3));
	const kept = new Set(shown.map((job) => job.id));
	const lines = jobs
		.filter((job) => kept.has(job.id))
		.map((job) => {
			const seconds = job.ended ? "" : `${((now - job.since) / 1000).toFixed(1)}s`;
			const plain = `${job.name.slice(0, nameWidth).padEnd(nameWidth)}  ${job.stage.padEnd(10)} ${seconds.padStart(7)}  ${job.detail}`;
			return painted(screen, job.stage, plain.slice(0, screen.columns - 1));
		});
	const ended = jobs.filter((job) => job.ended).length;
	return [...lines, `${ended} of ${jobs.length} jobs ended`];
}

/** Holds what was drawn last. `update` may be called as often as wanted; `close` leaves the last state on the screen. */
export function createProgress(screen: Screen): { update(jobs: ProgressJob[], now: number): void; close(): void } {
	const seen = new Map<number, string>();
	let drawn = 0;
	const redraw = (jobs: ProgressJob[], now: number) => {
		const block = progressBlock(jobs, now, screen);
		screen.write(`${drawn > 0 ? `\x1b[${drawn}A\x1b[J` : ""}${block.join("\n")}\n`);
		drawn = block.length;
	};
	const changes = (jobs: ProgressJob[]) => {
		for (const job of jobs) {
			const said = `${job.stage} ${job.detail}`;
			if (seen.get(job.id) === said) continue;
			seen.set(job.id, said);
			screen.write(`${job.name}: ${job.stage}${job.detail ? `, ${job.detail}` : ""}\n`);
		}
	};
	return {
		update: (jobs, now) => {
			if (jobs.length > 0) screen.isTTY ? redraw(jobs, now) : changes(jobs);
		},
		close: () => {
			drawn = 0;
		},
	};
}
