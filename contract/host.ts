// One entry of an allowlist: a host's name, or `*.` and a domain for every name below it. Pure.

export interface Host {
	/** In lower case, without `*.`. */
	name: string;
	/** Every name below it, but not itself. */
	below: boolean;
}
export type HostReading = { ok: true; host: Host } | { ok: false; reason: string };

/** RFC 1123: letters, digits and hyphens, 63 a label, 253 in all; names that a resolver would complete are none. */
const NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Domains below which, at any depth, anybody can have a name: a list that admits all of them admits an attacker's. Single names are fine.
 * A domain of one label (`*.com`) is one as well. egress/mayfly-file.ts has the Public Suffix List beside it, and what is above its domains.
 */
const ANYBODYS = [
	...["amazonaws.com", "amazonaws.com.cn", "aws.dev", "cloudfront.net", "awsapprunner.com", "elasticbeanstalk.com", "on.aws"],
	...["windows.net", "azure.com", "azure.net", "azurewebsites.net", "azureedge.net", "azurefd.net", "cloudapp.net", "trafficmanager.net"],
	...["chinacloudapi.cn", "usgovcloudapi.net"],
	...["googleapis.com", "appspot.com", "run.app", "cloudfunctions.net", "web.app", "firebaseapp.com", "googleusercontent.com"],
	...["github.io", "githubpreview.dev", "app.github.dev", "gitlab.io", "workers.dev", "pages.dev", "r2.dev"],
	...["fastly.net", "fastlylb.net", "akamaized.net", "akamaihd.net", "edgesuite.net", "edgekey.net", "b-cdn.net", "cdn77.org"],
	...["vercel.app", "netlify.app", "herokuapp.com", "fly.dev", "onrender.com", "railway.app", "deno.dev", "surge.sh"],
	...["ngrok.io", "ngrok.app", "ngrok-free.app", "trycloudflare.com", "loca.lt", "digitaloceanspaces.com", "backblazeb2.com"],
	...[
		"cloudflarestorage.com",
		"wasabisys.com",
		"storj.io",
		"scw.cloud",
		"aliyuncs.com",
		"myqcloud.com",
		"oraclecloud.com",
		"appdomain.cloud",
	],
	...[
		"azurecr.io",
		"azurecontainerapps.io",
		"azurestaticapps.net",
		"pkg.dev",
		"jfrog.io",
		"cloudsmith.io",
		"firebaseio.com",
		"firebasedatabase.app",
	],
	...["sharepoint.com", "supabase.co", "atlassian.net"],
	...["exo.io", "cloud.ovh.net", "devtunnels.ms", "gitpod.io"],
	// Names that lead to whatever address they hold.
	...["nip.io", "sslip.io", "xip.io", "lvh.me", "traefik.me"],
];

/** *.actions.githubusercontent.com is GitHub's own; *.githubusercontent.com is anybody's. */
const ALSO_ANYBODYS = ["githubusercontent.com"];

/** Reads an entry as people write it. */
export function readHost(text: string): HostReading {
	const written = text.trim().toLowerCase();
	const below = written.startsWith("*.");
	const name = below ? written.slice(2) : written;
	const refuse = (reason: string): HostReading => ({ ok: false, reason: `${JSON.stringify(text)} ${reason}` });
	if (/^[0-9.]+$/.test(name) || name.includes(":")) return refuse("is an address: names are admitted, never addresses or ports");
	if (name.includes("*")) return refuse("has a `*` that is not its whole first label");
	if (!NAME.test(name)) return refuse("is no host's name, nor `*.` and a domain");
	if (!below) return { ok: true, host: { name, below } };
	const anybodys = ALSO_ANYBODYS.includes(name) || ANYBODYS.some((domain) => name === domain || name.endsWith(`.${domain}`));
	if (anybodys) return refuse(`admits anybody's names below ${name}: list the hosts one by one`);
	return { ok: true, host: { name, below } };
}

/** Whether a list admits a name; the same as what the gateway's configuration does. */
export function admitsHost(hosts: readonly Host[], name: string): boolean {
	const asked = name.toLowerCase();
	return hosts.some(({ name: listed, below }) => (below ? asked.endsWith(`.${listed}`) : asked === listed));
}

/** The same, as the text that it comes down to: for a list that is kept as it was written. */
export function readEntry(text: string): { ok: true; value: string } | { ok: false; reason: string } {
	const reading = readHost(text);
	return reading.ok ? { ok: true, value: `${reading.host.below ? "*." : ""}${reading.host.name}` } : reading;
}
