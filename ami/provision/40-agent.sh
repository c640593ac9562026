#!/bin/bash
# The agent, its units, and what it goes by. PARTS: folder with mayfly-agent, units/, files/. AGENT_SHA256, RUNNER_VERSION: pins.
# The mailbox's address comes with the launch template's user data: an image belongs to no account.
set -euo pipefail
: "${PARTS:?}" "${AGENT_SHA256:?no sha256 for the agent}" "${RUNNER_VERSION:?}"

echo "$AGENT_SHA256  $PARTS/mayfly-agent" | sha256sum --check --quiet --strict ||
	{ echo "agent: $PARTS/mayfly-agent is not the one that is pinned" >&2; exit 1; }
install -m 755 "$PARTS/mayfly-agent" /usr/local/bin/mayfly-agent
/usr/local/bin/mayfly-agent --version > /dev/null
install -d -m 755 /etc/mayfly
printf 'MAYFLY_MAILBOX_URL=user-data\nMAYFLY_RUNNER_VERSION=%s\n' "$RUNNER_VERSION" | install -m 600 /dev/stdin /etc/mayfly/agent.env
install -d -m 755 /usr/local/lib/mayfly
pages=$PARTS/files/agent.${ARCHITECTURE:?x64 or arm64}.pages
# Known for the architectures on which a boot was watched (docs/image.md).
if [ -e "$pages" ] && [ -e "$PARTS/read-ahead" ]; then
	install -m 755 "$PARTS/read-ahead" /usr/local/lib/mayfly/read-ahead
	install -m 644 "$pages" /usr/local/lib/mayfly/agent.pages
fi
install -m 644 "$PARTS"/units/* /etc/systemd/system/
