#!/usr/bin/env bash
# Makes an image the newest of its name in one region: ami/packer/name-image.sh <name> <region> <image>. It is then the value of
# /mayfly/images/<name>, and those before it are deprecated. Doing so again changes nothing. Needs aws and AWS credentials.
set -euo pipefail
name=${1:?the name of the image, such as runner-x64} region=${2:?} image=${3:?}

# images <query> <filter>: ids of our own images.
images() { aws ec2 describe-images --region "$region" --owners self --query "$1" --output text --filters "$2"; }

# A disk that is published again, after another one, was deprecated then.
deprecated=$(images 'Images[?DeprecationTime!=null].ImageId' "Name=image-id,Values=$image")
[[ $deprecated != ami-* ]] || aws ec2 disable-image-deprecation --region "$region" --image-id "$image" >/dev/null
aws ssm put-parameter --region "$region" --name "/mayfly/images/$name" --type String --data-type aws:ec2:image --overwrite --value "$image" >/dev/null

now=$(date --utc +%Y-%m-%dT%H:%M:00Z --date '+2 minutes')
olds=$(images "Images[?ImageId!='$image' && DeprecationTime==null].ImageId" "Name=tag:mayfly:name,Values=$name")
for old in $olds; do
	[[ $old == ami-* ]] || continue
	aws ec2 enable-image-deprecation --region "$region" --image-id "$old" --deprecate-at "$now" >/dev/null
	echo "$region: $old is deprecated"
done
echo "$region: $image is $name"
