#!/bin/bash
# Boots this machine's own systemd as process 1 of namespaces of its own, on a copy of its files that is thrown away: units run as they do on
# a machine, and a power-off ends the namespace. Usage: systemd-machine.sh FOLDER [UNIT...]; the folder holds `units/` and may hold the agent with
# its file of variables `agent.env`, and `files/`, which go over the machine's own. The units are wanted; without any, the agent's.
# Called under `unshare --mount --pid --fork --uts --ipc --cgroup`. Exits by SIGINT when the machine was powered off (reboot(2) in a namespace).
set -e
folder=$1
shift
root=$folder/root
mkdir -p "$folder/layer" "$root"
mount --make-rprivate /
mount -t tmpfs tmpfs "$folder/layer"
mkdir "$folder/layer/upper" "$folder/layer/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/layer/upper,workdir=$folder/layer/work" "$root"

# Nothing of this machine's own configuration is started.
rm -rf "$root/etc/systemd/system" "$root/etc/systemd/network"
mkdir -p "$root/etc/systemd/system" "$root/etc/mayfly"
cp -r "$folder"/units/* "$root/etc/systemd/system/"
[ ! -e "$folder/agent.env" ] || install -m 600 "$folder/agent.env" "$root/etc/mayfly/agent.env"
[ ! -e "$folder/files" ] || cp -r "$folder"/files/. "$root/"
[ ! -e "$folder/mayfly-agent" ] || install -m 755 "$folder/mayfly-agent" "$root/usr/local/bin/mayfly-agent"
cat > "$root/etc/systemd/system/default.target" <<UNIT
[Unit]
Description=Nothing but the units under test
DefaultDependencies=no
Wants=${*:-mayfly-agent.service mayfly-deadline.timer}
UNIT

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
	mkdir "$root/sys/fs/cgroup/systemd"
	mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
fi
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
# A disk that is full.
mkdir "$root/run/full"
mount -t tmpfs -o size=4k tmpfs "$root/run/full"
head -c 8k /dev/zero > "$root/run/full/fill" 2>/dev/null || true
# What the machine works on, seen from both sides.
mkdir -p "$root/opt" "$folder/opt"
mount --bind "$folder/opt" "$root/opt"
exec chroot "$root" /usr/bin/env -i container=mayfly PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --log-target=null --show-status=0
