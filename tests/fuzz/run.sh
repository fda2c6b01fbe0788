#!/bin/bash
# run.sh [TARGET...]: each fuzz target for FUZZ_S seconds under libFuzzer, or 100 mutations a second of FUZZ_S under
# driver.c.  What is found interesting is kept in build-fuzz/TARGET for the next time; a crash, an input that takes over
# 1 s of CPU time and 512 MiB are failures, and the input that led to one is left there.  Ends with a table.
#
#	FUZZ_S      seconds a target (60)
#	FUZZ_SEED   of libFuzzer (1)
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=${FUZZ_S:-60}
engine=build-fuzzer-no-link-address-undefined
[ -d "$engine/tests/fuzz" ] || engine=build-address-undefined
all=(frame record fasta structure safetensors config tables vienna)
[ $# = 0 ] || all=("$@")
# clang's OpenMP would spin for a fifth of a second behind each input that two threads read
export OMP_WAIT_POLICY=passive
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:quarantine_size_mb=16 UBSAN_OPTIONS=print_stacktrace=1

# seeds TARGET: the files it begins with
seeds() {
	case $1 in
	# without those whose frames hold 64 MiB: a mutation of them would take as long as a thousand others
	frame | record) find formats/golden formats/golden-errors -maxdepth 1 -name '*.rill' ! -name 'large-*' | sort ;;
	fasta | bulk) ls formats/golden-errors/text/*.{fa,fq,csv,txt} pipelines/sample/sample.fa ;;
	structure) ls formats/golden-errors/text/*.{dbn,bpseq,ct,st} ;;
	safetensors) ls formats/golden-errors/model/*.safetensors formats/golden/model-tiny/*.safetensors ;;
	config) ls formats/golden-errors/model/*.json formats/golden/model-tiny/config.json ;;
	tables) ls formats/vocab.txt formats/turner2004.par formats/golden-errors/text/*.txt ;;
	vienna) ls formats/golden-errors/text/*.dbn ;;
	esac
	[ ! -d "tests/fuzz/seeds/$1" ] || find "tests/fuzz/seeds/$1" -type f
}

# most TARGET: bytes of an input: what a target does with large ones takes long, and shows little that small ones do not
most() {
	case $1 in
	tables) echo 262144 ;;
	vienna) echo 512 ;;
	structure) echo 4096 ;;
	fasta | frame | record) echo 16384 ;;
	*) echo 65536 ;;
	esac
}

bad=0 table=
for t in "${all[@]}"; do
	program=$engine/tests/fuzz/fuzz_$t
	kept=build-fuzz/$t
	mkdir -p "$kept/corpus" "$kept/seeds"
	seeds "$t" | while read -r f; do cp "$f" "$kept/seeds/$(echo "$f" | tr / _)"; done
	echo "fuzz: $t, $seconds s"
	if [ "$engine" = build-address-undefined ]; then
		"$program" -n $((seconds * 100)) "$kept/seeds" >"$kept/log" 2>&1
		status=$? runs=$((seconds * 100)) peak=-
	else
		"$program" -max_total_time="$seconds" -timeout=120 -rss_limit_mb=512 \
			-max_len="$(most "$t")" -seed="${FUZZ_SEED:-1}" -print_final_stats=1 \
			-artifact_prefix="$kept/" "$kept/corpus" "$kept/seeds" >"$kept/log" 2>&1
		status=$?
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$kept/log")
		peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$kept/log")
	fi
	[ $status = 0 ] || bad=1
	[ $status = 0 ] || tail -n 30 "$kept/log"
	table+=$(printf '%s\t%s\t%s\t%s\t%s' "$t" "$seconds" "${runs:-?}" "${peak:-?}" $((status != 0)))$'\n'
done
printf 'target\tseconds\tinputs\tpeak_MiB\tfailures\n%s' "$table"
exit $bad
