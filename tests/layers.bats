#!/usr/bin/env bats
# Which part may include what: the table of CONTRIBUTING, read from the #include lines.
bats_require_minimum_version 1.5.0
load helper

# allowed PART: the folders that files of this part may include from, as a pattern
allowed() {
	case $1 in
	tools) echo 'tool|stream|seq|nn|fold|stat' ;;
	lib/stat) echo 'stat|stream|seq' ;;
	lib/nn) echo 'nn|stream|seq|fold|rk' ;;
	lib/fold) echo 'fold|stream|seq|rk' ;;
	lib/seq) echo 'seq|stream' ;;
	lib/stream) echo 'stream' ;;
	kernels) echo 'rk|kernels' ;;
	esac
}

# includes PART: FILE:HEADER of every quoted include
includes() {
	(cd "$ROOT" && grep -rHoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]+"' "$1" --include='*.[ch]' \
		--include='*.cu' --include='*.cuh' |
		sed -E 's/:[^"]*"([^"]+)"/:\1/') || true
}

# part_of FILE HEADER: the part a header belongs to
part_of() {
	case $2 in
	*/*) echo "${2%%/*}" ;;
	rk.h | rk_feed.h | rk_fold.h) echo rk ;;
	*)
		if [[ -e $ROOT/${1%/*}/$2 ]]; then
			case $1 in
			lib/*) p=${1%/*} && echo "${p#lib/}" ;;
			tools/*) echo tool ;;
			kernels/*) echo kernels ;;
			esac
		else
			echo "unknown:$2"
		fi ;;
	esac
}

@test "no part includes what lies above it" {
	bad=0 seen=0
	for part in tools lib/stat lib/nn lib/fold lib/seq lib/stream kernels; do
		[[ -d $ROOT/$part ]] || continue
		while IFS=: read -r file header; do
			[[ -n $file ]] || continue
			seen=$((seen + 1))
			p=$(part_of "$file" "$header")
			if ! [[ $p =~ ^($(allowed "$part"))$ ]]; then
				echo "$file includes \"$header\" ($p)"
				bad=1
			fi
		done < <(includes "$part")
	done
	[ "$seen" -gt 20 ]
	[ "$bad" = 0 ]
}

@test "the table is enforced: a forbidden include is found" {
	mkdir -p "$BATS_TEST_TMPDIR/lib/stream" "$BATS_TEST_TMPDIR/lib/nn"
	echo '#include "nn/model.h"' >"$BATS_TEST_TMPDIR/lib/stream/bad.c"
	ROOT=$BATS_TEST_TMPDIR
	IFS=: read -r file header < <(includes lib/stream)
	[ "$header" = nn/model.h ]
	[[ ! $(part_of "$file" "$header") =~ ^($(allowed lib/stream))$ ]]
}

@test "file names are unique in the repository" {
	cd "$ROOT"
	# but for tests/reader.c, the twin of lib/stream/reader.c on purpose
	run bash -c "find tools lib kernels tests ! -path tests/reader.c \\( -name '*.[ch]' -o -name '*.cu' \
		-o -name '*.cuh' \\) | sed 's|.*/||' | sort | uniq -d"
	[ -z "$output" ]
}

@test "only lib/stream names zstd, only kernels and the rows of lib/fold name vector intrinsics" {
	cd "$ROOT"
	run bash -c "grep -rlE '^#include <zstd' lib kernels tools --include='*.[ch]' |
		grep -vE '^lib/stream/|^tools/tool_help.c'"
	[ -z "$output" ]
	run bash -c "grep -rlE '^#include <(imm|x86|arm_neon|cuda)' lib tools --include='*.[ch]' |
		grep -vE '^lib/fold/(fold|neural)_rows_|^lib/nn/sha256_x86'"
	[ -z "$output" ]
}

@test "lib and kernels do not print, exit or assert" {
	cd "$ROOT"
	run bash -c "find lib kernels -name '*.c' | xargs bash .ci/style.sh"
	echo "$output"
	[[ $output != *'prints, exits or asserts'* ]]
	[[ $output != *'unchecked function'* ]]
}

@test "lib and kernels hold no mutable globals" {
	[ -e "$B/librna.a" ]
	[[ $B != *build-* ]] || skip "sanitizers add their own"
	# data and bss symbols; what is constant but for relocation lies in .data.rel.ro
	run bash -c "objdump -t '$B/librna.a' | awk '/ O (\.data|\.bss|\*COM\*|\.tdata|\.tbss)/ && !/\.data\.rel\.ro/'"
	echo "$output"
	[ -z "$output" ]
}
