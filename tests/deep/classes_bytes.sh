# shellcheck shell=bash disable=SC2154,SC2016,SC2046,SC2317
# classes_bytes.sh: classes 1-3, 14-21, 34: what a file may hold.  Sourced by run.sh.

class_1() {
	local every t
	every=$(full_or 1 61)
	tally "$deep/damage" cut -e "$every" s.rill rna-view -c '{}'
	tally "$deep/damage" cut -e "$every" frames.rill rna-view -O json '{}'
	for t in rna-mask rna-shuf rna-motif rna-fold; do
		tally "$deep/damage" cut -e "$(full_or 11 401)" s.rill "$t" '{}'
	done
	tally "$deep/damage" cut -e "$(full_or 37 2001)" scored.rill rna-score mlm '{}'
	tally "$deep/damage" cut -e "$(full_or 11 801)" replicates.rill rna-vote '{}'
	tally "$deep/damage" cut -e "$(full_or 37 801)" s.rill rna-embed -m model '{}'
}

class_2() {
	tally "$deep/damage" flip -e "$(full_or 1 97)" s.rill rna-view -O json '{}'
	tally "$deep/damage" flip -e "$(full_or 1 203)" frames.rill rna-view -O json '{}'
	tally "$deep/damage" flip -e "$(full_or 41 2011)" s.rill rna-mask '{}'
	full || return 0
	random_fasta 9000 100 200 1 | rna-tokenize -q -o mib.rill
	tally "$deep/damage" flip -e 701 mib.rill rna-view -n '{}'
}

class_3() {
	local n
	n=$(full_or 10000 25)
	tally "$deep/damage" mangle -n "$n" s.rill rna-view -O json '{}'
	tally "$deep/damage" mangle -n "$((n / 5))" -s 2 frames.rill rna-shuf '{}'
	tally "$deep/damage" mangle -n "$((n / 10))" -s 3 s.rill rna-fold '{}'
}

# refused_small MIB FILE: rna-view -c refuses it in a line, in a second, within MIB
refused_small() {
	tally "$deep/peak" -m "$1" -s 1 -x 1 rna-view -c "$2"
	is "$2 is refused in one line" refuses 1 rna-view -c "$2"
}

class_14() {
	refused_small 64 "$ROOT/formats/golden-errors/bomb-gib.rill"
	refused_small 64 "$ROOT/formats/golden-errors/block-size-gib.rill"
	refused_small 64 "$ROOT/formats/golden-errors/block-size-over-16-gib.rill"
	refused_small 64 "$ROOT/formats/golden-errors/frame-size-exbibytes.rill"
	have zstd || return 0
	full || return 0
	head -c 1073741824 /dev/zero | zstd -q -c >zeros.zst
	refused_small 64 zeros.zst
	tally "$deep/peak" -m 64 -s 10 -x 1 rna-tokenize --longest 10000 zeros.zst
}

class_15() {
	refused_small 64 "$ROOT/formats/golden-errors/frame-window-2-gib.rill"
	refused_small 64 "$ROOT/formats/golden-errors/frame-window-most.rill"
	refused_small 64 "$ROOT/formats/golden-errors/frame-window-9-mib.rill"
}

# letters BYTES: one record of so many A
letters() { printf '>a\n' && head -c "$1" /dev/zero | tr '\0' A; }

class_16() {
	local n=$((10 << 30))
	tally "$deep/peak" -m 128 -s 10 -x 1 bash -c "{ printf '>a\n'; head -c $n /dev/zero | tr '\0' A; } | rna-tokenize --longest 10000"
	letters $(($(full_or 1024 16) << 20)) | gzip -1 >a.fa.gz
	tally "$deep/peak" -m 128 -s 10 -x 1 rna-tokenize --longest 10000 a.fa.gz
	is "a packed record that is too long" refuses 1 rna-tokenize --longest 10000 a.fa.gz
	letters 20000 >long.fa
	is "--long drop drops it" bash -c '[ "$(rna-tokenize -q --max 10000 --long drop long.fa | rna-view -n)" = 0 ]'
	# without the option, memory decides
	is "a cap on memory is met with a line" refuses 1 bash -c \
		"{ printf '>a\n'; head -c 2000000000 /dev/zero | tr '\0' A; } | prlimit --as=536870912 rna-tokenize -o never"
	is "nothing is left" test ! -e never -a ! -e never.part
}

class_17() {
	local f name words label
	while IFS=$'\t' read -r name words; do
		refuses 1 rna-view -c "$ROOT/formats/golden-errors/$name" && grep -qF -- "$words" "$log"
		count $? "$name: $words"
	done < <(if full; then cat; else awk 'NR % 5 == 0'; fi <"$ROOT/formats/golden-errors/EXPECTED")
	for f in "$ROOT"/formats/golden-errors/text/*.{csv,dbn,bpseq,ct,st,fa,fq,txt}; do
		label=()
		[[ ${f##*/} == label-* ]] && label=(--label label)
		case $f in
		*.csv | *.dbn | *.bpseq | *.ct | *.st)
			is "$f" refuses 1 rna-tokenize "${label[@]}" --from "${f##*.}" "$f" ;;
		*) is "$f" refuses 1 rna-tokenize "${label[@]}" "$f" ;;
		esac
	done
	for f in "$ROOT"/formats/golden-errors/model/*.{safetensors,json}; do
		rm -rf hostile && cp -r "$ROOT/formats/golden/model-tiny" hostile
		if [[ $f == *.json ]]; then cp "$f" hostile/config.json; else cp "$f" hostile/model.safetensors; fi
		is "$f" refuses 1 rna-embed -m hostile s3.fa
	done
}

class_19() {
	local t n
	n=$(full_or 20000 300)
	mkdir -p seeds && cp "$ROOT"/formats/golden/*.rill seeds
	for t in frame record; do
		"$B/tests/fuzz/fuzz_$t" -n "$n" seeds >"$log" 2>&1
		count $? "$t: $(tail -n 3 "$log")"
		cases=$((cases + n))
	done
	cp "$ROOT"/formats/golden-errors/model/*.safetensors "$ROOT"/formats/golden/model-tiny/*.safetensors seeds
	"$B/tests/fuzz/fuzz_safetensors" -n "$n" seeds >"$log" 2>&1
	count $? "safetensors: $(tail -n 3 "$log")"
	cases=$((cases + n))
}

# streams of every kind, many in a file, printed by both readers
class_20() {
	local k n
	n=$(full_or 100 2)
	for ((k = 0; k < n; k++)); do
		set --
		((k % 2)) || set -- -v "$ROOT/formats/vocab.txt"
		"$deep/streams" $((k * 1000)) 1000 ${1:+named} >many.rill || { count 1 "streams $k"; continue; }
		rna-view -O json many.rill >view.json 2>"$log" && "$B/tests/reader" "$@" <many.rill >reader.json
		cmp view.json reader.json >/dev/null && [ -s view.json ]
		count $? "streams $((k * 1000)) to $((k * 1000 + 999)): $(head -n 1 "$log")"
		cases=$((cases + 999))
	done
}

# round_trip FORMAT: pairs written and read again are the same
round_trip() {
	rna-view -O "$1" folded.rill >"t.$1" && rna-tokenize -q --from "$1" "t.$1" | rna-view -O json --fields seq,pair | cmp - want
}

class_21() {
	local n f
	n=$(full_or 1000 40)
	random_fasta "$n" 10 120 7 | rna-fold -q | rna-view -O dbn | rna-tokenize -q --from dbn -o folded.rill
	rna-view -O json --fields seq,pair folded.rill >want
	for f in dbn bpseq ct; do
		is "$f there and back, $n structures" round_trip "$f"
		cases=$((cases + n - 1))
	done
	python3 -c 'import numpy, safetensors' 2>/dev/null || { echo "# without Python's safetensors and numpy"; return 0; }
	tally python3 "$ROOT/tests/peers/safetensors_agree.py" "$deep/accepts" "$(full_or 10000 200)"
}

class_34() {
	local sum name
	while read -r sum name; do
		[ "$(rna-view -O json "$ROOT/formats/golden/$name" | sha256sum)" = "$sum  -" ]
		count $? "$name decodes to what it did"
	done <"$ROOT/formats/golden/DIGESTS"
}
