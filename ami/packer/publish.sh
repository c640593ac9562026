#!/usr/bin/env bash
# Publishes one image: ami/packer/publish.sh <name> <folder with disk.raw.zst and disk.raw.json>. Needs packer, aws and jq, and AWS credentials.
# REGION: where the volume is written. REGIONS: further ones, separated by spaces or commas. COMMIT. WRITER_AMI_X64, WRITER_AMI_ARM64. SUBNET_ID: optional.
# What an earlier run did is found by the disk's sha256 in the images' tags and not done again: after a failure the same command goes on.
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
ami_name=mayfly-$name-${sha256:0:12}

# images <region> <query> <filter>...: ids of our own images.
images() { aws ec2 describe-images --region "$1" --owners self --query "$2" --output text --filters "${@:3}"; }
# What packer did to the end, which is told by the tags, its last step; or a copy of that, which has them from the beginning.
finished() {
	images "$1" 'Images[0].ImageId' "Name=tag:mayfly:name,Values=$name" "Name=tag:mayfly:digest,Values=$sha256" \
		Name=tag:mayfly:image,Values=approved Name=state,Values=available,pending
}

build() {
	local left one
	# An image without tags is of a run that was ended in the middle, and its name is in the way.
	left=$(images "$REGION" 'Images[?Tags==null].ImageId' "Name=name,Values=$ami_name")
	for one in $left; do [[ $one != ami-* ]] || aws ec2 deregister-image --region "$REGION" --image-id "$one" >/dev/null; done
	local variables=(
		-var "name=$name" -var "disk=$folder/disk.raw.zst" -var "disk_sha256=$sha256" -var "disk_bytes=$(($(of .sizeMiB) * 1048576))"
		-var "commit=$COMMIT" -var "runner_version=$(of '[.files[] | select(.name == "actions-runner").version][0] // "none"')"
		-var "region=$REGION" -var "writer_ami=$writer"
	)
	[[ -z ${SUBNET_ID:-} ]] || variables+=(-var "subnet_id=$SUBNET_ID")
	packer init "$here"
	packer validate "${variables[@]}" "$here"
	mkdir -p dist
	packer build -color=false "${variables[@]}" "$here"
	# `eu-west-1:ami-0a` of the last build in packer's manifest.
	image=$(jq --raw-output '.builds[-1].artifact_id' "dist/image-$name.json")
	image=${image#*:}
	[[ $image == ami-* ]] || { echo "packer's manifest has no image: $image" >&2 && exit 1; }
}

image=$(finished "$REGION")
if [[ $image == ami-* ]]; then echo "$REGION: $image has this disk already"; else build; fi
"$here/name-image.sh" "$name" "$REGION" "$image"

# All copies are begun before the first is waited for.
declare -A copies=()
for region in "${regions[@]}"; do
	[[ $region != "$REGION" ]] || continue
	copies[$region]=$(finished "$region")
	[[ ${copies[$region]} != ami-* ]] || continue
	copies[$region]=$(aws ec2 copy-image --region "$region" --source-region "$REGION" --source-image-id "$image" --name "$ami_name" \
		--copy-image-tags --tag-specifications "ResourceType=snapshot,Tags=[{Key=mayfly:name,Value=$name},{Key=mayfly:image,Value=approved}]" \
		--query ImageId --output text)
done
for region in "${!copies[@]}"; do
	# By a filter, which waits for an image that the region does not know yet.
	aws ec2 wait image-available --region "$region" --owners self --filters "Name=image-id,Values=${copies[$region]}"
	aws ec2 modify-image-attribute --region "$region" --image-id "${copies[$region]}" --imds-support v2.0
	"$here/name-image.sh" "$name" "$region" "${copies[$region]}"
done
