#!/bin/bash
# The gateway's program, its units and the rules that hold before it has lists. PARTS: folder with mayfly-gateway and gateway/.
# GATEWAY_SHA256: the pin. What belongs to an account comes with the instance's user data.
set -euo pipefail
: "${PARTS:?}" "${GATEWAY_SHA256:?no sha256 for the gateway}"

echo "$GATEWAY_SHA256  $PARTS/mayfly-gateway" | sha256sum --check --quiet --strict ||
	{ echo "gateway: $PARTS/mayfly-gateway is not the one that is pinned" >&2; exit 1; }
install -m 755 "$PARTS/mayfly-gateway" /usr/local/bin/mayfly-gateway
install -d -m 755 /etc/mayfly
install -m 644 "$PARTS/gateway/closed.nft" "$PARTS/gateway/sysctl.conf" /etc/mayfly/
cp -R "$PARTS"/gateway/units/. /etc/systemd/system/
chmod -R u=rwX,go=rX /etc/systemd/system
passwd --lock --quiet root
