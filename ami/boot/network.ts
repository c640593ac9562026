// The network of a machine in QEMU: one link-local net in which each stand-in has an address of its own and nothing else can be reached. Pure.
// The machine's own address there is not the one that EC2's stand-in gave it: the mailbox knows it by its listener.

export interface StandIns {
	imds: string;
	mailbox: string;
	relay: string;
	github: string;
}

/** Where a machine reaches whom. IMDS has its own address; the others are behind a gateway that lets nothing else through. */
export const ADDRESSES: Record<keyof StandIns, string> = {
	imds: "169.254.169.254",
	mailbox: "169.254.169.5",
	relay: "169.254.169.6",
	github: "169.254.169.7",
};
export const URLS = { mailbox: `http://${ADDRESSES.mailbox}`, relay: `http://${ADDRESSES.relay}`, github: `http://${ADDRESSES.github}` };
const NET = "net=169.254.169.0/24,host=169.254.169.1,dns=169.254.169.253,dhcpstart=169.254.169.10,restrict=on";

/** QEMU's arguments for a card whose packets reach the stand-ins: each connection becomes one of a socat of its own. */
export function networkArguments(standIns: StandIns): string[] {
	const forwards = Object.entries(standIns).map(
		([name, url]) => `guestfwd=tcp:${ADDRESSES[name as keyof StandIns]}:80-cmd:socat - TCP:${new URL(url).host}`,
	);
	return ["-netdev", ["user", "id=n0", NET, ...forwards].join(","), "-device", "virtio-net-pci,netdev=n0,romfile="];
}
