// Signed `workflow_job` deliveries as GitHub sends them: about 10 KB, one job each.
import { createHmac } from "node:crypto";
import examples from "@octokit/webhooks-examples";

export const SECRETS = {
	WEBHOOK_SECRET: "bench-webhook-secret-0123456789abcdef",
	POLLER_TOKEN: "bench-poller-token-0123456789abcdef01",
	OPERATOR_TOKEN: "bench-operator-token-0123456789abcdef",
	REPORT_KEY: "bench-report-key-0123456789abcdef0123",
};
const OWNER = "octo-org";
export const VARS = { ...SECRETS, OWNERS: OWNER };

const event = examples.find(({ name }) => name === "workflow_job");
const example = event?.examples.find((it) => "action" in it && it.action === "queued") as Record<string, unknown> | undefined;

/** The body of a delivery about a job; what `more` names stands in `workflow_job`. */
export function bodyOf(id: number, action: string, more: Record<string, unknown> = {}): string {
	const { workflow_job: job, repository, ...rest } = example as { workflow_job: object; repository: object };
	return JSON.stringify({
		...rest,
		action,
		workflow_job: { ...job, id, run_id: id, status: action, labels: ["mayfly=1/cpu=2"], ...more },
		repository: {
			...repository,
			full_name: `${OWNER}/repo`,
			owner: { ...("owner" in repository ? (repository.owner as object) : {}), login: OWNER },
		},
	});
}

export function headersOf(body: string, delivery: string): Record<string, string> {
	return {
		"content-type": "application/json",
		"x-github-event": "workflow_job",
		"x-github-delivery": delivery,
		"x-hub-signature-256": `sha256=${createHmac("sha256", SECRETS.WEBHOOK_SECRET).update(body).digest("hex")}`,
	};
}
