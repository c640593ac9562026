// Looks over many repositories, of which one may be gone or taken from the App: what it refuses for good is its own trouble.
import { ValiError } from "valibot";
import { GitHubError } from "./github-error.ts";
import type { Ports } from "./ports.ts";

/**
 * What came of it, or what is said otherwise where that repository refuses, or answers what nobody can read. What may pass, such as a limit,
 * is everybody's and thrown.
 */
export async function alone<T>({ log }: Pick<Ports, "log">, repository: string, work: () => Promise<T>, otherwise: T): Promise<T> {
	try {
		return await work();
	} catch (error) {
		const isItsOwn = error instanceof GitHubError ? !error.retryable : error instanceof ValiError;
		if (!isItsOwn) throw error;
		log.warn({ repository, error: String(error) }, "a repository is not looked at");
		return otherwise;
	}
}
