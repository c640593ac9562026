#!/bin/bash
# Leaves nothing behind that is the builder's: no keys of a host, no identity of a machine, no lists, logs or caches.
set -euo pipefail

apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* /tmp/* /var/tmp/* /root/.[!.]*
find /usr/share/{doc,info,locale,man} -depth -not -type d -not -name copyright -delete
rm -f /etc/ssh/ssh_host_* /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/mayfly-bake /etc/apt/preferences.d/mayfly
rm -f /var/lib/systemd/random-seed /var/lib/dbus/machine-id /var/lib/dhcp/* /etc/*- /var/lib/dpkg/*-old
install -d -m 755 /var/log/apt
# Empty, not absent: a first boot makes an id of its own, without taking it for a first boot of the whole system.
: > /etc/machine-id
ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
