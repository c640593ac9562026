// Where a base's packages come from and how long a base is kept: this machine's apt, tar and debootstrap, with folders of their own.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BaseOptions, baseFile, isOfTheDay, layBase } from "../../ami/build/base.ts";
import { run, type Workshop } from "../../ami/build/command.ts";
import { commitTime } from "../../ami/build/epoch.ts";
import { findSources, firstMirror, sourcesAt, sourcesOf } from "../../ami/build/mirror.ts";
import { readVersions, VERSIONS_FILE } from "../../ami/versions.ts";

const HOUR = 60 * 60_000;
let shop: Workshop;
beforeEach(async () => {
	const folder = await mkdtemp(join(tmpdir(), "mayfly-base-"));
	shop = { folder, log: join(folder, "log"), signal: new AbortController().signal };
});
afterEach(() => rm(shop.folder, { recursive: true, force: true }));

describe("a base that is kept", () => {
	async function options(): Promise<BaseOptions> {
		const { debian } = (await readVersions(VERSIONS_FILE)).bases;
		const [cache, mirror] = [join(shop.folder, "cache"), "http://127.0.0.1:9/debian"];
		return { kind: "runner", name: "debian", base: debian, architecture: "x64", packages: { git: "*" }, mirror, cache };
	}
	/** One with a file in it, so old. */
	async function kept(ageMs: number): Promise<BaseOptions> {
		const made = await options();
		await mkdir(made.cache);
		await writeFile(join(shop.folder, "of-the-base"), "");
		const file = join(made.cache, await baseFile(made));
		await run("tar", ["tar", "-cf", file, "-C", shop.folder, "of-the-base"], shop);
		await utimes(file, new Date(), new Date(Date.now() - ageMs));
		return made;
	}
	const root = async () => {
		const folder = join(shop.folder, "root");
		await mkdir(folder);
		return folder;
	};

	test("is taken on the day it was made, and made anew afterwards", async () => {
		const young = await root();
		expect(await layBase(young, await kept(23 * HOUR), shop)).toBe(false);
		expect(existsSync(join(young, "of-the-base"))).toBe(true);
		await rm(join(shop.folder, "cache"), { recursive: true });
		await rm(young, { recursive: true });
		await expect(layBase(await root(), await kept(25 * HOUR), shop)).rejects.toThrow("127.0.0.1:9");
	}, 60_000);

	test("is not one of another mirror, architecture or package", async () => {
		const made = await options();
		const others = [{ mirror: null }, { mirror: "http://127.0.0.1:8/debian" }, { packages: {} }, { architecture: "arm64" as const }];
		const names = await Promise.all([{}, ...others].map((other) => baseFile({ ...made, ...other })));
		expect(new Set(names).size).toBe(names.length);
		expect(await baseFile({ ...made, cache: "elsewhere" })).toBe(names[0] as string);
	});

	test("of a clock that was wrong is not taken", () => {
		expect([isOfTheDay(10, 10), isOfTheDay(0, 24 * HOUR - 1), isOfTheDay(0, 24 * HOUR), isOfTheDay(11, 10)]).toEqual([
			...[true, true, false, false],
		]);
	});
});

describe("the mirror", () => {
	test("is the one that apt has for the suite, with its updates and its security fixes and nothing else", () => {
		const targets =
			"http://a/debian bookworm main Debian\nhttp://a/debian bookworm-updates main Debian\nhttp://b bookworm-security main Debian\nhttp://c other main Debian\n";
		expect(sourcesOf(targets, "debian", "bookworm")).toEqual({
			mirror: "http://a/debian",
			lines: ["deb http://a/debian bookworm main", "deb http://a/debian bookworm-updates main", "deb http://b bookworm-security main"],
		});
		expect(sourcesOf(targets, "ubuntu", "noble")).toBeNull();
	});

	test("is never an archive by somebody else, whatever suite that says", () => {
		const others = "http://a/prod noble main microsoft-ubuntu-noble-prod noble\nhttp://c noble main\nhttp://d noble main Debian\n";
		expect(sourcesOf(others, "ubuntu", "noble")).toBeNull();
		expect(sourcesOf(`${others}http://b/ubuntu noble main Ubuntu\n`, "ubuntu", "noble")?.lines).toEqual(["deb http://b/ubuntu noble main"]);
	});

	test.each([
		["debian", "bookworm", "http://m/debian", "http://m/debian-security", "main"],
		["debian", "bookworm", "https://s/archive/debian/20250520T000000Z/", "https://s/archive/debian-security/20250520T000000Z/", "main"],
		["ubuntu", "noble", "http://m/ubuntu", "http://m/ubuntu", "main universe"],
	] as const)("of %s %s at %s has its fixes at %s", (name, suite, mirror, security, components) => {
		expect(sourcesAt(mirror, name, suite)).toEqual({
			mirror,
			lines: [
				`deb ${mirror} ${suite} ${components}`,
				`deb ${mirror} ${suite}-updates ${components}`,
				`deb ${security} ${suite}-security ${components}`,
			],
		});
	});

	test("of Debian by whose address nobody knows where the security fixes are is refused", () => {
		expect(() => sourcesAt("http://debian.example/apt", "debian", "bookworm")).toThrow("has no /debian in it");
	});
});

describe("the sources of a machine like GitHub's, whose apt has a list of mirrors and an archive by somebody else", () => {
	async function sources(list: string) {
		const [file, lists, parts] = ["mirrors.txt", "lists", "parts"].map((name) => join(shop.folder, name)) as [string, string, string];
		await writeFile(file, list);
		for (const folder of [lists, join(lists, "partial"), parts]) await mkdir(folder);
		const archives = [
			[`mirror+file:${file}`, "noble", "Ubuntu"],
			[`mirror+file:${file}`, "noble-security", "Ubuntu"],
			["https://packages.microsoft.com/ubuntu/24.04/prod", "noble", "microsoft-ubuntu-noble-prod noble"],
		];
		await writeFile(
			join(shop.folder, "sources.list"),
			archives.map(([uri, suite]) => `deb [arch=amd64] ${uri} ${suite} main universe\n`).join(""),
		);
		for (const [uri = "", suite, origin] of archives) {
			const place = join(lists, `${uri.replace(/^(mirror\+file:|https:\/\/)/, "").replaceAll("/", "_")}_dists_${suite}`);
			await writeFile(`${place}_Release`, `Origin: ${origin}\nSuite: ${suite}\nArchitectures: amd64\nComponents: main universe\n`);
			const package_ = "Package: a\nVersion: 1\nArchitecture: amd64\nFilename: a.deb\nSize: 1\n\n";
			for (const component of ["main", "universe"]) await writeFile(`${place}_${component}_binary-amd64_Packages`, package_);
		}
		const settings = [
			`Dir::State::Lists=${lists}`,
			`Dir::Etc::sourcelist=${join(shop.folder, "sources.list")}`,
			`Dir::Etc::sourceparts=${parts}`,
		];
		const apt = [...settings, "APT::Architecture=amd64"].flatMap((setting) => ["-o", setting]);
		const { ubuntu } = (await readVersions(VERSIONS_FILE)).bases;
		return await findSources("ubuntu", ubuntu, null, shop, apt);
	}

	test("are the first mirror of the list, with the security fixes, and nothing of the other archive", async () => {
		const mirror = "http://azure.archive.ubuntu.com/ubuntu/";
		expect(await sources(`${mirror}\tpriority:1\nhttps://archive.ubuntu.com/ubuntu/\tpriority:2\n`)).toEqual({
			mirror,
			lines: [`deb ${mirror} noble main universe`, `deb ${mirror} noble-security main universe`],
		});
	});

	test("are none where the list has nothing that debootstrap could read", async () => {
		await expect(sources("file:/srv/ubuntu\n# http://a/ubuntu\n")).rejects.toThrow("mirrors.txt, apt's list of mirrors, names none");
	});

	test("need no priority in the list", () => {
		expect(firstMirror("# ours\n\nftp://a/\n  https://b/ubuntu\nhttp://c/\n")).toBe("https://b/ubuntu");
	});
});

test("the commit's time is known to root in a checkout that belongs to a user", async () => {
	const checkout = join(shop.folder, "checkout");
	const env = { GIT_COMMITTER_DATE: "@86400 +0000", GIT_AUTHOR_DATE: "@86400 +0000", HOME: shop.folder };
	const who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
	await run("git", ["git", "init", "-q", checkout], shop, { env });
	await run("git", ["git", "-C", checkout, ...who, "commit", "-q", "--allow-empty", "-m", "first"], shop, { env });
	await run("chown", ["chown", "-R", "65534:65534", checkout], shop);
	await expect(run("git", ["git", "-C", checkout, "log", "-1"], shop)).rejects.toThrow("dubious ownership");
	expect(await commitTime(checkout, shop)).toBe(86400);
});
