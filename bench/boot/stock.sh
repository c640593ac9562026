#!/bin/bash
# Makes of a base what its distribution boots like: an initrd, all units that packages enable, cloud-init with its EC2 source, and a start script
# that runs when the network is online. Runs in the root; START: the start script.
set -euo pipefail
: "${PARTS:?}"
export DEBIAN_FRONTEND=noninteractive

printf 'update_initramfs=yes\n' > /etc/initramfs-tools/update-initramfs.conf
update-initramfs -c -k all > /dev/null
mkdir -p /etc/cloud/cloud.cfg.d
printf 'policy: enabled\n' > /etc/cloud/ds-identify.cfg
printf 'datasource_list: [Ec2]\ndatasource: { Ec2: { strict_id: false, metadata_urls: ["http://169.254.169.254"] } }\nnetwork: { config: disabled }\n' \
	> /etc/cloud/cloud.cfg.d/90-ec2.cfg
printf '[Match]\nName=e*\n\n[Network]\nDHCP=ipv4\n' > /etc/systemd/network/10-dhcp.network
systemctl --root=/ enable --quiet systemd-networkd.service systemd-networkd-wait-online.service systemd-resolved.service

install -m 755 "$PARTS/start.sh" /usr/local/bin/start-runner
cat > /etc/systemd/system/start-runner.service <<'UNIT'
[Unit]
Description=Start the runner
Wants=network-online.target
After=network-online.target cloud-init.service

[Service]
Type=exec
ExecStart=/usr/local/bin/start-runner

[Install]
WantedBy=multi-user.target
UNIT
systemctl --root=/ enable --quiet start-runner.service
echo 'PARTUUID=4d617966-6c79-4d0a-8000-000000000002 / ext4 rw 0 1' > /etc/fstab
echo stock > /etc/hostname
: > /etc/machine-id
rm -f /usr/sbin/policy-rc.d
