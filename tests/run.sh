#!/bin/bash
# run.sh quick|check|deep: runs the unit tests in $B/tests, tests/*.bats and, but for quick, the classes of tests/deep as
# TAP, as many files at a time as there are processors, and ends with the counts.  Exit 1 when a test failed, a program
# crashed or nothing ran.
#
# A bats test tagged `slow` is left to check and check-deep, one tagged `deep` to check-deep.  Unit tests see RNA_TEST=quick|check|deep.
set -u
cd "$(dirname "$0")/.." || exit 1
what=${1:-check}
B=${B:-build}
# test files run side by side: threads that wait must not spin
export B RNA_TEST=$what OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
export ASAN_OPTIONS=${ASAN_OPTIONS:-exitcode=99:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-exitcode=99:print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-exitcode=99:ignore_noninstrumented_modules=1}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# one FILE: runs it; its TAP lines go to $tmp, then out in one piece
one() {
	local f=$1 out status
	out=$2/${1##*/}
	case $f in
	*.bats)
		case $RNA_TEST in
		quick) bats --tap --filter-tags '!slow,!deep' "$f" ;;
		check) bats --tap --filter-tags '!deep' "$f" ;;
		*) bats --tap "$f" ;;
		esac >"$out" 2>&1 ;;
	*.sh)
		bash "$f" "$([ "$RNA_TEST" = deep ] && echo full || echo sample)" >"$out" 2>&1 ;;
	*)
		"$f" >"$out" 2>&1 ;;
	esac
	status=$?
	if [ "$status" != 0 ] && ! grep -q '^not ok ' "$out"; then
		echo "not ok - ${f##*/} ended with status $status" >>"$out"
	fi
	{ echo "# ${f##*/}"; cat "$out"; } >"$out.tap"
	cat "$out.tap"
}
export -f one

jobs=$(nproc 2>/dev/null || echo 2)
# shellcheck disable=SC2016 # the inner shell expands
# the long files first, so that no processor waits at the end
{
	[ "$what" = quick ] || echo tests/deep/run.sh
	ls -S tests/*.bats
	find "$B/tests" -name 'unit_*' -type f -perm -u+x 2>/dev/null | sort
} | xargs -P "$jobs" -I{} bash -c 'one "$1" "$2"' _ {} "$tmp"

passed=$(cat "$tmp"/*.tap | grep -c '^ok ')
failed=$(cat "$tmp"/*.tap | grep -c '^not ok ')
skipped=$(cat "$tmp"/*.tap | grep -Eic '^ok .*# skip')
sed -n '/^# class\t/,$p' "$tmp/run.sh.tap" 2>/dev/null
echo "# $what: $((passed - skipped)) passed, $failed failed, $skipped skipped"
grep -H '^not ok ' "$tmp"/*.tap | sed "s|^$tmp/||; s|\.tap:|: |; s|^|# |"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
