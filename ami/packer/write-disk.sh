#!/usr/bin/env bash
# Runs on the machine that packer started: writes the disk onto the empty volume beside its own, and reads it back. Blocks of zeros are not
# written, so they are not in the snapshot and cost nothing to read at boot.
set -euo pipefail
: "${DISK:?}" "${DISK_BYTES:?}" "${DISK_SHA256:?}" "${VOLUME_GIB:?}"

# The volume to be written is the one of the size that was asked for, without partitions; exactly one must be.
volumes=()
while read -r name size; do
	[[ $size -eq $((VOLUME_GIB * 1024 * 1024 * 1024)) ]] || continue
	[[ $(lsblk --noheadings --list --output NAME "/dev/$name" | wc -l) -eq 1 ]] && volumes+=("/dev/$name")
done < <(lsblk --bytes --nodeps --noheadings --output NAME,SIZE)
if ((${#volumes[@]} != 1)); then
	echo "expected one empty volume of $VOLUME_GIB GiB, found ${#volumes[@]}: ${volumes[*]:-none}" >&2
	exit 1
fi
volume=${volumes[0]}
((DISK_BYTES <= VOLUME_GIB * 1024 * 1024 * 1024)) || { echo "the disk of $DISK_BYTES bytes does not fit into $VOLUME_GIB GiB" >&2 && exit 1; }

command -v zstd >/dev/null || { echo "there is no zstd on the writer's image: take one that has it" >&2 && exit 1; }
echo "writing $DISK_BYTES bytes to $volume"
zstd --decompress --stdout "$DISK" | dd of="$volume" bs=1M iflag=fullblock conv=sparse,notrunc,fsync status=none
blockdev --flushbufs "$volume"

found=$(head --bytes="$DISK_BYTES" "$volume" | sha256sum | cut -d ' ' -f 1)
if [[ $found != "$DISK_SHA256" ]]; then
	echo "what is on $volume has the checksum $found, and not $DISK_SHA256" >&2
	exit 1
fi
# The copy of the partition table at the end belongs at the end of the volume, not of the disk.
if command -v sgdisk >/dev/null; then sgdisk --move-second-header "$volume" >/dev/null; fi
echo "written and read back: $found"
