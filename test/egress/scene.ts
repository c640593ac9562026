// What the tests of the egress lab have in common: its lists, its addresses, a way to wait.

/** By tier. */
export const LISTS = {
	build: ["github.test", "*.github.test", "rotate.test", "shared.test", "imds.test", "vpc.test", "loop.test", "six.test", "imds6.test"],
	deploy: ["ship.test"],
};
export const [GOOD, OTHER, EVIL, SHARED] = ["11.0.0.10", "11.0.0.11", "11.0.0.20", "11.0.0.30"];
export const LONG = 60_000;
export const PING = `import socket,struct
s=socket.socket(socket.AF_INET,socket.SOCK_RAW,socket.IPPROTO_ICMP); s.settimeout(1)
s.sendto(struct.pack("!BBHHH",8,0,0xf7fd,1,1),("${EVIL}",0))
while True:
  if s.recv(2048)[20]==0: print("answered"); break`;

/** Lines and hits are written by others: they are there a moment later. */
export async function eventually<T>(find: () => T | undefined | Promise<T | undefined>, tries = 100, pauseMs = 20): Promise<T> {
	for (let tried = 0; tried < tries; tried++) {
		const found = await find();
		if (found !== undefined) return found;
		await Bun.sleep(pauseMs);
	}
	throw new Error("it never came");
}
