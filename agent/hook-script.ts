// The job-started hook's script. It runs as the runner's user before the job's first step and asks the agent through a socket (DESIGN 7). Pure.

/** What is sent of the job, from the runner's GITHUB_* variables. */
export const FACTS = ["event_name", "ref", "repository", "workflow_ref", "actor", "triggering_actor"] as const;

/**
 * After a refusal the script stays on until the agent has told the runner to end: were it to fail at once, steps with `if: always()` would
 * run in the meantime (FACTS 1.7). It fails by itself if nobody comes.
 */
const HOLD_SECONDS = 20;

/** A webhook's payload has at most 25 MB (GitHub's page "Webhook events and payloads"); the runner's copy is a little longer. A longer one counts as unknown. */
export const MAX_PAYLOAD_BYTES = 32 * 1024 * 1024;

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** Whoever looks at a held machine lets its job go on with this. */
export const GO_ON = "/tmp/go-on";

/** Keeps an admitted job before its first step, for somebody who looks at the machine (`debug=true`). */
function holdScript(seconds: number): string {
	if (seconds === 0) return "";
	return `	echo "Held for debugging, for ${seconds} s at most: connect to this machine and run 'touch ${GO_ON}' to go on."
	for (( left = ${seconds}; left > 0; left-- )); do
		[ -e ${GO_ON} ] && break
		sleep 1
	done
`;
}

/** Asks the issuer for a token of the job; says nothing if there is none to be had. Its limit and the question's own are within the hook's. */
function tokenScript(audience: string): string {
	return `token() {
	[ -n "\${ACTIONS_ID_TOKEN_REQUEST_URL-}" ] || return 0
	printf 'authorization: bearer %s' "\${ACTIONS_ID_TOKEN_REQUEST_TOKEN-}" | curl -q --silent --fail --max-time 3 --retry 1 --retry-max-time 5 --header @- \
		"$ACTIONS_ID_TOKEN_REQUEST_URL&audience=${encodeURIComponent(audience)}" 2>/dev/null
}
`;
}

/**
 * The script; `hold` is for how long it keeps a job that was admitted, in ms; `audience` is whom a token must be for, if one is asked for.
 * `--form-string` takes a value as it is, whatever it begins with; `-q` keeps a .curlrc of the home folder out.
 */
export function hookScript(socket: string, hold: number, audience: string | null): string {
	const facts = FACTS.map((name) => `\t--form-string "${name}=\${GITHUB_${name.toUpperCase()}-}"`);
	const asksToken = audience !== null;
	return `#!/bin/bash
# Asks this machine's agent whether it admits the job. No answer is a refusal.
event="\${GITHUB_EVENT_PATH-}"
payload=()
${asksToken ? tokenScript(audience) : ""}if [ -r "$event" ] && [ "$(wc -c < "$event")" -le ${MAX_PAYLOAD_BYTES} ]; then payload=(--form 'payload=@-;type=application/json'); else event=/dev/null; fi
answer="$(curl -q --silent --show-error --noproxy '*' --max-time 10 --unix-socket ${quoted(socket)} --write-out '%{http_code}' \\
${facts.join(" \\\n")} \\
	${asksToken ? "--form 'token=</dev/fd/3' " : ""}"\${payload[@]}" http://agent/admit 2>/dev/null < "$event"${asksToken ? " 3< <(token)" : ""})" || answer=000
code="\${answer: -3}"
if [ "$code" = 200 ]; then
	printf '%s' "\${answer%200}"
${holdScript(Math.ceil(hold / 1000))}	exit 0
fi
if [ "$code" = 403 ]; then
	printf '%s' "\${answer%403}"
else
	echo "::error title=Mayfly refused this job::This machine's agent did not answer, so the job was not let in. What to do: run the job again."
fi
trap 'kill $! 2>/dev/null; exit 1' INT TERM
sleep ${HOLD_SECONDS} >/dev/null 2>&1 &
wait $!
exit 1
`;
}
