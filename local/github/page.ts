// Pages of a list as GitHub cuts them: `per_page` up to 100, `page` from 1, neighbours in the Link header. Pure.

export interface Page<T> {
	items: T[];
	headers: Record<string, string>;
}

function wholeNumber(text: string | null, fallback: number): number {
	const value = Number(text);
	return text !== null && Number.isInteger(value) && value > 0 ? value : fallback;
}

export function perPage(query: URLSearchParams): number {
	return Math.min(100, wholeNumber(query.get("per_page"), 30));
}

/** A Link header out of relation and changed parameter. */
export function linkHeader(url: string, links: Record<string, Record<string, string> | undefined>): Record<string, string> {
	const parts = Object.entries(links).flatMap(([relation, changes]) => {
		if (!changes) return [];
		const target = new URL(url);
		for (const [name, value] of Object.entries(changes)) target.searchParams.set(name, value);
		return `<${target}>; rel="${relation}"`;
	});
	return parts.length > 0 ? { link: parts.join(", ") } : {};
}

export function pageOf<T>(all: T[], query: URLSearchParams, url: string): Page<T> {
	const size = perPage(query);
	const page = wholeNumber(query.get("page"), 1);
	const last = Math.max(1, Math.ceil(all.length / size));
	const links = {
		...(page > 1 && { prev: { page: String(page - 1) } }),
		...(page < last && { next: { page: String(page + 1) }, last: { page: String(last) } }),
	};
	return { items: all.slice((page - 1) * size, page * size), headers: linkHeader(url, links) };
}
