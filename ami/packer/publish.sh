#!/usr/bin/env bash
# Publishes one image: ami/packer/publish.sh <name> <folder with disk.raw.zst and disk.raw.json>. Needs packer, aws and jq, and AWS credentials.
# REGION: where the volume is written. REGIONS: further ones, separated by spaces or commas. COMMIT. WRITER_AMI_X64, WRITER_AMI_ARM64. SUBNET_ID: optional.
# In each region the newest image is the value of /mayfly/images/<name>, and the ones before it are deprecated.
set -euo pipefail
name=${1:?the name of the image, such as runner-x64} folder=${2:?the folder of its disk}
: "${REGION:?}" "${COMMIT:?}"
here=$(cd "$(dirname "$0")" && pwd)
IFS=', ' read -r -a regions <<<"${REGIONS:-}"

case $name in
*-x64) writer=${WRITER_AMI_X64:?} ;;
*-arm64) writer=${WRITER_AMI_ARM64:?} ;;
*) echo "there is no image $name" >&2 && exit 2 ;;
esac
of() { jq --exit-status --raw-output "$1" "$folder/disk.raw.json"; }
sha256=$(of .sha256)
found=$(zstd --decompress --stdout "$folder/disk.raw.zst" | sha256sum | cut -d ' ' -f 1)
[[ $found == "$sha256" ]] || { echo "$folder/disk.raw.zst has sha256 $found, disk.raw.json says $sha256" >&2 && exit 1; }

variables=(
	-var "name=$name" -var "disk=$folder/disk.raw.zst" -var "disk_sha256=$sha256" -var "disk_bytes=$(($(of .sizeMiB) * 1048576))"
	-var "commit=$COMMIT" -var "runner_version=$(of '.runner.version // "none"')" -var "region=$REGION" -var "writer_ami=$writer"
	-var "regions=$(jq --null-input --compact-output '$ARGS.positional' --args -- "${regions[@]}")"
)
[[ -z ${SUBNET_ID:-} ]] || variables+=(-var "subnet_id=$SUBNET_ID")
packer init "$here"
packer validate "${variables[@]}" "$here"
mkdir -p dist
packer build -color=false "${variables[@]}" "$here"

# `eu-west-1:ami-0a,us-east-1:ami-0b` of the last build in packer's manifest.
published=$(jq --raw-output '.builds[-1].artifact_id' "dist/image-$name.json")
for pair in ${published//,/ }; do
	region=${pair%%:*} image=${pair#*:}
	[[ $image == ami-* ]] || { echo "packer's manifest has no image in $pair" >&2 && exit 1; }
	aws ssm put-parameter --region "$region" --name "/mayfly/images/$name" --type String --data-type aws:ec2:image --overwrite --value "$image" >/dev/null
	now=$(date --utc +%Y-%m-%dT%H:%M:00Z --date '+2 minutes')
	olds=$(aws ec2 describe-images --region "$region" --owners self --filters "Name=tag:mayfly:name,Values=$name" \
		--query "Images[?ImageId!='$image' && DeprecationTime==null].ImageId" --output text)
	for old in $olds; do
		[[ $old == ami-* ]] || continue
		aws ec2 enable-image-deprecation --region "$region" --image-id "$old" --deprecate-at "$now" >/dev/null
		echo "$region: $old is deprecated"
	done
	echo "$region: $image is $name"
done
