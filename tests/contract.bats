#!/usr/bin/env bats
# What every program promises, tried on every program in build/bin.  A new tool is tried without a change here, unless
# it needs arguments to run (args_of) or another input than token records (input_of).
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	head -n 48 "$SAMPLE" >sample.fa
	rna-tokenize -q --frame type --type header -o tokens.rill sample.fa
	rna-mask -q -o masked.rill tokens.rill
	rna-train mlm -q -c tiny --steps 0 -o model masked.rill
	rna-embed -q -m model --what logits -o scored.rill masked.rill
	rna-embed -q -m model --types 2 --what cls -o replicates.rill tokens.rill
	rna-tokenize -q --label header -o labelled.rill sample.fa
	rna-train class -q -m none -c tiny --layers 1 --epochs 1 -o classes labelled.rill
	printf '\000\001\377\n\376' >not-a-stream
	printf '>a tRNA\nACGUACGUAA\n' >-dash.fa
	mkdir folder
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	T=$BATS_TEST_TMPDIR
}

# args_of TOOL: what it needs beside input files
args_of() {
	case $1 in
	rna-embed) echo --kmer 2 ;;
	rna-predict) echo -m "$BATS_FILE_TMPDIR/classes" ;;
	rna-score) echo mlm ;;
	rna-train) echo "mlm -c tiny --steps 1 -f -o $T/model" ;;
	rna-view) echo -O json ;;
	esac
}

# input_of TOOL: a file it takes
input_of() {
	case $1 in
	rna-tokenize) echo sample.fa ;;
	rna-train) echo masked.rill ;;
	rna-score) echo scored.rill ;;
	rna-vote) echo replicates.rill ;;
	*) echo tokens.rill ;;
	esac
}

# writers: tools with output on standard output; filters: one record out for each record in, whatever came before
writers() { all_tools | grep -vx rna-train; }
filters() { all_tools | grep -xE 'rna-(mask|embed|fold|predict|view)'; }

# try TOOL ARGS...: runs the tool with the arguments it needs; a line for the reader of a failure
try() {
	local t=$1
	shift
	echo "# $t $(args_of "$t") $*" >&2
	# shellcheck disable=SC2046 # words are wanted
	"$t" $(args_of "$t") "$@"
}

# fails TOOL STATUS WORDS ARGS...: ends with STATUS and says WORDS in one line on stderr
fails() {
	local t=$1 want=$2 words=$3
	shift 3
	# shellcheck disable=SC2046
	run --separate-stderr "$t" $(args_of "$t") "$@" </dev/null
	echo "$t $*: status $status, <$stderr>" >&2
	no_crash "$stderr"
	[ "$status" = "$want" ]
	if [ "$want" = 2 ]; then
		[[ ${stderr_lines[1]} == "$t: try '$t -h'" ]]
		[ "${#stderr_lines[@]}" = 2 ]
	else
		one_line "$stderr"
	fi
	[[ ${stderr_lines[0]} == "$t: "* ]]
	[[ $stderr == *$words* ]]
}

@test "there are tools to try" {
	[ "$(all_tools | wc -l)" -ge 8 ]
}

@test "-h and --help print at most 24 lines on stdout and end with 0" {
	for t in $(all_tools); do
		run -0 --separate-stderr "$t" -h
		[ -z "$stderr" ]
		[ "${#lines[@]}" -le 24 ]
		[[ $output == *"Usage: $t"* ]]
		help=$output
		run -0 "$t" --help
		[ "$output" = "$help" ]
		while IFS= read -r line; do [ "${#line}" -le 120 ]; done <<<"$help"
	done
}

@test "the first line of --version is the name and N.N.N" {
	for t in $(all_tools); do
		run -0 --separate-stderr "$t" --version
		[[ ${lines[0]} =~ ^$t\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
		run -0 "$t" -V
	done
}

@test "an unknown option ends with 2 and the nearest one is named" {
	for t in $(all_tools); do
		fails "$t" 2 "did you mean --threads" --threasd 2 "$(input_of "$t")"
		fails "$t" 2 "unknown option" --no-such-thing-at-all
		fails "$t" 2 "-%" -%
		fails "$t" 2 "-@" -@ two "$(input_of "$t")"
	done
}

@test "the option table lists every option once, with its help" {
	for t in $(all_tools); do
		run -0 --separate-stderr "$t" --help-options
		[ "${#lines[@]}" -ge 8 ]
		for line in "${lines[@]}"; do
			[[ $line =~ ^[A-Za-z@]?$'\t'[a-z][A-Za-z0-9-]+$'\t'[^$'\t']*$'\t'.+ ]] ||
				{ echo "$t: $line"; return 1; }
		done
		[ -z "$(cut -f2 <<<"$output" | sort | uniq -d)" ]
	done
}

@test "a full disk is noticed" {
	[ -e /dev/full ] || skip_or_fail "no /dev/full"
	for t in $(writers); do
		run -1 --separate-stderr bash -c "$t $(args_of "$t") $(input_of "$t") >/dev/full"
		echo "$t: $stderr"
		one_line "$stderr"
		[[ $stderr == "$t: "*"No space left on device"* ]]
		run -1 --separate-stderr bash -c "$t -h >/dev/full"
	done
}

@test "a closed pipe ends the program, by the signal or with 1" {
	mkfifo "$T/pipe"
	for t in $(writers); do
		exec 8<>"$T/pipe"
		exec 9>"$T/pipe" 8>&-
		run --separate-stderr bash -c "trap - PIPE; $t $(args_of "$t") $(input_of "$t") >&9"
		echo "$t: status $status $stderr"
		[ "$status" = 141 ]
		run -1 --separate-stderr bash -c "trap '' PIPE; $t $(args_of "$t") $(input_of "$t") >&9"
		one_line "$stderr"
		[[ $stderr == *"Broken pipe"* ]]
		exec 9>&-
	done
}

@test "-h and --version say when they cannot be written" {
	[ -e /dev/full ] || skip_or_fail "no /dev/full"
	for t in $(all_tools); do
		for o in -h -V; do
			status=0
			"$t" "$o" >/dev/full 2>"$T/err" || status=$?
			[ "$status" = 1 ]
			one_line "$(<"$T/err")"
		done
	done
}

@test "empty words on the command line end with 2" {
	for t in $(all_tools); do
		run -2 --separate-stderr "$t" -o "" sample.fa
		run -2 --separate-stderr "$t" ""
		[ ! -e .part ]
	done
}

@test "control characters of the command line stay out of messages" {
	for t in $(all_tools); do
		run -2 --separate-stderr "$t" "$(printf -- '--no\033[31m\nx')"
		[[ $stderr != *$'\033'* && $stderr == *'--no?[31m?x'* ]]
	done
}

@test "an empty input is refused" {
	: >"$T/empty"
	for t in $(all_tools); do
		fails "$t" 1 "" "$T/empty"
		fails "$t" 1 ""
	done
}

@test "a missing file is named" {
	for t in $(all_tools); do
		fails "$t" 1 "No such file or directory" no-such-file.rill
		[[ $stderr == "$t: no-such-file.rill: "* ]]
	done
}

@test "a folder as input is refused" {
	for t in $(all_tools); do
		fails "$t" 1 "folder: is a folder" folder
	done
}

@test "bytes that are neither a stream nor a sequence are refused" {
	for t in $(all_tools); do
		fails "$t" 1 "not-a-stream" not-a-stream
	done
}

@test "-- ends the options" {
	for t in $(all_tools); do
		[[ $t != rna-score && $t != rna-train && $t != rna-vote ]] || continue	# no plain sequences
		run -0 bash -c "$t $(args_of "$t") -- -dash.fa | wc -c"
		[ "$output" -gt 0 ]
		fails "$t" 2 "" -dash.fa
	done
}

@test "options may follow operands" {
	for t in $(writers); do
		in=$(input_of "$t")
		try "$t" -l 3 -@ 1 "$in" >"$T/before"
		# shellcheck disable=SC2046
		"$t" $(args_of "$t") "$in" -l 3 -@ 1 >"$T/after"
		same "$T/before" "$T/after"
	done
}

@test "standard input and a file give the same output" {
	for t in $(writers); do
		[ "$t" != rna-tokenize ] || continue	# operands are in its provenance
		in=$(input_of "$t")
		try "$t" "$in" | zstd_or_cat >"$T/file"
		try "$t" <"$in" | zstd_or_cat >"$T/pipe"
		try "$t" - <"$in" | zstd_or_cat >"$T/dash"
		[ -s "$T/file" ]
		same "$T/pipe" "$T/dash"
	done
}

# the records of a stream, without the header's provenance; text as it is
zstd_or_cat() {
	cat >"$T/any"
	if [ "$(head -c 4 "$T/any" | od -An -tx1 | tr -d ' \n')" = 28b52ffd ]; then
		"$B/tests/reader" <"$T/any"
	else
		cat "$T/any"
	fi
}

@test "an input is never overwritten" {
	for t in $(writers); do
		cp "$(input_of "$t")" "$T/in"
		cp "$T/in" "$T/copy"
		ln -sf in "$T/link"
		for out in "$T/in" "$T/link"; do
			# shellcheck disable=SC2046
			run --separate-stderr "$t" $(args_of "$t") -f "$T/in" -o "$out"
			echo "$t: $status $stderr"
			[ "$status" = 1 ] || [ "$status" = 2 ]
			same "$T/in" "$T/copy"
		done
	done
}

@test "a failed run leaves no output file" {
	head -c 300 tokens.rill >"$T/cut.rill"
	head -c 300 scored.rill >"$T/cut-scored.rill"
	for t in $(writers); do
		[ "$t" != rna-tokenize ] || continue
		run -1 try "$t" -o "$T/out" "$T/cut.rill"
		[ ! -e "$T/out" ]
		[ ! -e "$T/out.part" ]
	done
}

@test "-o writes what standard output gets" {
	for t in $(writers); do
		try "$t" "$(input_of "$t")" >"$T/stdout"
		try "$t" -o "$T/out" "$(input_of "$t")"
		same "$T/stdout" "$T/out"
		[ ! -e "$T/out.part" ]
	done
}

@test "-@1, -@2 and -@0 give the same bytes" {
	rna-tokenize -q --frame type --type header -o "$T/many.rill" <(random_fasta 3000 20 200 1)
	for t in $(writers); do
		in=$(input_of "$t")
		[ "$in" != tokens.rill ] || in=$T/many.rill
		for n in 1 2 0; do
			try "$t" -@ $n "$in" >"$T/$n"
		done
		same "$T/1" "$T/2"
		same "$T/1" "$T/0"
	done
}

@test "a filter of two streams one after the other is the two filtered" {
	rna-tokenize -q -o "$T/a.rill" <(random_fasta 50 20 200 2)
	rna-tokenize -q -o "$T/b.rill" <(random_fasta 70 20 200 3)
	cat "$T/a.rill" "$T/b.rill" >"$T/ab.rill"
	for t in $(filters); do
		for n in 1 2; do
			try "$t" -@ $n "$T/ab.rill" >"$T/whole"
			{ try "$t" "$T/a.rill"; try "$t" "$T/b.rill"; } >"$T/parts"
			same "$T/whole" "$T/parts"
		done
	done
}

@test "a stream cut anywhere is refused in one line" {
	for t in $(all_tools); do
		in=$(input_of "$t")
		[ "$t" != rna-tokenize ] || continue
		size=$(stat -c %s "$in")
		for at in 1 17 $((size / 3)) $((size / 2)) $((size - 40)) $((size - 1)); do
			head -c "$at" "$in" >"$T/cut"
			fails "$t" 1 "" "$T/cut"
		done
	done
}

@test "fields a filter does not know pass through it" {
	rna-embed -q --kmer 2 -o "$T/in.rill" tokens.rill
	"$B/tests/reader" <"$T/in.rill" | grep -o '"kmer":\[[^]]*\]' >"$T/kmer"
	[ "$(wc -l <"$T/kmer")" = 24 ]
	for t in rna-mask rna-shuf; do
		"$t" -q "$T/in.rill" | "$B/tests/reader" | grep -o '"kmer":\[[^]]*\]' >"$T/out"
		sort "$T/kmer" >"$T/want"
		sort "$T/out" | same - "$T/want"
	done
	rna-embed -q -m model "$T/in.rill" | "$B/tests/reader" | grep -o '"kmer":\[[^]]*\]' >"$T/out"
	same "$T/out" "$T/kmer"
}

@test "FASTA is taken where a stream is, packed or not" {
	gzip -nc sample.fa >"$T/sample.fa.gz"
	zstd -qc sample.fa >"$T/sample.fa.zst"
	for t in $(writers); do
		[[ $t != rna-score && $t != rna-vote ]] || continue	# they take what models made
		try "$t" sample.fa | zstd_or_cat >"$T/plain"
		[ -s "$T/plain" ]
		for f in "$T/sample.fa.gz" "$T/sample.fa.zst"; do
			try "$t" "$f" | zstd_or_cat >"$T/packed"
			same "$T/plain" "$T/packed"
		done
	done
}

@test "a terminal gets text" {
	need script
	for t in $(writers); do
		# shellcheck disable=SC2046
		script -qec "stty -opost; $t $(args_of "$t") $(input_of "$t") | cat >/dev/null
			$t $(args_of "$t") $(input_of "$t")" \
			/dev/null </dev/null >"$T/screen"
		[ -s "$T/screen" ]
		# no control code but tab, newline, return; no zstd magic
		if LC_ALL=C tr -d '\11\12\15\40-\176\200-\377' <"$T/screen" | grep -q .; then
			echo "$t: control codes on a terminal"
			return 1
		fi
		run od -An -tx1 -v "$T/screen"
		[[ ${output//[[:space:]]/} != *28b52ffd* ]]
	done
}

@test "no tool talks to a network" {
	need strace
	strace -o /dev/null true 2>/dev/null || skip_or_fail "strace may not trace here"
	for t in $(all_tools); do
		# shellcheck disable=SC2046
		ASAN_OPTIONS=detect_leaks=0 strace -f -qq -e trace=%network -o "$T/trace" \
			"$t" $(args_of "$t") "$(input_of "$t")" >/dev/null
		if grep -E '(socket|connect|bind|sendto)\(' "$T/trace"; then
			echo "$t talks to a network"
			return 1
		fi
	done
}

# bats test_tags=slow
@test "a second writer of one -o ends at once, before it reads" {
	for t in $(filters) rna-tokenize rna-shuf; do
		mkfifo "$T/in"
		# shellcheck disable=SC2046
		"$t" $(args_of "$t") -o "$T/out" "$T/in" 3>&- & pid=$!
		for ((i = 0; i < 500; i++)); do [ ! -e "$T/out.part" ] || break; sleep 0.02; done
		# shellcheck disable=SC2046
		run -1 --separate-stderr timeout 20 "$t" $(args_of "$t") -o "$T/out" "$(input_of "$t")"
		one_line "$stderr"
		[[ $stderr == *"out.part is being written by another program" ]]
		cat "$(input_of "$t")" >"$T/in"
		wait "$pid"
		[ -s "$T/out" ]
		rm "$T/in" "$T/out"
	done
}

@test "an input that the output would grow over is refused, and intact" {
	for t in $(writers); do
		cp "$(input_of "$t")" "$T/out.part"
		: >"$T/out"
		ln -sf out "$T/link"
		for o in out link; do
			run -1 --separate-stderr try "$t" -o "$T/$o" "$T/out.part"
			[ "$(echo "$stderr" | grep -vc '^#')" = 1 ]
			[[ $stderr == *"out.part: is input, and what"*"grows as"* ]]
		done
		run -1 --separate-stderr try "$t" -o "$T/out" <"$T/out.part"
		[[ $stderr == *"is input, and what"* ]]
		same "$T/out.part" "$(input_of "$t")"
		[ ! -s "$T/out" ]
		cp "$T/out.part" "$T/in"
		run -1 --separate-stderr try "$t" -f -o "$T/in" "$T/in"
		[[ $stderr == *"is input and output at once"* ]]
		same "$T/in" "$(input_of "$t")"
		rm "$T/out.part" "$T/in"
	done
}
