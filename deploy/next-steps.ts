// What to do after a deployment. Pure.

/** After the first one nothing runs yet that GitHub knows of; after a later one there is only to see that it holds. */
export function nextSteps(stack: string, region: string, isNew: boolean): string[] {
	const watch = `aws logs tail /mayfly/${stack}/poller --region ${region} --since 5m --follow`;
	if (!isNew) return [`see that the poller goes on: ${watch}`];
	return [
		`see the poller begin, within two minutes: ${watch}`,
		"see that machines find their boot documents: the probe of docs/deploy.md",
		"run a first job: `runs-on: mayfly=${{ github.run_id }}/runner=<a preset of mayfly.yml>`",
	];
}
