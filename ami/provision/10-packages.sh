#!/bin/bash
# Installs the packages of versions.json and nothing that they only recommend. What is installed must match its pin.
# PACKAGES: lines `name version`, where the version may end in `*`. KERNEL: the kernel's package; empty keeps the machine's own.
set -euo pipefail
: "${PACKAGES:?lines of: name version}"
export DEBIAN_FRONTEND=noninteractive INITRD=No

# No service is started while it is installed; no initrd is made: nothing here needs one to find its root disk.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
mkdir -p /etc/initramfs-tools /etc/apt/preferences.d /etc/dpkg/dpkg.cfg.d
printf 'update_initramfs=no\n' > /etc/initramfs-tools/update-initramfs.conf
printf 'force-unsafe-io\n' > /etc/dpkg/dpkg.cfg.d/mayfly-bake
{ printf 'path-exclude=/usr/share/%s/*\n' doc info locale man; echo 'path-include=/usr/share/doc/*/copyright'; } > /etc/dpkg/dpkg.cfg.d/mayfly-docs

names=()
while read -r name version; do
	[ -n "$name" ] || continue
	names+=("$name")
	printf 'Package: %s\nPin: version %s\nPin-Priority: 1001\n\n' "$name" "$version"
done <<< "$PACKAGES" > /etc/apt/preferences.d/mayfly

apt-get update -qq -o APT::Update::Error-Mode=any
# debootstrap takes what the suite was released with; fixes since then come here.
apt-get dist-upgrade -y -qq -o Dpkg::Options::=--force-confold
apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold ${KERNEL:+"$KERNEL"} "${names[@]}"

while read -r name version; do
	[ -n "$name" ] || continue
	found=$(dpkg-query -W -f '${Version}' "$name")
	# The pin is a pattern.
	# shellcheck disable=SC2053
	[[ $found == $version ]] || { echo "package $name is $found, pinned is $version" >&2; exit 1; }
done <<< "$PACKAGES"
