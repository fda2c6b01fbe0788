# bench.bash: what the benches of programs begin with: the programs of $B (build), a scratch folder $tmp that goes away.
# shellcheck shell=bash
set -euo pipefail
ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
B=${B:-$ROOT/build}
PATH=$(cd "$B" && pwd)/bin:$PATH
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
