#!/usr/bin/env bash
# Proposes one changed file of the checkout as a pull request: .github/propose.sh <branch> <file> <title> <file with the description>.
# Needs gh and GH_REPO. Each part is made if it is not there, so that a run which failed half-way is ended by the next one; a pull request that
# was ever made for the branch, merged or closed, is not made again.
set -euo pipefail
branch=${1:?} file=${2:?} title=${3:?} body=${4:?}
: "${GH_REPO:?}"

if [[ $(gh pr list --head "$branch" --state all --json number --jq length) != 0 ]]; then
	echo "$branch has been proposed before"
	exit 0
fi
if ! gh api "repos/$GH_REPO/branches/$branch" --silent 2>/dev/null; then
	gh api "repos/$GH_REPO/git/refs" -f "ref=refs/heads/$branch" -f "sha=$(git rev-parse HEAD)" --silent
fi
there=$(gh api "repos/$GH_REPO/contents/$file?ref=$branch" --jq .sha)
if [[ $there != "$(git hash-object "$file")" ]]; then
	# Through the API GitHub signs the commit, and no credential lies in the checkout.
	gh api --method PUT "repos/$GH_REPO/contents/$file" --silent \
		-f "branch=$branch" -f "message=$title" -f "sha=$there" -f "content=$(base64 -w 0 "$file")"
fi
# What a workflow's own token does starts no workflow but by this call. Before the pull request, so that none is left without its checks.
gh workflow run check.yml --ref "$branch"
gh pr create --head "$branch" --title "$title" --body-file "$body"
