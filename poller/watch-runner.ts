// Tells how long the images' runner will still be given jobs: once a session, beside it. What it cannot learn is a line of the log.
import type { Ports } from "./ports.ts";
import { daysLeft, firstNewer, machineImages, oldestRunner } from "./runner-age.ts";

/** What the image's builder writes on it: the version of the runner within. */
const RUNNER_TAG = "mayfly:runner";
/** Time to build, try and roll out an image. */
const WARN_DAYS = 9;

export async function watchRunner(ports: Ports): Promise<void> {
	const { config, ec2, github, log, metrics, now } = ports;
	const wanted = config.runner?.version ?? null;
	const images = machineImages(config);
	if (images.length === 0 && wanted === null) return;
	try {
		const found = images.length === 0 ? [] : await ec2.images(images);
		const baked = images.map((id) => found.find(({ imageId }) => imageId === id)?.tags[RUNNER_TAG] ?? null);
		const runnerVersion = oldestRunner(baked, wanted);
		if (runnerVersion === null) return log.info({ images }, "no image tells which runner it has");
		const newer = firstNewer(runnerVersion, await github.runnerReleases(config.owners));
		const days = daysLeft(newer, now());
		metrics.runnerDaysLeft(days);
		if (days < WARN_DAYS) log.warn({ runnerVersion, newer: newer?.version, daysLeft: days }, "GitHub soon gives the runner no more jobs");
	} catch (error) {
		log.warn({ error: String(error) }, "the runner's age is not known");
	}
}
