#!/bin/bash
# What a boot need not read. Each of these costs reads of a cold disk before the agent asks IMDS (docs/benchmarks.md).
# PARTS: folder with rules.allow.
set -euo pipefail
: "${PARTS:?}"

# Devices that no machine has: rules for them are read at every boot all the same, and so is the data base of their names.
mapfile -t rules < <(sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$PARTS/rules.allow")
for file in /lib/udev/rules.d/*.rules; do
	name=$(basename "$file")
	printf '%s\n' "${rules[@]}" | grep -qxF -- "$name" || ln -sf /dev/null "/etc/udev/rules.d/$name"
done
rm -f /lib/udev/hwdb.bin /etc/udev/hwdb.bin

# Generators look for what is not there: the root disk is on the kernel's command line.
mkdir -p /etc/systemd/system-generators
for file in /lib/systemd/system-generators/*; do
	[ "$(basename "$file")" = systemd-fstab-generator ] || ln -sf /dev/null "/etc/systemd/system-generators/$(basename "$file")"
done

# The message bus is wanted by mayfly-settled.target on a runner: what starts before would ask it for nothing and wait.
if [ -e /etc/systemd/system/mayfly-settled.target ]; then
	rm -f /lib/systemd/system/sockets.target.wants/dbus.socket /lib/systemd/system/multi-user.target.wants/dbus.service
fi

# Networks of containers and of hosts for containers that systemd itself would run.
for file in /lib/systemd/network/*.network /lib/systemd/network/73-*.link; do
	[ ! -e "$file" ] || ln -sf /dev/null "/etc/systemd/network/$(basename "$file")"
done

# Folders of programs that the image does not start.
mkdir -p /etc/tmpfiles.d
for name in debian home journal-nocow legacy portables provision systemd-nologin systemd-pstore x11 screen-cleanup; do
	[ ! -e "/usr/lib/tmpfiles.d/$name.conf" ] || ln -sf /dev/null "/etc/tmpfiles.d/$name.conf"
done
