// What `runs-on` of a job asks for, leg by leg of its matrix: whether Mayfly would serve it. Pure.
import type { ResolvedFile } from "../../contract/config.ts";
import { type MachineRequest, resolveLabels } from "../../contract/label.ts";
import { ExpressionError } from "../../local/workflow/expression.ts";
import { toText } from "../../local/workflow/expression-values.ts";
import { whyNoMachine } from "./check-presets.ts";
import { isUncertain, type Leg, RUN_ID, SHARED, UNKNOWN, valueOfTemplate } from "./known.ts";
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
/** The id behind `mayfly=` and `runs-on=`. */
const ID = /((?:^|[/,])\s*(mayfly|runs-on)\s*=)([^/,]*)/gi;
const isOurs = (label: string) => /(^|[/,])\s*mayfly\s*=/i.test(label);
const isRunsOns = (label: string) => /(^|[/,])\s*runs-on\s*=/i.test(label);

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

/** Whether runs share the label: nothing in its id is the run's own. */
function isShared(label: string): boolean {
	const ids = [...label.matchAll(ID)].map(([, , , id = ""]) => id.trim());
	return ids.length > 0 && ids.every((id) => id !== "" && !id.includes(RUN_ID) && !id.includes(UNKNOWN));
}

/** The id's value chooses nothing, so it need not be known. */
const withKnownId = (label: string) =>
	label.replace(ID, (_, key: string, _name: string, id: string) => key + id.replaceAll(UNKNOWN, "1").replaceAll(SHARED, "1"));

export interface LabelCheck {
	findings: Finding[];
	/** The machines that Mayfly would give the job, one for each leg that it serves. */
	requests: MachineRequest[];
}

/** Without a config only what no config decides is checked. */
export function checkLabels(job: LintJob, runsOn: RunsOn, config: ResolvedFile | null): LabelCheck {
	const checks = job.legs.map((leg) => checkLeg(job, runsOn, leg, config));
	return { findings: checks.flatMap(({ findings }) => findings), requests: checks.flatMap(({ requests }) => requests) };
}

function checkLeg({ key }: LintJob, runsOn: RunsOn, leg: Leg, config: ResolvedFile | null): LabelCheck {
	const say = (severity: Severity, rule: Rule, message: string): LabelCheck => ({
		findings: [{ at: runsOn.at, severity, rule, message: `job ${key}: ${message}` }],
		requests: [],
	});
	try {
		const { labels, group } = askedBy(runsOn, leg);
		if (labels.length === 0 && group)
			return say("note", "label-unknown", "it asks for a runner group without labels: Mayfly launches for labels only");
		if (labels.length === 0 || labels.some((label) => label.trim() === "")) return say("error", "runs-on", "runs-on has an empty label");
		const shared = labels.filter((label) => (isOurs(label) || (isRunsOns(label) && config?.acceptRunsOnLabels)) && isShared(label));
		const sharing = shared.flatMap((label) => say("warning", "label-not-unique", sharedMessage(label)).findings);
		const known = labels.map(withKnownId);
		if (known.some(isUncertain)) {
			const note = say(
				"note",
				"label-unknown",
				`the labels of runs-on: ${written(runsOn)} are known only when the job runs: they are not checked`,
			);
			return { ...note, findings: [...sharing, ...note.findings] };
		}
		const check = config === null ? { findings: [], requests: [] } : judge(known, shown(labels), config, say);
		return { ...check, findings: [...sharing, ...check.findings] };
	} catch (error) {
		if (error instanceof ExpressionError) return say("error", "runs-on", error.message);
		throw error;
	}
}

const sharedMessage = (label: string) =>
	`the label ${shown([label])} is the same in other runs, which may then take each other's machines: put \${{ github.run_id }} behind the first =`;

function judge(
	labels: string[],
	text: string,
	config: ResolvedFile,
	say: (severity: Severity, rule: Rule, message: string) => LabelCheck,
): LabelCheck {
	const reading = resolveLabels(labels, config);
	if (reading.ok) {
		const reason = whyNoMachine(reading.request);
		const findings = reason === null ? [] : say("error", "label", `${text}: ${reason}`).findings;
		return { findings, requests: [reading.request] };
	}
	if (reading.ours) return say("error", "label", `${text}: ${reading.reason}`);
	// Of another stack, or a typing error.
	if (labels.some(isOurs) || (labels.some(isRunsOns) && config.acceptRunsOnLabels))
		return say("warning", "label-unserved", `${text}: ${reading.reason}`);
	if (labels.some(isRunsOns)) return say("warning", "runs-on-label", `${text}: ${reading.reason}`);
	if (labels.every((label) => HOSTED.test(label))) return { findings: [], requests: [] };
	return say("warning", "label-unserved", `no preset lists the labels ${text}: Mayfly launches nothing for them`);
}
