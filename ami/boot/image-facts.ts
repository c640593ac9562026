// What was written beside an image when it was built, as far as a boot needs it.
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import * as v from "valibot";
import { ImageProblem } from "../problem.ts";

const Manifest = v.object({
	sizeMiB: v.number(),
	rootStartMiB: v.number(),
	kind: v.string(),
	runner: v.nullable(v.object({ kind: v.string() })),
	kernel: v.object({ file: v.string(), cmdline: v.string() }),
});

export interface ImageFacts extends v.InferOutput<typeof Manifest> {
	file: string;
}

/** Throws if there is no image, it is not whole, or its runner would want GitHub itself. */
export async function readImage(path: string): Promise<ImageFacts> {
	const file = resolve(path);
	if (!existsSync(file)) throw new ImageProblem("image", `there is no ${file}: run bun run image build`);
	const text = await readFile(`${file}.json`, "utf8").catch((cause) => {
		throw new ImageProblem("image", `${file}.json, which is written beside an image, cannot be read`, { cause });
	});
	const read = v.safeParse(Manifest, JSON.parse(text));
	if (!read.success) throw new ImageProblem("image", `${file}.json is not what bun run image build writes`);
	const { size } = await stat(file);
	if (size !== read.output.sizeMiB * 2 ** 20)
		throw new ImageProblem("image", `${file} has ${size} bytes and not those of its ${file}.json`);
	if (read.output.kind !== "runner") throw new ImageProblem("image", `${file} is a ${read.output.kind}'s: jobs run on a runner's`);
	if (read.output.runner?.kind !== "stand-in")
		throw new ImageProblem("image", "its runner is GitHub's own, which nothing here can talk to");
	return { ...read.output, file, kernel: { ...read.output.kernel, file: `${file}.vmlinuz` } };
}
