// The bounds of what must hold.
import { MINUTE } from "./sessions.ts";

export const BOUNDS = {
	/** Once faults have stopped, a job that GitHub shows queued runs, has a machine on its way or a reason within this. */
	path: 30 * MINUTE,
	/** A machine that was launched so long ago and runs nothing will not: its boot limit, and what it may wait for a job. */
	boot: 15 * MINUTE,
	/** A launch under way has brought a machine by then. */
	launch: 10 * MINUTE,
	/** A run of which EC2 took a spot machine is run again within this, counted from its end and from when the faults stopped. */
	rerun: 15 * MINUTE,
	/** Machines alive beyond the open jobs: those that end, replacements, and of one lease (100 items) those that a dying poller left behind and whose jobs other machines took. */
	spare: 100,
	/** Machines beyond a cap that have not done their job: their launches were under way when other machines took their jobs. */
	over: 50,
	/** Jobs beyond a cap that the ledger has granted machines: those that took one without waiting for their turn. */
	granted: 5,
	/** No machine lives longer than its boot limit, its longest job and what the sweep takes. */
	life: 7 * 60 * MINUTE,
};

/** The bounds for people. */
export const BOUND_LINE = `bounds: a path to a machine or a reason within ${BOUNDS.path / MINUTE} min after the faults, a rerun within ${BOUNDS.rerun / MINUTE}, at most ${BOUNDS.spare} machines beyond the open jobs and ${BOUNDS.over} beyond an owner's or a repository's cap, no machine older than ${BOUNDS.life / (60 * MINUTE)} h, 900 points of GitHub's a minute, EC2's 50 changes and 5 a second`;
