# helper.bash: what every bats file loads.  Puts the built tools first in PATH and gives short names to what tests use.
#
#	B        build folder (B=build-address-undefined bats tests for another)
#	ROOT     the repository
#	SAMPLE   the sample RNAs (FASTA)
#	GOLDEN   formats/golden, GOLDEN_ERRORS formats/golden-errors

ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
B=${B:-build}
[[ $B == /* ]] || B=$ROOT/$B
PATH=$B/bin:$PATH
SAMPLE=$ROOT/pipelines/sample/sample.fa
GOLDEN=$ROOT/formats/golden
GOLDEN_ERRORS=$ROOT/formats/golden-errors
export ROOT B PATH SAMPLE GOLDEN GOLDEN_ERRORS
export LC_ALL=C TZ=UTC0
unset RILL_CPU RILL_CUDA_LIB HF_HUB_CACHE HF_HOME

# Leaves a test as skipped, unless RNA_TEST_STRICT=1 asks for every test to run.
skip_or_fail() {
	if [[ ${RNA_TEST_STRICT:-0} == 1 ]]; then
		echo "cannot run: $1" >&2
		return 1
	fi
	skip "$1"
}

# need PROGRAM...: skips the test where one is missing.
need() {
	local p
	for p; do
		command -v "$p" >/dev/null || skip_or_fail "$p is not here" || return 1
	done
}

# plain_build REASON: skips the test in a sanitizer build, for that reason.
plain_build() {
	[[ ${B##*/} == build ]] || skip "$1"
}

# The tools that are built, one a line.
all_tools() {
	find "$B/bin" -maxdepth 1 -name 'rna-*' -type f -perm -u+x -printf '%f\n' | sort
}

# A command line with pipes; any part that fails fails the whole.
pipe() {
	bash -o pipefail -c "$1"
}

# one_line TEXT: the text is exactly one line, not empty.
one_line() {
	[[ -n $1 && $1 != *$'\n'* ]] || { printf 'not one line: <%s>\n' "$1" >&2; return 1; }
}

# refused STATUS WORDS COMMAND...: the command ends with STATUS, and WORDS are in what it says, one line when that is 1.
# shellcheck disable=SC2154 # run sets them
refused() {
	local want=$1 words=$2
	shift 2
	run --separate-stderr "$@"
	echo "$status $stderr"
	[ "$status" = "$want" ]
	[[ ${stderr_lines[0]} == *"$words"* ]]
	[ "$want" = 2 ] || one_line "$stderr"
}

# same A B: two files are equal, byte for byte.
same() {
	cmp "$1" "$2" >&2
}

# no_crash TEXT: no sign of a crash in it (sanitizers, signals).
no_crash() {
	case $1 in
	*Sanitizer*|*'runtime error:'*|*'core dumped'*|*'double free'*) printf '%s\n' "$1" >&2; return 1 ;;
	esac
}

# random_fasta N MIN MAX SEED: N random RNAs of MIN to MAX nt, the same for the same SEED.
random_fasta() {
	awk -v n="$1" -v lo="$2" -v hi="$3" -v seed="$4" 'BEGIN {
		srand(seed)
		for (i = 1; i <= n; i++) {
			len = lo + int(rand() * (hi - lo + 1))
			s = ""
			for (j = 0; j < len; j++)
				s = s substr("ACGU", 1 + int(rand() * 4), 1)
			printf ">r%d tRNA random %d\n%s\n", i, i, s
		}
	}'
}

# labelled N [OPTION...]: N random RNAs of four classes in lab.fa, tokenised with the options in lab.rill, and a small
# backbone
labelled() {
	local n=$1
	shift
	random_fasta "$n" 20 50 1 | awk '/^>/ { print $1, substr("dbca", n++ % 4 + 1, 1) "lass"; next } 1' >lab.fa
	rna-tokenize -q --label header -o lab.rill "$@" lab.fa
	rna-mask -q -o masked.rill lab.rill
	rna-train mlm -q -c tiny --layers 1 --hidden 32 --heads 2 --ffn 32 --steps 0 -o backbone masked.rill
}
