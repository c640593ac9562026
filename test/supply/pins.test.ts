// Comparing the images' pins: with a server that answers as GitHub's releases do, and with this machine's own archive.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { baseOf, readPolicy, sourcesOfOrigin } from "../../ami/pins/candidates.ts";
import { compared, isAfter, repinned } from "../../ami/pins/newer.ts";
import { readRelease } from "../../ami/pins/runner-release.ts";
import { readVersions, VERSIONS_FILE } from "../../ami/versions.ts";

const root = join(import.meta.dir, "..", "..");
const SHA = { x64: "a".repeat(64), arm64: "b".repeat(64) };

/** An answer of `GET /repos/actions/runner/releases/latest`, of what is read of it. */
function release(version: string, over: Record<string, unknown> = {}) {
	const assets = Object.entries(SHA).map(([architecture, sha]) => ({
		name: `actions-runner-linux-${architecture}-${version}.tar.gz`,
		digest: `sha256:${sha}`,
	}));
	const body = Object.entries(SHA)
		.map(([architecture, sha]) => `- file <!-- BEGIN SHA linux-${architecture} -->${sha}<!-- END SHA linux-${architecture} -->`)
		.join("\n");
	return { tag_name: `v${version}`, prerelease: false, draft: false, published_at: "2026-11-20T12:00:00Z", body, assets, ...over };
}

describe("a release of the runner", () => {
	test("is taken with the checksums on which notes and assets agree", () => {
		expect(readRelease(release("2.400.0"))).toEqual({ version: "2.400.0", publishedAt: "2026-11-20T12:00:00Z", sha256: SHA });
	});

	test.each<[what: string, over: Record<string, unknown>, says: string]>([
		["whose notes say another checksum", { body: release("1.0.0").body.replace(/a{64}/, "c".repeat(64)) }, "and its notes say"],
		["without checksums in its notes", { body: "better" }, "the notes of 2.400.0 have no checksum for linux-x64"],
		["without an asset", { assets: [] }, "has no asset actions-runner-linux-x64-2.400.0.tar.gz"],
		["whose assets have no digest", { assets: release("2.400.0").assets.map(({ name }) => ({ name, digest: null })) }, "with a digest"],
		["that is a pre-release", { prerelease: true }, "not released yet"],
		["with a tag of another form", { tag_name: "nightly" }, "is not a tag like"],
	])("%s is refused", (_, over, says) => {
		expect(() => readRelease(release("2.400.0", over))).toThrow(says);
	});
});

describe("a pin", () => {
	test.each([
		["2.6.12*", "2.8.5-1ubuntu3.2", "2.8.5*"],
		["7.88.*", "8.5.0-2ubuntu10", "8.5.*"],
		["1:9.2*", "1:9.6p1-3ubuntu13", "1:9.6p1*"],
		["30+*", "31+20240202-2ubuntu7", "31*"],
		["252.*", "255.4-1ubuntu8", "255.*"],
		["20.10.24*", "26.1.5+dfsg1-9", "26.1.5*"],
		["1.2.3-4", "1.2.3-5", "1.2.3-5"],
	])("%s becomes, for %s, %s", (pattern, version, expected) => {
		expect(repinned(pattern, version)).toBe(expected);
	});

	test("that was made anew admits the version that it was made for", () => {
		const number = fc.integer({ min: 0, max: 99 });
		const upstream = fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("."));
		const version = fc
			.tuple(fc.constantFrom("", "1:", "2:"), upstream, fc.constantFrom("", "-1", "-2ubuntu3", "+dfsg-1", "~rc1-1", "+deb12u2"))
			.map((parts) => parts.join(""));
		const pattern = fc.tuple(upstream, fc.constantFrom("*", ".*")).map((parts) => parts.join(""));
		fc.assert(
			fc.property(pattern, version, (before, newest) => {
				const pin = repinned(before, newest).replace(/\.?\*$/, "");
				expect(newest.startsWith(pin)).toBe(true);
			}),
		);
	});

	test("a runner's version is compared by its numbers", () => {
		expect([
			isAfter("2.400.0", "2.337.0"),
			isAfter("2.337.10", "2.337.9"),
			isAfter("2.337.0", "2.337.0"),
			isAfter("2.99.9", "2.337.0"),
		]).toEqual([true, true, false, false]);
	});
});

test("only what differs is newer, and an older runner than the pinned one is not taken", async () => {
	const versions = await readVersions(VERSIONS_FILE);
	const same = compared(versions, "debian", { ...readRelease(release("2.1.0")) }, {});
	expect(same).toEqual({ newer: [], versions });
	const { newer, versions: taken } = compared(versions, "debian", readRelease(release("9.0.0")), { "docker.io": "99.1.2+dfsg-1" });
	expect(newer.map(({ part }) => part).toSorted()).toEqual(["docker.io", "runner"]);
	expect(taken.runner).toEqual({ version: "9.0.0", sha256: SHA });
	expect(taken.bases.debian.packages["docker.io"]).toBe("99.1.2*");
	expect(taken.bases.ubuntu).toEqual(versions.bases.ubuntu);
});

describe("apt's answer", () => {
	/** Of GitHub's ubuntu-24.04: git is installed from an archive of others that is no source any more, and Docker's own archive is one. */
	const SOURCES = `Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 https://download.docker.com/linux/ubuntu noble/stable amd64 Packages
     release o=Docker,a=noble,l=Docker CE,c=stable,b=amd64
     origin download.docker.com
 100 mirror+file:/etc/apt/apt-mirrors.txt noble-backports/universe amd64 Packages
     release v=24.04,o=Ubuntu,a=noble-backports,n=noble,l=Ubuntu,c=universe,b=amd64
     origin azure.archive.ubuntu.com
 500 mirror+file:/etc/apt/apt-mirrors.txt noble-updates/main amd64 Packages
     release v=24.04,o=Ubuntu,a=noble-updates,n=noble,l=Ubuntu,c=main,b=amd64
     origin azure.archive.ubuntu.com
 500 mirror+file:/etc/apt/apt-mirrors.txt noble/main amd64 Packages
     release v=24.04,o=Ubuntu,a=noble,n=noble,l=Ubuntu,c=main,b=amd64
     origin azure.archive.ubuntu.com
Pinned packages:
`;
	const POLICY = `git:
  Installed: 1:2.52.0-0ppa1~ubuntu24.04.1
  Candidate: 1:2.52.0-0ppa1~ubuntu24.04.1
  Version table:
 *** 1:2.52.0-0ppa1~ubuntu24.04.1 100
        100 /var/lib/dpkg/status
     1:2.43.0-1ubuntu7.3 500
        500 mirror+file:/etc/apt/apt-mirrors.txt noble-updates/main amd64 Packages
     1:2.43.0-1ubuntu7 500
        500 mirror+file:/etc/apt/apt-mirrors.txt noble/main amd64 Packages
jq:
  Installed: 1.7.1-3ubuntu0.24.04.1
  Candidate: 1.7.1-3ubuntu0.24.04.1
  Version table:
     1.8.1-1 500
        500 https://download.docker.com/linux/ubuntu noble/stable amd64 Packages
     1.7.1-4~bpo24.04.1 100
        100 mirror+file:/etc/apt/apt-mirrors.txt noble-backports/universe amd64 Packages
 *** 1.7.1-3ubuntu0.24.04.1 500 (phased 20%)
        500 mirror+file:/etc/apt/apt-mirrors.txt noble-updates/main amd64 Packages
        100 /var/lib/dpkg/status
none:
  Installed: (none)
  Candidate: (none)
  Version table:
`;
	const sources = sourcesOfOrigin(SOURCES, "Ubuntu");

	test("is read by what the base's own archive has, not by what is installed, another's or a backport", () => {
		expect(readPolicy(POLICY, sources)).toEqual({ git: "1:2.43.0-1ubuntu7.3", jq: "1.7.1-3ubuntu0.24.04.1" });
	});

	test("proposes nothing for a package that only this machine has newer", async () => {
		const versions = await readVersions(VERSIONS_FILE);
		const { newer } = compared(versions, "ubuntu", readRelease(release("2.1.0")), readPolicy(POLICY, sources));
		expect(newer).toEqual([]);
	});

	test("names the sources of an origin", () => {
		expect([...sources]).toEqual([
			"mirror+file:/etc/apt/apt-mirrors.txt noble-backports/universe amd64 Packages",
			"mirror+file:/etc/apt/apt-mirrors.txt noble-updates/main amd64 Packages",
			"mirror+file:/etc/apt/apt-mirrors.txt noble/main amd64 Packages",
		]);
		expect(sourcesOfOrigin(SOURCES, "Debian").size).toBe(0);
	});

	test("to which base a machine is of is its os-release", () => {
		expect(baseOf('NAME="Debian"\nID=debian\nVERSION_CODENAME=bookworm\n')).toEqual({ name: "debian", suite: "bookworm" });
	});
});

describe("bun run image pins", () => {
	let folder: string;
	let server: ReturnType<typeof Bun.serve>;
	let answer: () => Response;
	let asked: [path: string, authorization: string | null][];
	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), "mayfly-pins-"));
		await writeFile(join(folder, "versions.json"), await readFile(VERSIONS_FILE));
		asked = [];
		server = Bun.serve({
			port: 0,
			hostname: "127.0.0.1",
			fetch(request) {
				asked.push([new URL(request.url).pathname, request.headers.get("authorization")]);
				return answer();
			},
		});
	});
	afterEach(async () => {
		await server.stop(true);
		await rm(folder, { recursive: true });
	});
	async function pins(...args: string[]) {
		const child = Bun.spawn([process.execPath, "ami/main.ts", "pins", "--versions", join(folder, "versions.json"), ...args], {
			...{ cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
			env: { PATH: process.env.PATH ?? "", GITHUB_API_URL: server.url.origin, GITHUB_TOKEN: "ghs_example" },
		});
		const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
		return { out, err, code };
	}

	test("tells what the archive has that the pins do not admit, which is nothing or newer, and no runner where the pinned one is the newest", async () => {
		const { runner, bases } = await readVersions(VERSIONS_FILE);
		answer = () => Response.json(release(runner.version));
		const { out, err, code } = await pins("--json");
		expect(err).toBe("");
		const { newer } = JSON.parse(out) as { newer: { part: string; pinned: string; newest: string }[] };
		expect(code).toBe(newer.length === 0 ? 0 : 1);
		const pinned = { ...bases.debian.packages, ...bases.debian.gateway };
		for (const { part, newest } of newer) expect(newest).not.toStartWith((pinned[part] ?? part).replace("*", ""));
		expect(asked).toEqual([["/repos/actions/runner/releases/latest", "Bearer ghs_example"]]);
		expect(await readFile(join(folder, "versions.json"), "utf8")).toBe(await readFile(VERSIONS_FILE, "utf8"));
	}, 60_000);

	test("tells of a newer runner, and takes it in only where it is told to", async () => {
		answer = () => Response.json(release("9.0.0"));
		const shown = await pins("--json");
		expect(shown.code).toBe(1);
		expect(JSON.parse(shown.out).newer).toMatchObject([{ part: "runner", newest: "9.0.0" }]);
		expect((await readVersions(join(folder, "versions.json"))).runner.version).not.toBe("9.0.0");
		const written = await pins("--write");
		expect(written.code).toBe(1);
		expect(written.out).toContain(`- linux-arm64: \`${SHA.arm64}\``);
		expect((await readVersions(join(folder, "versions.json"))).runner).toEqual({ version: "9.0.0", sha256: SHA });
	}, 60_000);

	test.each<[what: string, answer: () => Response, args: string[], says: string]>([
		["GitHub fails", () => new Response("no", { status: 502 }), [], "status 502"],
		["the checksums disagree", () => Response.json(release("9.0.0", { body: "" })), ["--write"], "have no checksum"],
		[
			"the base is not this machine's",
			() => Response.json(release("9.0.0")),
			["--base", "ubuntu"],
			"compare ubuntu on one of ubuntu noble",
		],
	])(
		"ends with 3 and changes nothing where %s",
		async (_, answers, args, says) => {
			answer = answers;
			const { err, code } = await pins(...args);
			expect([code, err.includes(says)]).toEqual([3, true]);
			expect(await readFile(join(folder, "versions.json"), "utf8")).toBe(await readFile(VERSIONS_FILE, "utf8"));
		},
		60_000,
	);
});
