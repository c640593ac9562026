// Lists of GitHub that come in pages: which of them are asked for before there is room.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { type GitHub as StandIn, startGitHub } from "../../local/github.ts";
import { createGitHub } from "../../poller/github.ts";
import type { GitHub, RepositoryRef, Room } from "../../poller/ports.ts";
import { installationToken, job, registerRunner, workflow } from "../local/github-client.ts";

setDefaultTimeout(60_000);

let github: StandIn;
afterEach(() => github.stop());

const MANY = 210;
const NO_LIMITS = { perHour: 1e6, pointsPerMinute: 1e6 };

type List = (client: GitHub, at: RepositoryRef, runId: number, room: Room) => Promise<unknown[] | null>;

test.each<[what: string, path: RegExp, list: List]>([
	["jobs", /\/attempts\/1\/jobs\?/, (client, at, runId, room) => client.attemptJobs(at, runId, 1, room)],
	["runners", /\/actions\/runners\?/, (client, at, _, room) => client.runners({ ...at, endpoint: "org" }, room)],
	["deliveries", /\/app\/hook\/deliveries\?/, (client, _at, _run, room) => client.deliveriesSince(0, room)],
])(`${MANY} %s are three pages: the first by the call, the others only once there is room`, async (_, path, list) => {
	let pages = 0;
	github = await startGitHub({
		...{ webhookUrl: "http://127.0.0.1:9/webhook", limits: NO_LIMITS },
		onExchange(exchange) {
			if (exchange.method === "GET" && path.test(exchange.path)) pages += 1;
		},
	});
	const jobs = Array.from({ length: MANY }, (_, at) => job(`job${at}`));
	const { id } = github.createRun({ repository: "octo-org/octo-repo", workflow: workflow(...jobs) });
	const token = await installationToken(github);
	for (let made = 0; made < MANY; made++) await registerRunner(github, token, `runner-${made}`);
	while (github.deliveries().length < MANY) await Bun.sleep(5);
	const client = createGitHub({
		...{ apiUrl: github.url, appId: String(github.app.id), privateKey: github.app.privateKey },
		...{ now: Date.now, sleep: Bun.sleep, rateLeft: () => undefined },
	});
	const asked = Promise.withResolvers<void>();
	const room = Promise.withResolvers<void>();
	const at = { repository: "octo-org/octo-repo", installationId: github.world.accounts[0]?.installationId ?? 0 };
	const listed = list(client, at, id, () => {
		asked.resolve();
		return room.promise;
	});
	await asked.promise;
	expect(pages).toBe(1);
	room.resolve();
	expect(await listed).toHaveLength(MANY);
	expect(pages).toBe(3);
});
