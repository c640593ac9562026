// One machine that opens all the connections it can: the others, the poller and the other zones' gateways go on as if it were not there.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { HEALTH_PATH, HEALTH_PORT, MOST_OF_ONE } from "../../egress/gateway.ts";
import { createChecks } from "./checks.ts";
import { type Lab, startLab } from "./lab.ts";
import { eventually, GOOD, LISTS, LONG } from "./scene.ts";

setDefaultTimeout(LONG);

let lab: Lab;
afterEach(() => lab.stop());

/** Opens so many connections, holds those that opened for some seconds, and says how many they are. They ask for nothing. */
const CROWD = `import select,socket,sys,time,resource
count,port,hold=map(int,sys.argv[1:4])
resource.setrlimit(resource.RLIMIT_NOFILE,(count+100,)*2)
waits=select.poll(); all={}
for _ in range(count):
  s=socket.socket(); s.setblocking(False); s.connect_ex(("${GOOD}",port)); all[s.fileno()]=s; waits.register(s,select.POLLOUT)
opened=0; end=time.time()+1.5
while all and time.time()<end:
  for fd,_ in waits.poll(200):
    opened+=all[fd].getsockopt(socket.SOL_SOCKET,socket.SO_ERROR)==0; waits.unregister(fd)
print(opened,flush=True); time.sleep(hold)`;
const crowd = (count: number, port: number) => lab.exec("run", "python3", "-c", CROWD, String(count), String(port), "2");
const health = () => lab.exec("gw", "curl", "-q", "-sS", "--fail", "--max-time", "1", `http://127.0.0.1:${HEALTH_PORT}${HEALTH_PATH}`);

describe("a machine that opens connections without end", () => {
	test.each(["enforce", "open"] as const)(
		`gets ${MOST_OF_ONE} of them from a gateway in mode %s, and each other one is cut`,
		async (mode) => {
			lab = await startLab(mode, LISTS);
			const { dropped, isCut } = createChecks(lab);
			const opened = crowd(MOST_OF_ONE + 300, 443);
			expect(await dropped("mayfly-egress", "many", "SRC=10.77.1.10", `DST=${GOOD}`, "DPT=443")).toContain("many IN=run0");
			await Bun.sleep(500);
			await isCut("run", "http://github.test/");
			if (mode === "enforce") expect((await lab.curl("dep", "http://ship.test/")).stdout.trim()).toBe(GOOD);
			expect(Number((await opened).stdout)).toBeLessThanOrEqual(MOST_OF_ONE);
			// What it closes it may open again.
			const again = () => lab.exec("run", "curl", "-q", "-sS", "-k", "--fail", "--max-time", "3", "http://github.test/");
			expect(await eventually(async () => ((await again()).stdout.trim() === GOOD ? true : undefined), 40, 200)).toBe(true);
		},
	);

	test("never keeps HAProxy from answering the other gateways, nor TLS from what port 80 has", async () => {
		lab = await startLab("enforce", LISTS, 40);
		for (const [port, open] of [
			[80, "https://github.test/"],
			[443, "http://github.test/"],
		] as const) {
			const filled = crowd(400, port);
			await Bun.sleep(1200);
			expect((await health()).status).toBe(0);
			expect((await lab.curl("run", open)).stdout.trim()).toBe(GOOD);
			await filled;
		}
		const both = [crowd(400, 80), crowd(400, 443)];
		await Bun.sleep(1200);
		expect((await health()).status).toBe(0);
		await Promise.all(both);
	});
});
