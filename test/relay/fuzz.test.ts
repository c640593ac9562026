// Messages that are wrong in every way that dice come up with, through the relay's front door: each gets an answer that says what is wrong,
// and none gets further than it should. The seed is that of every property test (test/seed.ts).
import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import examples from "@octokit/webhooks-examples/api.github.com/index.json";
import { createDice, type Dice, seedOfRun } from "../dice.ts";
import { broken, damaged, misspelt } from "./fuzz/damage.ts";
import { frontDoor } from "./fuzz/front.ts";
import { payloadOf, reportToken, SECRETS } from "./relay-under-test.ts";

const golden = join(import.meta.dir, "..", "contract", "golden");

function goldenOf(name: string): unknown[] {
	const files = readdirSync(golden).filter((file) => file.startsWith(`${name}.`));
	return files.map((file) => JSON.parse(readFileSync(join(golden, file), "utf8")));
}

const events = examples.find(({ name }) => name === "workflow_job")?.examples ?? [];
const reports = goldenOf("report") as { instanceId: string }[];
const MESSAGES: Record<string, unknown[]> = {
	// Small ones far more often than GitHub's own of 10 KB, which say the same.
	"/webhook": [...["queued", "waiting", "in_progress", "completed"].flatMap((action) => Array(6).fill(payloadOf(7, action))), ...events],
	"/lease": goldenOf("lease-request"),
	"/settle": goldenOf("settle-request"),
	"/observe": goldenOf("observe-request"),
	"/report": reports,
	"/switches": goldenOf("switch-change"),
};
/** What DESIGN 3 lets each call answer. */
const ANSWERS: Record<string, number[]> = {
	"/webhook": [202, 400, 401, 413, 415, 503],
	"/lease": [200, 400, 413, 415],
	"/settle": [200, 400, 413, 415],
	"/observe": [200, 400, 413, 415],
	"/report": [204, 400, 401, 413, 415],
	"/switches": [200, 400, 413, 415],
};
const HEADERS = [
	"",
	"\t",
	"x".repeat(300),
	"workflow_job",
	"application/json;charset=latin1",
	"text/plain",
	"__proto__",
	"ping",
	"gzip",
	"\u00ff",
];

function bytesOf(message: unknown, dice: Dice): Uint8Array<ArrayBuffer> {
	const kind = dice.below(20);
	const text = JSON.stringify(kind < 12 ? damaged(message, dice) : message);
	const bytes = new TextEncoder().encode(kind >= 12 && kind < 16 ? misspelt(text, dice) : text);
	return kind >= 16 ? broken(bytes, dice) : bytes;
}

function headersOf(path: string, bytes: Uint8Array, dice: Dice, at: number): Record<string, string> {
	const caller: Record<string, string> = {
		"/webhook": "",
		"/report": reportToken(reports[0]?.instanceId ?? ""),
		"/switches": SECRETS.OPERATOR_TOKEN,
	};
	const token = caller[path] ?? SECRETS.POLLER_TOKEN;
	const headers: Record<string, string> = {
		"content-type": "application/json",
		...(path === "/webhook"
			? { "x-github-event": "workflow_job", "x-github-delivery": `fuzz-${at}` }
			: { authorization: `Bearer ${token}` }),
		...(dice.chance(0.5) ? { "content-length": String(bytes.length) } : {}),
	};
	const named = ["content-type", "x-github-event", "x-github-delivery", "content-encoding"];
	if (path === "/webhook" && dice.chance(0.02)) headers[dice.pick(named) ?? ""] = dice.pick(HEADERS) ?? "";
	if (path === "/webhook")
		headers["x-hub-signature-256"] = `sha256=${createHmac("sha256", SECRETS.WEBHOOK_SECRET).update(bytes).digest("hex")}`;
	return headers;
}

/** Sends so many messages to a path and asserts of each answer what must hold of all. */
async function fuzz(path: string, count: number, dice: Dice): Promise<Map<number, number>> {
	const statuses = new Map<number, number>();
	const messages = MESSAGES[path] ?? [];
	let door = frontDoor();
	for (let at = 0; at < count; at++) {
		const bytes = bytesOf(dice.pick(messages), dice);
		const said = await door.app.request(path, { method: "POST", body: bytes, headers: headersOf(path, bytes, dice, at) });
		const text = await said.text();
		statuses.set(said.status, (statuses.get(said.status) ?? 0) + 1);
		const isFine = ANSWERS[path]?.includes(said.status) && (said.status < 400 || isRefusal(text)) && !leaks(text);
		if (!isFine)
			throw new Error(`${path} number ${at}: ${said.status} ${text.slice(0, 500)} for ${new TextDecoder().decode(bytes).slice(0, 2000)}`);
		if (at % 5000 !== 4999) continue;
		assertSound(door);
		door.close();
		door = frontDoor();
	}
	assertSound(door);
	door.close();
	return statuses;
}

function isRefusal(text: string): boolean {
	const { error, reason } = JSON.parse(text) as Record<string, unknown>;
	return typeof error === "string" && typeof reason === "string" && reason.length > 0 && reason.length < 500;
}

function leaks(text: string): boolean {
	return Object.values(SECRETS).some((secret) => text.includes(secret));
}

function assertSound(door: ReturnType<typeof frontDoor>): void {
	expect(door.unsound()).toEqual([]);
	expect(door.log.filter(({ at }) => at === "error")).toEqual([]);
	expect(door.log.some((record) => leaks(JSON.stringify(record)))).toBeFalse();
	expect(Object.keys(Object.prototype)).toEqual([]);
	expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}

const COUNTS: Record<string, number> = {
	"/webhook": 60_000,
	"/lease": 8000,
	"/settle": 16_000,
	"/observe": 8000,
	"/report": 8000,
	"/switches": 2000,
};

test("100,000 damaged messages are each answered as documented, with a reason, and leave no trace that is not a sound job", async () => {
	const seed = seedOfRun();
	process.stderr.write(`fuzz: seed ${seed}\n`);
	const dice = createDice(seed);
	// What is made once is there before memory is looked at.
	await fuzz("/webhook", 5000, dice);
	Bun.gc(true);
	const before = process.memoryUsage().heapUsed;
	let sent = 0;
	for (const [path, count] of Object.entries(COUNTS)) {
		const statuses = await fuzz(path, count, dice);
		const counted = [...statuses.values()].reduce((sum, it) => sum + it, 0);
		sent += counted;
		// Dice that only hit walls, or none, would prove little.
		const refused = [...statuses].reduce((sum, [status, it]) => sum + (status >= 400 ? it : 0), 0);
		expect([path, refused > counted * 0.2, refused < counted * 0.97]).toEqual([path, true, true]);
	}
	expect(sent).toBeGreaterThanOrEqual(100_000);
	Bun.gc(true);
	expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
}, 300_000);
