// What a launch that was put off is handed out with.
import { expect, test } from "bun:test";
import { DEFAULT_CLOCKS as clocks } from "../../relay/clocks.ts";
import { intent, leaseOf, reach } from "./ledger-under-test.ts";

test("a job that is put off until GitHub registers runners says so when it is handed out, until its next launch is decided", () => {
	const it = reach("queued");
	const lease = leaseOf(it, 1);
	it.settle({ ...lease, ...intent() });
	const put = { outcome: "later", notBefore: it.now(), class: "throttled", reason: "POST: 502", awaits: "registration" } as const;
	it.settle({ ...lease, ...put });
	expect(it.queue.job(1)).toMatchObject({ state: "queued", intent: null, failedBoots: 0, reason: "POST: 502" });
	const [item] = it.lease();
	expect(item).toMatchObject({ kind: "launch", intent: null, awaits: { what: "registration", reason: "POST: 502" } });
	it.settle({ workId: "launch-1", leaseId: item?.leaseId ?? "", ...intent() });
	it.wait(clocks.lease);
	expect(it.lease()).toMatchObject([{ kind: "launch", awaits: undefined }]);
});
