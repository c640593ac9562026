#!/usr/bin/env bash
# Checks a folder of a release: the signature of SHA256SUMS, then every file that it names. build/release/verify.sh <folder> <public key>
# Nothing else may lie there but signatures and bills of materials that SHA256SUMS names too: what is not listed is not signed.
set -euo pipefail
folder=${1:?the folder of SHA256SUMS} key=${2:?the public key, RW...}

command -v minisign >/dev/null || { echo "minisign is not installed (Debian, Ubuntu: apt-get install minisign)" >&2; exit 1; }
minisign -V -q -P "$key" -m "$folder/SHA256SUMS" >/dev/null || { echo "the signature of $folder/SHA256SUMS is not of $key" >&2; exit 1; }
(cd "$folder" && sha256sum --check --strict --quiet SHA256SUMS) || { echo "a file of $folder is not the one that was signed" >&2; exit 1; }
listed=$(cut -d " " -f 3- "$folder/SHA256SUMS")
found=$(cd "$folder" && find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.minisig -printf "%P\n")
strays=$(grep -vxFf <(echo "$listed") <<<"$found" || true)
if [[ -n $strays ]]; then
	printf 'not listed in SHA256SUMS, so not signed:\n%s\n' "$strays" >&2
	exit 1
fi
echo "$folder: signed by $key, $(wc -l <"$folder/SHA256SUMS") files as listed"
