#!/bin/bash
# What the agent is compared with: the least that a script must do to start a runner from the same boot document. No checks, no reports, no hook.
set -e
token=$(curl -sf -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" "$MAYFLY_IMDS_URL/latest/api/token")
identity=$(curl -sf -H "X-aws-ec2-metadata-token: $token" "$MAYFLY_IMDS_URL/latest/dynamic/instance-identity/document")
id=$(jq -r .instanceId <<< "$identity")
ip=$(jq -r .privateIp <<< "$identity")
until boot=$(curl -sf "$MAYFLY_MAILBOX_URL/boot/$ip/$id"); do sleep 0.05; done
ACTIONS_RUNNER_INPUT_JITCONFIG=$(jq -r .jitConfig <<< "$boot")
export ACTIONS_RUNNER_INPUT_JITCONFIG
cd "$MAYFLY_RUNNER_ROOT"
exec bin/Runner.Listener run
