#!/usr/bin/env bash
# Signs a folder's SHA256SUMS with minisign, and checks what it did. build/release/sign.sh <folder> <comment>
# MINISIGN_SECRET_KEY: the secret key file's text. MINISIGN_PASSWORD: its password, empty for a key without one. MINISIGN_PUBLIC_KEY: RW...
set -euo pipefail
folder=${1:?the folder of SHA256SUMS} comment=${2:?a comment, such as the tag}
: "${MINISIGN_SECRET_KEY:?}" "${MINISIGN_PUBLIC_KEY:?}"

# The key lies in memory only, and goes whatever happens.
keys=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$keys"' EXIT
(umask 077 && printf '%s\n' "$MINISIGN_SECRET_KEY" >"$keys/secret")
rm -f "$folder/SHA256SUMS.minisig"
printf '%s\n' "${MINISIGN_PASSWORD:-}" | minisign -S -s "$keys/secret" -m "$folder/SHA256SUMS" -t "$comment" >/dev/null
"$(dirname "$0")/verify.sh" "$folder" "$MINISIGN_PUBLIC_KEY"
