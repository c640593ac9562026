#!/bin/bash
# What makes a machine of the files: network, logs in memory, kernel settings, the root disk. PARTS: folder with files/.
set -euo pipefail
: "${PARTS:?}"
put() { install -D -m 644 "$PARTS/files/$1" "$2"; }

put network /etc/systemd/network/10-mayfly.network
put resolved.conf /etc/systemd/resolved.conf.d/mayfly.conf
put journald.conf /etc/systemd/journald.conf.d/mayfly.conf
put system.conf /etc/systemd/system.conf.d/mayfly.conf
put system-slice.conf /etc/systemd/system/system.slice.d/mayfly.conf
put sysctl.conf /etc/sysctl.d/90-mayfly.conf
put repart.conf /etc/repart.d/50-root.conf
put sshd.conf /etc/ssh/sshd_config.d/mayfly.conf
put ssh-keys.conf /etc/systemd/system/ssh.service.d/mayfly.conf
put fstab /etc/fstab
echo mayfly > /etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 mayfly\n::1 localhost ip6-localhost ip6-loopback\n' > /etc/hosts
# The chroot still needs the builder's own resolver; 90-clean.sh sets the link.
printf 'blacklist %s\n' floppy pcspkr psmouse parport_pc > /etc/modprobe.d/mayfly.conf
rm -f /etc/update-motd.d/* /etc/motd
