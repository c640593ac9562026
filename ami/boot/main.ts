export async function boot(_: unknown, __: boolean, ___: AbortSignal): Promise<number> {
	return 1;
}
