// The first bytes of a TLS client, with a name of any length: what no TLS library would send (RFC 8446, 4.1.2; RFC 6066, 3).

const sized = (bytes: number, body: Buffer) => {
	const size = Buffer.alloc(bytes);
	size.writeUIntBE(body.length, 0, bytes);
	return Buffer.concat([size, body]);
};

/** One record with one ClientHello. */
export function clientHello(name: string): Buffer {
	const list = sized(2, Buffer.concat([Buffer.from([0]), sized(2, Buffer.from(name))]));
	const extensions = sized(2, Buffer.concat([Buffer.from([0, 0]), sized(2, list)]));
	const [random, session, ciphers, compression] = [
		Buffer.alloc(32, 7),
		sized(1, Buffer.alloc(0)),
		Buffer.from([0, 2, 0x13, 1]),
		Buffer.from([1, 0]),
	];
	const body = Buffer.concat([Buffer.from([3, 3]), random, session, ciphers, compression, extensions]);
	const handshake = Buffer.concat([Buffer.from([1]), sized(3, body)]);
	return Buffer.concat([Buffer.from([0x16, 3, 1]), sized(2, handshake)]);
}
