#!/usr/bin/env bash
# Puts the locked Bun on the PATH of a workflow's later steps: its checksum is in package-lock.json, and no script of a package runs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
npm ci --ignore-scripts --no-audit --no-fund --prefix "$here" >/dev/null
binaries=("$here"/node_modules/@oven/bun-*/bin)
"${binaries[0]}/bun" --version
echo "${binaries[0]}" >>"${GITHUB_PATH:?run by a workflow, which sets GITHUB_PATH}"
