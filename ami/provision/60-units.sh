#!/bin/bash
# The allowlist of units. What boots without being asked is named in PARTS/units.allow; all else that some target would start is masked.
set -euo pipefail
: "${PARTS:?}"
system=/etc/systemd/system
mapfile -t allowed < <(sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$PARTS/units.allow")
is_allowed() { printf '%s\n' "${allowed[@]}" | grep -qxF -- "$1"; }

mkdir -p /etc/systemd/system-preset
{ printf 'enable %s\n' "${allowed[@]}"; echo 'disable *'; } > /etc/systemd/system-preset/00-mayfly.preset
find "$system" -mindepth 1 -maxdepth 1 \( -name '*.wants' -o -name '*.requires' \) -exec rm -rf {} +
for unit in "${allowed[@]}"; do
	if grep -qs '^\[Install\]' "$system/$unit" "/lib/systemd/system/$unit"; then systemctl --root=/ enable --quiet "$unit"; fi
done

# Brought in by `Also=` of an allowed one, or known by another name. Packages link to either path, which are one.
find "$system" -mindepth 1 -maxdepth 1 -type l \( -lname '/lib/systemd/system/*' -o -lname '/usr/lib/systemd/system/*' \) -delete
for link in "$system"/*.{wants,requires}/*; do
	[ -L "$link" ] || continue
	unit=$(basename "$link")
	is_allowed "$unit" || { rm -f "$link"; ln -sf /dev/null "$system/$unit"; }
done
# What generators would start: the root is writable already, nobody could log in at a console.
for unit in systemd-remount-fs.service getty.target; do ln -sf /dev/null "$system/$unit"; done

# Static ones: pulled in by links of the packages.
for link in /lib/systemd/system/*.target.wants/*; do
	unit=$(basename "$link")
	case $(basename "$(dirname "$link")") in
	# On the way down, or by hand.
	rescue.target.wants | emergency.target.wants | initrd*.wants | shutdown.target.wants) continue ;;
	esac
	is_allowed "$unit" && continue
	# The targets themselves, and what only their own condition starts.
	[[ $unit == *.target || $unit == *@.service ]] && continue
	ln -sf /dev/null "$system/$unit"
done
systemctl --root=/ set-default --quiet multi-user.target
