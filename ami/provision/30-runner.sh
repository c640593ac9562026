#!/bin/bash
# Unpacks the runner and has it warm up, so that a boot reads what is compiled already.
# PARTS: folder with actions-runner.tar.gz. RUNNER_VERSION, RUNNER_SHA256: its pin.
set -euo pipefail
: "${PARTS:?}" "${RUNNER_VERSION:?}" "${RUNNER_SHA256:?no sha256 for the runner}"
root=/opt/actions-runner
tarball=$PARTS/actions-runner.tar.gz

echo "$RUNNER_SHA256  $tarball" | sha256sum --check --quiet --strict ||
	{ echo "runner: $tarball is not the one that is pinned" >&2; exit 1; }
rm -rf "$root"
install -d -o runner -g runner "$root"
tar -xzf "$tarball" -C "$root" --no-same-owner
chown -R runner:runner "$root"

as_runner() { setpriv --reuid=runner --regid=runner --init-groups --reset-env "$root/bin/Runner.Listener" "$@"; }
found=$(as_runner --version)
[ "$found" = "$RUNNER_VERSION" ] || { echo "runner: the tarball holds $found, pinned is $RUNNER_VERSION" >&2; exit 1; }
as_runner warmup > /dev/null
rm -rf "$root/_diag" "$root/_work" /home/runner/.dotnet /home/runner/.cache
install -d -o runner -g runner "$root/_diag"
