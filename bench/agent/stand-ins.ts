// What a machine finds when it boots, as small as it can be: IMDS, the mailbox with a boot document, a relay that takes every report. Each
// notes when it was asked and when it had answered.
import type { BootDocument } from "../../contract/boot.ts";
import { keepTrack } from "../running.ts";

const INSTANCE = "i-0abcdef1234567890";
const PRIVATE_IP = "10.0.17.9";
const IDENTITY = JSON.stringify({
	...{ instanceId: INSTANCE, privateIp: PRIVATE_IP, region: "eu-west-1", availabilityZone: "eu-west-1b" },
	...{ instanceType: "m8g.xlarge", imageId: "ami-0a1b2c3d4e5f60002" },
});
const base64 = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64");

export interface StandIns {
	imdsUrl: string;
	mailboxUrl: string;
	/** `performance.now()` of the first request to IMDS and of the boot document's answer since `forget`; NaN if there was none. */
	moments: { asked: number; answered: number };
	/** Phases that were reported. */
	phases: string[];
	forget(): void;
	stop(): Promise<void>;
}

function documentText(url: string): string {
	const now = Date.now();
	const hour = 3_600_000;
	const name = `mayfly-${INSTANCE}-1`;
	const document: BootDocument = {
		...{ version: 1, instanceId: INSTANCE, jobId: 42, runnerName: name, runner: null, sshKeys: [] },
		jitConfig: base64({ ".runner": base64({ AgentId: 1, AgentName: name, Ephemeral: true }), ".credentials": base64({}) }),
		report: { url: `${url}/report`, token: `${INSTANCE}.2000000000.${"0f".repeat(32)}` },
		recordUrl: `${url}/records/${PRIVATE_IP}/${INSTANCE}.json`,
		grant: {
			...{ tier: "build", jobId: 42, runId: 7, repository: "octo-org/octo-repo", repositoryId: null },
			...{ rule: { forks: true }, oidc: null, notAfter: now + hour },
		},
		limits: { idle: hour, maxJob: hour, deadline: now + hour, hold: 0, linger: 0 },
		timestamps: { queuedAt: now, receivedAt: now, leasedAt: now, launchedAt: now },
		machine: { type: "m8g.xlarge", zone: "eu-west-1b", market: "on-demand", image: "ubuntu24-arm64" },
	};
	return JSON.stringify(document);
}

export async function startStandIns(): Promise<StandIns> {
	const moments = { asked: Number.NaN, answered: Number.NaN };
	const phases: string[] = [];
	let document = "";
	const answers: Record<string, () => string | Promise<string>> = {
		"PUT /latest/api/token": () => "token",
		"GET /latest/dynamic/instance-identity/document": () => IDENTITY,
		"GET /latest/meta-data/instance-life-cycle": () => "on-demand",
		[`GET /boot/${PRIVATE_IP}/${INSTANCE}`]: () => {
			moments.answered = performance.now();
			return document;
		},
		[`DELETE /boot/${PRIVATE_IP}/${INSTANCE}`]: () => "",
	};
	const server = Bun.serve({
		...{ hostname: "127.0.0.1", port: 0 },
		async fetch(request) {
			const now = performance.now();
			const { pathname } = new URL(request.url);
			if (pathname.startsWith("/latest/") && Number.isNaN(moments.asked)) moments.asked = now;
			if (pathname === "/report") phases.push(((await request.json()) as { phase: string }).phase);
			if (pathname === "/report" || pathname.startsWith("/records/")) return new Response(null, { status: 204 });
			const answer = answers[`${request.method} ${pathname}`];
			return answer ? new Response(await answer()) : new Response("", { status: 404 });
		},
	});
	document = documentText(server.url.origin);
	const url = server.url.origin;
	const forget = () => {
		Object.assign(moments, { asked: Number.NaN, answered: Number.NaN });
		phases.splice(0);
	};
	return keepTrack({ imdsUrl: url, mailboxUrl: url, moments, phases, forget, stop: () => server.stop(true) });
}
