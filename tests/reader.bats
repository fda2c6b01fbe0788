#!/usr/bin/env bats
# The second reader (tests/reader.c, from the page alone) and rna-view must say the same about every stream.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	reader=$B/tests/reader
	vocab=$ROOT/formats/vocab.txt
}

# agree FILE: both print the same records
agree() {
	"$reader" -v "$vocab" <"$1" >reader.json
	rna-view -O json "$1" >view.json
	same reader.json view.json
}

@test "both read a tokenized sample alike" {
	rna-tokenize -q --frame type --type header -o t.rill "$SAMPLE"
	agree t.rill
	[ "$(wc -l <reader.json)" = 60 ]
	grep -q '"type":"tRNA"' reader.json
}

@test "both read masked records and vectors alike" {
	rna-tokenize -q "$SAMPLE" | rna-mask -q | rna-embed -q --kmer 3 -o k.rill
	agree k.rill
	[ "$(wc -l <reader.json)" = 60 ]
}

@test "both read many frames, several streams and every level alike" {
	for l in 0 1 19; do
		rna-tokenize -q -l $l -o "$l.rill" <(random_fasta 6000 10 60 $l)
	done
	cat 0.rill 1.rill 19.rill >all.rill
	agree all.rill
	[ "$(wc -l <reader.json)" = 18000 ]
}

@test "both read odd names alike" {
	printf '>a\\b"c d\tx \303\251\302\205\342\200\256 \377\033[31m\nACGUacgutN\n' >odd.fa
	rna-tokenize -q -o odd.rill odd.fa
	agree odd.rill
	LC_ALL=C grep -q $'\033' reader.json && return 1 || true
}

@test "both read the golden streams alike" {
	n=0
	for f in "$GOLDEN"/*.rill; do
		echo "# $f"
		agree "$f"
		n=$((n + 1))
	done
	[ "$n" -gt 0 ]
}

@test "both refuse every damaged stream of golden-errors" {
	n=0
	for f in "$GOLDEN_ERRORS"/*.rill; do
		echo "# $f"
		[ -e "$f" ]
		run -1 --separate-stderr bash -c "'$reader' <'$f' >/dev/null"
		one_line "$stderr"
		run -1 --separate-stderr rna-view -c "$f"
		one_line "$stderr"
		n=$((n + 1))
	done
	[ "$n" -gt 0 ]
}

@test "both refuse a stream that was cut, wherever it was cut" {
	head -n 6 "$SAMPLE" | rna-tokenize -q -o t.rill
	size=$(stat -c %s t.rill)
	for at in $(seq 0 7 $((size - 1))); do
		head -c "$at" t.rill >cut.rill
		if "$reader" <cut.rill >out 2>&1 || rna-view -c cut.rill >out 2>&1; then
			echo "$at of $size bytes are taken for a stream"
			return 1
		fi
	done
}

@test "frames that carry nothing are ignored by both" {
	rna-tokenize -q -o t.rill "$SAMPLE"
	printf '\x50\x2a\x4d\x18\x03\x00\x00\x00abc' >skip
	cat skip t.rill skip t.rill skip >s.rill
	agree s.rill
	[ "$(wc -l <reader.json)" = 120 ]
}
