#!/usr/bin/env bats
# rna-view: every format, arrays, checks, and names that want to be more than names.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rna-tokenize -q --frame type --type header -o tokens.rill "$SAMPLE"
	rna-embed -q --kmer 2 -o kmer.rill tokens.rill
	printf '>x\nGGGAAACCC\n(((...))) (-1.20)\n>knot\nGGGAAACCCUUU\n(((.[[)))]].\n' >s.dbn
	printf '>a"b\\c\033]0;owned\007 \342\200\256tab\there\nACGU\n>\377\300\257 \302\233 \303\251\nGGCC\n' >hostile.fa
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	T=$BATS_TEST_TMPDIR
}

@test "JSON: one object a record, types by name, tokens as numbers, rid as a string" {
	rna-view -O json tokens.rill >"$T/j"
	[ "$(wc -l <"$T/j")" -eq "$(grep -c '>' "$SAMPLE")" ]
	jq -e '(.rid | type) == "string" and (.type | type) == "string" and (.tokens | length) == (.seq | length) + 4
		and .tokens[0] == 2 and .tokens[-1] == 3' "$T/j" >/dev/null
	[ "$(jq -r .name "$T/j")" = "$(sed -n 's/^>\([^ ]*\).*/\1/p' "$SAMPLE")" ]
}

@test "no control byte of a name or description gets through, and JSON stays JSON" {
	for o in text json tsv fasta; do
		rna-view -O $o hostile.fa >"$T/out"
		run -1 grep -aP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$T/out"
		[ "$(tr -dc '\t' <"$T/out" | wc -c)" -eq "$( [ $o = tsv ] && echo 9 || echo 0 )" ]
	done
	rna-view -O json hostile.fa | jq -es '.[0].name == "a\"b\\c\u001b]0;owned\u0007" and .[1].desc == "\u009b é"'
	rna-view -O fasta hostile.fa | rna-view -O fasta >"$T/again"
	rna-view -O fasta hostile.fa | same - "$T/again"
}

@test "TSV: columns of the first record or of --fields; a field that a record lacks is empty" {
	rna-view -O tsv --fields desc,name,nothing,kmer kmer.rill >"$T/t"
	[ "$(head -1 "$T/t")" = $'desc\tname\tnothing\tkmer' ]
	awk -F'\t' 'NF != 4 || (NR > 1 && ($3 != "" || split($4, v, ",") != 16)) { exit 1 }' "$T/t"
	printf '>a\nAC\n>b later\nAC\n' | rna-view -O tsv | awk -F'\t' 'NF != 3 { exit 1 }'
}

@test "--fields that no record has are an error, one of several a warning" {
	run -1 --separate-stderr rna-view --fields nono -O json -o "$T/x" kmer.rill
	[ "$stderr" = "rna-view: --fields: no record has a field nono" ]
	[ ! -e "$T/x" ]
	run -0 --separate-stderr rna-view --fields name,nono -O json kmer.rill
	[ "$stderr" = "rna-view: --fields: no record has a field nono" ]
	run -0 --separate-stderr rna-view -q --fields nono "$GOLDEN/empty.rill"
}

@test "FASTA comes back as it was" {
	awk '/^>/ { if (s) print s; print; s = ""; next } { s = s $0 } END { print s }' "$SAMPLE" >"$T/flat"
	rna-view -O fasta tokens.rill | same - "$T/flat"
}

@test "dot-bracket, bpseq and ct are read back to the same pairs" {
	rna-view -O json s.dbn | jq -c '[.name, .seq, .pair]' >"$T/want"
	for o in dbn bpseq ct; do
		rna-view -O $o s.dbn >"$T/s.$o"
		rna-tokenize --from $o "$T/s.$o" | rna-view -O json | jq -c '[.name, .seq, .pair]' | same - "$T/want"
	done
	[ "$(sed -n 3p "$T/s.dbn")" = '(((...))) ( -1.20)' ]
	run -1 --separate-stderr rna-view -O dbn tokens.rill
	one_line "$stderr"
	[[ $stderr == *"record 1: no field structure"* ]]
}

@test "npy: header, shape and data; a pipe and a file get the same bytes" {
	rna-view --npy kmer -o "$T/a.npy" kmer.rill
	rna-view --npy kmer kmer.rill | cat >"$T/b.npy"
	rna-view --npy kmer kmer.rill >"$T/c.npy"
	: >"$T/d.npy"
	rna-view --npy kmer kmer.rill >>"$T/d.npy"
	for f in b c d; do same "$T/a.npy" "$T/$f.npy"; done
	n=$(rna-view -n kmer.rill)
	[ "$(head -c 8 "$T/a.npy" | od -An -tx1 | tr -d ' ')" = 934e554d50590100 ]
	hlen=$(od -An -tu2 -j8 -N2 "$T/a.npy" | tr -d ' ')
	[ $(((10 + hlen) % 64)) -eq 0 ]
	[[ $(tail -c +11 "$T/a.npy" | head -n1) == "{'descr': '<f4', 'fortran_order': False, 'shape': ($n, 16), }"* ]]
	[ "$(stat -c %s "$T/a.npy")" -eq $((10 + hlen + n * 16 * 4)) ]
	tail -c +$((11 + hlen)) "$T/a.npy" | od -An -v -tfF -w64 | awk '{ $1 = $1; print }' | head -3 >"$T/od"
	rna-view -O json kmer.rill | jq -r '.kmer | map(tostring) | join(" ")' | sed 3q |
		paste -d' ' - "$T/od" | awk 'NF != 32 { exit 1 } { for (i = 1; i <= 16; i++)
			if (($i - $(i + 16)) ^ 2 > 1e-12) exit 1 }'
	rna-view --npy rid kmer.rill | head -c 128 | grep -aq "'descr': '<u8', 'fortran_order': False, 'shape': ($n,), }"
}

@test "npy refuses text, missing fields and records of several shapes, and leaves no file" {
	for f in name nothing tokens; do
		run -1 --separate-stderr rna-view --npy $f -o "$T/x.npy" kmer.rill
		one_line "$stderr"
		[[ $stderr == *"kmer.rill: record "* ]]
		[ ! -e "$T/x.npy" ] && [ ! -e "$T/x.npy.part" ]
	done
	[[ $stderr == *safetensors* ]]
}

@test "safetensors: equal shapes are stacked, others go one a record, no holes" {
	rna-view -O safetensors -o "$T/s" kmer.rill
	hlen=$(od -An -tu8 -N8 "$T/s" | tr -d ' ')
	tail -c +9 "$T/s" | head -c "$hlen" >"$T/h"
	n=$(rna-view -n kmer.rill)
	jq -e --argjson n "$n" '.kmer.shape == [$n, 16] and .kmer.dtype == "F32" and .rid.shape == [$n] and .name == null and
		.__metadata__.records == ($n | tostring) and ."tokens.3".dtype == "U8" and .tokens == null' "$T/h"
	jq -r 'del(.__metadata__)[].data_offsets | @tsv' "$T/h" | sort -n |
		awk -v size=$(($(stat -c %s "$T/s") - 8 - hlen)) '$1 + 0 != at + 0 { exit 1 } { at = $2 } END { exit at != size }'
	[ $((hlen % 8)) -eq 0 ]
	rna-view -O safetensors --fields kmer kmer.rill | same - <(rna-view -O safetensors --fields kmer -o - kmer.rill)
}

@test "-c: whole or not; -n counts; an empty stream is whole" {
	run -0 --separate-stderr rna-view -c tokens.rill
	[ -z "$output$stderr" ]
	run -0 --separate-stderr rna-view -cv tokens.rill
	one_line "$stderr"
	head -c $(($(stat -c %s tokens.rill) - 9)) tokens.rill >"$T/cut.rill"
	run -1 --separate-stderr rna-view -c "$T/cut.rill"
	one_line "$stderr"
	rna-tokenize -q --long drop --max 5 -o "$T/none.rill" "$SAMPLE"
	rna-view -c "$T/none.rill"
	[ "$(rna-view -n "$T/none.rill")" = 0 ]
	[ "$(cat tokens.rill tokens.rill | rna-view -n)" -eq $((2 * $(grep -c '>' "$SAMPLE"))) ]
}

@test "-H: the header, and a command line that recreates the stream" {
	rna-mask -s 7 --rate 0.2 -o "$T/m.rill" tokens.rill
	rna-view -H "$T/m.rill" >"$T/h"
	command=$(jq -r .command "$T/h")
	[ "$command" = "rna-tokenize --frame type --type header INPUT | rna-mask -s 7 --rate 0.2" ]
	pipe "${command/INPUT/$SAMPLE}" | same - "$T/m.rill"
	run -1 --separate-stderr rna-view -H "$SAMPLE"
	one_line "$stderr"
}

@test "modes do not mix, and what means nothing is a mistake" {
	for a in "-c -n" "--npy kmer -O json" "-H -c" "--fields a -c" "--fields name -O fasta" "--names multimolecule" \
		"--fix-square" "-O pdf"; do
		# shellcheck disable=SC2086 # words are wanted
		run -2 --separate-stderr rna-view $a tokens.rill
		[ -z "$output" ]
	done
}

@test "binary does not reach a terminal, text does" {
	need script || return 1
	run -2 script -qec "rna-view --npy kmer kmer.rill" /dev/null
	[[ $output == *terminal* && $output != *NUMPY* ]]
	run -0 script -qec "rna-view hostile.fa" /dev/null
	[[ $output == *'>a"b'*'4 nt'* && $output != *$'\033'* ]]
}

@test "a full disk and a closed pipe are reported" {
	for a in "-O json" "-O text" "-n" "--npy kmer" "-O safetensors" "-H"; do
		# shellcheck disable=SC2086 # words are wanted
		run -1 --separate-stderr bash -c "rna-view $a kmer.rill >/dev/full"
		one_line "$stderr"
	done
	run -1 --separate-stderr bash -c 'trap "" PIPE; rna-view -O json kmer.rill kmer.rill kmer.rill kmer.rill | true
		exit "${PIPESTATUS[0]}"'
	one_line "$stderr"
}

@test "a model's weights under multimolecule's names are the same model" {
	M=$GOLDEN/model-tiny
	mkdir "$T/m"
	cp "$M/config.json" "$M/vocab.txt" "$T/m"
	rna-view -O safetensors --names multimolecule -o "$T/m/model.safetensors" "$M"
	grep -aq '"model.encoder.layer.0.output.layer_norm.weight"' "$T/m/model.safetensors"
	run -1 grep -aq LayerNorm "$T/m/model.safetensors"
	for m in "$M" "$T/m"; do
		printf '>a\nACGUACGU\n' | rna-embed -m "$m" --what cls,pooled,logits | rna-view -O json >"$T/$(basename "$m").json"
	done
	same "$T/model-tiny.json" "$T/m.json"
	run -1 --separate-stderr rna-view -O safetensors --names multimolecule "$SAMPLE"
	one_line "$stderr"
}

@test "the self-test passes on this machine, and sees a model that knows nothing" {
	rna-view --selftest >"$T/s"
	grep -q 'fp32 .* ok$' "$T/s"
	run -1 grep -q FAILED "$T/s"
	run -1 --separate-stderr rna-view --selftest -m "$GOLDEN/model-tiny"
	one_line "$stderr"
	[[ $stderr == *"model takes"* ]] # 24 tokens: too few for a tRNA
	rna-mask -q tokens.rill | rna-train mlm -q -c tiny --steps 0 -o "$T/random"
	run -1 --separate-stderr rna-view --selftest -m "$T/random"
	[[ $stderr == *--fix-square* && $output == *" of 392 "* ]]
}

# count_of ELEMENT FILE: lines on which such an element begins
count_of() {
	grep -c "<$1 " "$2" || true
}

@test "a drawing: a disc and a letter for each base, a line for each pair, every tenth base numbered" {
	printf '>hp\nGGGGGAAAACCCCCUUUUUUUU\n(((((....)))))........\n' | rna-view -O svg >"$T/s.svg"
	[ "$(count_of circle "$T/s.svg")" = 22 ]
	[ "$(grep -c 'font-size="9">$' "$T/s.svg")" = 1 ]
	[ "$(sed -n '/stroke-width="1.8"/,/<\/g>/p' "$T/s.svg" | grep -c '<line')" = 5 ]
	for n in 10 20 "5&#8242;" "3&#8242;"; do grep -q ">$n</text>" "$T/s.svg"; done
	run ! grep -q ">30</text>" "$T/s.svg"
	run ! grep -q pseudoknot "$T/s.svg"
	grep -q '>hp, 22 nt</text>' "$T/s.svg"
	grep -q '>GC</text>' "$T/s.svg"
	run ! grep -q '>AU</text>' "$T/s.svg"
}

@test "drawings: pseudoknots are curves, probabilities are colours, hostile names are text" {
	rna-view -O svg s.dbn >"$T/s.svg"
	[ "$(grep -c '<path d="M[0-9. ]* Q' "$T/s.svg")" = 2 ]
	[ "$(grep -c translate "$T/s.svg")" = 4 ]
	printf '>p\nGGGGAAAACCCC\n' | rna-fold --partition >"$T/p.rill"
	rna-view -O svg "$T/p.rill" >"$T/p.svg"
	grep -q '>probability</text>' "$T/p.svg"
	run ! grep -q '>GC</text>' "$T/p.svg"
	rna-fold hostile.fa | rna-view -O svg >"$T/h.svg"
	run -1 grep -aP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$T/h.svg"
	printf '>a&<b>"\nAC<<GU\n......\n' | rna-view -O svg >"$T/x.svg"
	grep -qF 'a&amp;&lt;b&gt;&quot;, 6 nt' "$T/x.svg"
	if command -v xmllint >/dev/null; then
		for f in s p h x; do xmllint --noout "$T/$f.svg"; done
	fi
}

@test "dot plots: probabilities above, the structure below" {
	printf '>p\nGGGGAAAACCCC\n' | rna-fold --partition >"$T/p.rill"
	rna-view -O dotplot -o "$T/d.svg" "$T/p.rill"
	n=$(rna-view -O json "$T/p.rill" | jq '.bpp_p | length')
	[ "$(sed -n '/#1f5f9f/,/<\/g>/p' "$T/d.svg" | grep -c '<rect')" = "$n" ]
	[ "$(sed -n '/#c0392b/,/<\/g>/p' "$T/d.svg" | grep -c '<rect')" = 4 ]
	if command -v xmllint >/dev/null; then xmllint --noout "$T/d.svg"; fi
	run -1 --separate-stderr rna-view -O dotplot s.dbn
	one_line "$stderr"
	[[ $stderr == *"record 1: no bpp_ij to plot; rna-fold --partition adds it" ]]
}

@test "drawings of nothing, of one base, of no pairs, of too much" {
	printf '>e\n\n\n>one\nA\n.\n>none\nACGUACGUACGU\n............\n' >"$T/o.dbn"
	sed 1,3d "$T/o.dbn" | rna-view -O svg >"$T/o.svg"
	[ "$(count_of circle "$T/o.svg")" = 13 ]
	printf '>e\n\n' | rna-fold | rna-view -O svg >"$T/e.svg"
	grep -q '>e, 0 nt, 0.00 kcal/mol</text>' "$T/e.svg"
	{ echo '>big'; head -c 20001 /dev/zero | tr '\0' A; echo; head -c 20001 /dev/zero | tr '\0' .; echo; } >"$T/big.dbn"
	run -1 --separate-stderr rna-view -O svg "$T/big.dbn"
	one_line "$stderr"
	[[ $stderr == *"20001 nt are too many to draw (at most 20000)" ]]
	run -1 --separate-stderr rna-view -O svg tokens.rill
	[[ $stderr == *"record 1: no field structure and no field pair" ]]
	run -2 rna-view -O svg --fields name s.dbn
}
