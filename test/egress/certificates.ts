// The lab's own authority, and a certificate of its for each host.
import { execFileSync } from "node:child_process";

const NAMES = ["github.test", "api.github.test", "rotate.test", "evil.test", "shared.test", "tenant.test"];

/** `ca.crt`, and for each name a `.crt` and a `.key`. */
export function makeCertificates(folder: string): void {
	const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
	const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
	openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=lab");
	for (const name of NAMES) {
		openssl(
			"req",
			...key,
			"-keyout",
			`${name}.key`,
			"-out",
			`${name}.csr`,
			"-subj",
			`/CN=${name}`,
			"-addext",
			`subjectAltName=DNS:${name}`,
		);
		const sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy", "-days", "2"];
		openssl("x509", "-req", "-in", `${name}.csr`, ...sign, "-out", `${name}.crt`);
	}
}
