// What `runs-on` of a job asks for, leg by leg of its matrix: whether Mayfly would serve it. Pure.
import type { ResolvedFile } from "../../contract/config.ts";
import { type MachineRequest, resolveLabels } from "../../contract/label.ts";
import { ExpressionError } from "../../local/workflow/expression.ts";
import { toText } from "../../local/workflow/expression-values.ts";
import { whyNoMachine } from "./check-presets.ts";
import { legsByChoice, valueOfTemplate } from "./choices.ts";
import { isUncertain, type Leg, RUN_ID } from "./known.ts";
import { isOurs, isRunsOns, isShared, whyMalformed, withKnownId } from "./label-form.ts";
import type { LintJob, RunsOn } from "./model.ts";
import type { Rule, Severity } from "./problem.ts";

export interface Finding {
	at: number;
	severity: Severity;
	rule: Rule;
	message: string;
}

/** GitHub's own runners, larger ones with their default names too (docs.github.com, "GitHub-hosted runners reference"). */
const HOSTED = /^(ubuntu|windows|macos)-(latest|slim|[0-9]{2,4}(\.[0-9]{2})?)(-[a-z0-9]+)*$/i;

const shown = (labels: readonly string[]) =>
	labels
		.join(", ")
		.replaceAll(RUN_ID, "${{ github.run_id }}")
		.replace(/[\uE000\uE001]/g, "…");
const written = ({ labels }: RunsOn) => (typeof labels === "string" ? labels : labels.join(", ")).slice(0, 200);

interface Asked {
	labels: string[];
	group: boolean;
}

/** The labels as GitHub would get them. Throws ExpressionError. */
function askedBy({ labels, group }: RunsOn, leg: Leg): Asked {
	const value = typeof labels === "string" ? valueOfTemplate(labels, leg) : labels.map((label) => valueOfTemplate(label, leg));
	return asked(value, group);
}

function asked(value: unknown, group: boolean): Asked {
	if (Array.isArray(value)) return { labels: value.flatMap((item) => (Array.isArray(item) ? item : [item])).map(toText), group };
	if (value === null || typeof value !== "object") return { labels: [toText(value)], group };
	const mapping = value as { group?: unknown; labels?: unknown };
	return asked(mapping.labels ?? [], group || mapping.group !== undefined);
}

export interface LabelCheck {
	findings: Finding[];
	/** The machines that Mayfly would give the job, one for each leg that it serves. */
	served: { request: MachineRequest; leg: Leg }[];
}

/** The same for all legs of a job. */
export interface JobCheck extends LabelCheck {
	/** How many legs there may be, with those that only one outcome of a choice has. */
	legs: number;
}

/** Without a config only what no config decides is checked. */
export function checkLabels(job: LintJob, runsOn: RunsOn, config: ResolvedFile | null): JobCheck {
	const legs = legsByChoice(job.legs, [runsOn.labels].flat());
	const checks = legs.map((leg) => checkLeg(job, runsOn, leg, config));
	return {
		...{ findings: checks.flatMap(({ findings }) => findings), served: checks.flatMap(({ served }) => served) },
		legs: legs.length,
	};
}

type Say = (severity: Severity, rule: Rule, message: string) => Finding;

function checkLeg({ key }: LintJob, runsOn: RunsOn, leg: Leg, config: ResolvedFile | null): LabelCheck {
	const say: Say = (severity, rule, message) => ({ at: runsOn.at, severity, rule, message: `job ${key}: ${message}` });
	const only = (...findings: Finding[]): LabelCheck => ({ findings, served: [] });
	try {
		const { labels, group } = askedBy(runsOn, leg);
		if (labels.length === 0 && group)
			return only(say("note", "label-unknown", "it asks for a runner group without labels: Mayfly launches for labels only"));
		const isEmpty = labels.length === 0 || labels.some((label) => label.trim() === "");
		const ours = labels.filter((label) => isOurs(label) || (isRunsOns(label) && config?.acceptRunsOnLabels));
		const sharing = ours.filter(isShared).map((label) => say("warning", "label-not-unique", sharedMessage(label)));
		const known = labels.map(withKnownId);
		const isKnown = !known.some(isUncertain);
		if (config !== null && isKnown && !isEmpty) {
			const { request, findings } = judge(known, shown(known), config, say);
			return { findings: [...sharing, ...findings], served: request === null ? [] : [{ request, leg }] };
		}
		const malformed = ours.map(withKnownId).flatMap((label) => {
			const reason = whyMalformed(label);
			return reason === null ? [] : [say("error", "label", `${shown([label])}: ${reason}`)];
		});
		if (isEmpty) return only(say("error", "runs-on", "runs-on has an empty label"), ...sharing, ...malformed);
		if (isKnown || malformed.length > 0) return only(...sharing, ...malformed);
		const message = `the labels of runs-on: ${written(runsOn)} are known only when the job runs: they are not checked`;
		return only(...sharing, say("note", "label-unknown", message));
	} catch (error) {
		if (error instanceof ExpressionError) return only(say("error", "runs-on", error.message));
		throw error;
	}
}

const sharedMessage = (label: string) =>
	`the label ${shown([label])} is the same in other runs, which may then take each other's machines: put \${{ github.run_id }} behind the first =`;

interface Judged {
	request: MachineRequest | null;
	findings: Finding[];
}

/** What the poller would make of labels that are known. */
function judge(labels: string[], text: string, config: ResolvedFile, say: Say): Judged {
	const refused = (...findings: Finding[]): Judged => ({ request: null, findings });
	const reading = resolveLabels(labels, config);
	if (reading.ok) {
		const reason = whyNoMachine(reading.request);
		return { request: reading.request, findings: reason === null ? [] : [say("error", "label", `${text}: ${reason}`)] };
	}
	if (reading.ours) return refused(say("error", "label", `${text}: ${reading.reason}`));
	// Of another stack, or a typing error.
	if (labels.some(isOurs) || (labels.some(isRunsOns) && config.acceptRunsOnLabels))
		return refused(say("warning", "label-unserved", `${text}: ${reading.reason}`));
	if (labels.some(isRunsOns)) return refused(say("warning", "runs-on-label", `${text}: ${reading.reason}`));
	if (labels.every((label) => HOSTED.test(label))) return refused();
	return refused(say("warning", "label-unserved", `no preset lists the labels ${text}: Mayfly launches nothing for them`));
}
