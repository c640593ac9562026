// What a session left undone does nothing once it is over: Lambda would let it go on with the next invocation.
import { describe, expect, test } from "bun:test";
import { createLife } from "../../poller/until-over.ts";

/** A port whose calls end when the test says so. */
function slowPort() {
	const begun: string[] = [];
	const ends: { answer(): void; fail(): void }[] = [];
	const call = (name: string) => {
		begun.push(name);
		const { promise, resolve, reject } = Promise.withResolvers<string>();
		ends.push({ answer: () => resolve(name), fail: () => reject(new Error(name)) });
		return promise;
	};
	return { begun, ends, port: { call } };
}

const settledWithin = async (promise: Promise<unknown>) =>
	Promise.race([promise.then(String, (error: unknown) => `throws ${String(error)}`), Bun.sleep(20).then(() => "nothing")]);

describe("the life of a session", () => {
	test("lets calls begin, answer and fail until it is over", async () => {
		const { ends, port } = slowPort();
		const { call } = createLife().of(port);
		const [first, second] = [call("a"), call("b")];
		ends[0]?.answer();
		ends[1]?.fail();
		expect([await settledWithin(first), await settledWithin(second)]).toEqual(["a", "throws Error: b"]);
	});

	test.each(["answer", "fail"] as const)("a call under way when it ends does not %s", async (how) => {
		const { ends, port } = slowPort();
		const life = createLife();
		const called = life.of(port).call("a");
		life.end();
		ends[0]?.[how]();
		expect(await settledWithin(called)).toBe("nothing");
	});

	test("a call under way does not go on after it with what it waited for, such as room for its next page", async () => {
		let pages = 0;
		const life = createLife();
		const { list } = life.of({
			async list(room: () => Promise<void>) {
				for (; pages < 2; pages++) await room();
			},
		});
		const room = Promise.withResolvers<void>();
		const listed = list(() => room.promise);
		life.end();
		room.resolve();
		expect(await settledWithin(listed)).toBe("nothing");
		expect(pages).toBe(0);
	});

	test("no call begins after it, on any of its ports", async () => {
		const [one, other] = [slowPort(), slowPort()];
		const life = createLife();
		const ports = [life.of(one.port), life.of(other.port)];
		life.end();
		expect(await Promise.all(ports.map((port) => settledWithin(port.call("late"))))).toEqual(["nothing", "nothing"]);
		expect([...one.begun, ...other.begun]).toEqual([]);
	});
});
