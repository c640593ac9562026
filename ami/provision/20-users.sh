#!/bin/bash
# The user of jobs: no password, root by sudo, as on GitHub's own runners. Nobody else can log in.
set -euo pipefail

getent group docker > /dev/null || groupadd --system docker
getent passwd runner > /dev/null ||
	useradd --uid 1001 --user-group --create-home --home-dir /home/runner --shell /bin/bash --groups docker runner
chmod 750 /home/runner
passwd --lock --quiet runner
passwd --lock --quiet root
install -m 440 /dev/stdin /etc/sudoers.d/runner <<< 'runner ALL=(ALL) NOPASSWD:ALL'
visudo --check --quiet
