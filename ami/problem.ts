// What stops a build or a boot: the part that failed and what to do about it. The one error type of ami/.

export class ImageProblem extends Error {
	override name = "ImageProblem";
	constructor(
		/** A step or a file of the image, as it is named in docs/image.md. */
		readonly part: string,
		detail: string,
		options?: ErrorOptions,
	) {
		super(`${part}: ${detail}`, options);
	}
}
