// DescribeImages: the images of the launch templates, with the tags they were given (EC2 API Reference). Pure.
import { OWNER_ID } from "./describe.ts";
import type { Account } from "./fleet-request.ts";
import { listAt, type Node, textAt, textsAt } from "./parameters.ts";
import { Ec2Refusal, invalid } from "./refusal.ts";
import type { XmlValue } from "./xml.ts";

export const IMAGE_PARAMETERS = ["ImageId.#", "Filter.#.Name", "Filter.#.Value.#", "IncludeDeprecated"];

interface Image {
	id: string;
	architecture: string;
	tags: [string, string][];
}

function imagesOf({ launchTemplates, imageTags = {} }: Account): Image[] {
	const byId = new Map(launchTemplates.map(({ imageId, architecture }) => [imageId, architecture]));
	return [...byId].map(([id, architecture]) => ({ id, architecture, tags: Object.entries(imageTags[id] ?? {}) }));
}

function fieldOf(name: string): (image: Image) => string[] {
	if (name === "image-id") return ({ id }) => [id];
	if (name === "architecture") return ({ architecture }) => [architecture];
	if (name.startsWith("tag:")) return ({ tags }) => tags.flatMap(([key, value]) => (`tag:${key}` === name ? [value] : []));
	throw invalid(`The filter '${name}' is invalid`);
}

function readFilter(node: Node): (image: Image) => boolean {
	const [field, values] = [fieldOf(textAt(node, "Name") ?? ""), textsAt(node, "Value")];
	if (values.length === 0) throw invalid("The filter 'null' is invalid");
	return (image) => field(image).some((value) => values.includes(value));
}

/** One unknown id refuses the call; a filter that none of the images meets does not. */
function named(ids: string[], images: Image[]): Image[] {
	const malformed = ids.find((id) => !/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
	if (malformed !== undefined) throw new Ec2Refusal("InvalidAMIID.Malformed", `Invalid id: "${malformed}"`);
	const unknown = ids.filter((id) => !images.some((image) => image.id === id));
	if (unknown.length > 0) throw new Ec2Refusal("InvalidAMIID.NotFound", `The image id '[${unknown.join(", ")}]' does not exist`);
	return ids.length === 0 ? images : images.filter(({ id }) => ids.includes(id));
}

function imageElement({ id, architecture, tags }: Image): XmlValue {
	return {
		...{ imageId: id, imageLocation: `${OWNER_ID}/${id}`, imageState: "available", imageOwnerId: OWNER_ID, isPublic: false },
		...{ architecture, imageType: "machine", name: id, rootDeviceType: "ebs", rootDeviceName: "/dev/sda1" },
		...{ virtualizationType: "hvm", hypervisor: "xen", tagSet: tags.map(([key, value]) => ({ key, value })) },
	};
}

export function imagesElement(call: Node, account: Account): XmlValue & object {
	const filters = listAt(call, "Filter").map(readFilter);
	const found = named(textsAt(call, "ImageId"), imagesOf(account)).filter((image) => filters.every((filter) => filter(image)));
	return { imagesSet: found.map(imageElement) };
}
