#!/usr/bin/env bats
# rna-predict: what a classifier says of records, of FASTA, of RNAs longer than it takes.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	random_fasta 60 20 90 1 | awk '/^>/ { print $1, "c" n++ % 3; next } 1' >lab.fa
	rna-tokenize -q --label header --max 42 --long truncate -o lab.rill lab.fa
	rna-train class -q -m none -c tiny --layers 1 --hidden 64 --init-range 0.2 --epochs 2 -o m lab.rill
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	T=$BATS_TEST_TMPDIR
}

@test "logits, prob, call, top; the classes in the header" {
	rna-predict -m m --top 2 -o "$T/p.rill" lab.rill
	rna-view -H "$T/p.rill" | grep -q '"classes"'
	rna-view -O json "$T/p.rill" | jq -es 'length == 60 and all(.[]; . as $r |
		($r.prob | index(max)) as $best | $r.call == "c\($best)" and $r.top[0] == $best and ($r.top | length) == 2 and
		$r.top_p[0] == ($r.prob | max) and $r.top_p[1] == $r.prob[$r.top[1]] and $r.top_p[1] >= ($r.prob | min) and
		((($r.logits | map(exp)) as $e | [range(3)] | map($e[.] / ($e | add) - $r.prob[.] | fabs) | max) < 1e-6))'
}

@test "FASTA is what its tokenised stream is" {
	awk '/^>/ { print; next } { print substr($0, 1, 40) }' lab.fa >"$T/short.fa"
	rna-predict -m m "$T/short.fa" | rna-view -O tsv --fields name,prob,call >"$T/fasta"
	rna-tokenize -q -m m "$T/short.fa" | rna-predict -m m | rna-view -O tsv --fields name,prob,call >"$T/stream"
	[ "$(wc -l <"$T/fasta")" = 61 ]
	same "$T/fasta" "$T/stream"
}

@test "an RNA longer than the model takes: the mean of its chunks' logits, by their bases" {
	rna-predict -m m lab.fa | rna-view -O json | jq -c '[.name, .logits]' >"$T/whole"
	rna-tokenize -q -m m --long chunk lab.fa | rna-predict -m m | rna-view -O json |
		jq -c '[.name, .logits, (.seq | length)]' >"$T/chunks"
	[ "$(wc -l <"$T/whole")" = 60 ]
	[ "$(wc -l <"$T/chunks")" -gt 80 ]
	jq -ne --slurpfile w "$T/whole" --slurpfile c "$T/chunks" '[$w[] | .[0] as $n | .[1] as $z |
		[$c[] | select(.[0] == $n)] | (map(.[2]) | add) as $bases |
		([.[] | .[2] as $l | [.[1][] * $l]] | transpose | map(add / $bases)) as $m |
		[range(3) | $z[.] - $m[.] | fabs] | max] | max < 1e-6'
}

@test "a record alone and in company, -@1 and -@2, order kept" {
	rna-predict -m m lab.rill | rna-view -O tsv --fields name,logits >"$T/all"
	rna-predict -m m -@ 2 lab.rill | rna-view -O tsv --fields name,logits >"$T/two"
	same "$T/all" "$T/two"
	cut -f 1 "$T/all" | tail -n +2 >"$T/names"
	grep '^>' lab.fa | cut -c 2- | cut -d ' ' -f 1 | same - "$T/names"
	rna-shuf -q -s 4 lab.rill | rna-predict -m m | rna-view -O tsv --fields name,logits | sort >"$T/shuffled"
	sort "$T/all" | same - "$T/shuffled"
}

@test "bf16 and int8 say nearly the same" {
	rna-predict -m m lab.rill | rna-view -O json | jq -c .prob >"$T/fp32"
	for dtype in bf16 int8; do
		rna-predict -m m --dtype $dtype lab.rill | rna-view -O json | jq -c .prob >"$T/$dtype"
		jq -ne --slurpfile a "$T/fp32" --slurpfile b "$T/$dtype" '[range(60) as $i | range(3) as $k |
			$a[$i][$k] - $b[$i][$k] | fabs] | max | . < 0.05 and . > 0'
	done
}

@test "a model without a class head, or none" {
	rna-mask -q -o "$T/masked.rill" lab.rill
	rna-train mlm -q -c tiny --layers 1 --steps 0 -o "$T/mlm" "$T/masked.rill"
	run -1 --separate-stderr rna-predict -m "$T/mlm" lab.rill
	one_line "$stderr"
	[[ $stderr == *"the model has no class head; make one with: rna-train class"* ]]
	run -2 --separate-stderr rna-predict lab.rill
	[[ ${stderr_lines[0]} == *"-m is missing"* ]]
}

@test "tokens longer than the model takes are refused with the line to type" {
	rna-tokenize -q -o "$T/long.rill" lab.fa
	run -1 --separate-stderr rna-predict -m m "$T/long.rill"
	one_line "$stderr"
	[[ $stderr == *"the model takes 42; try: rna-tokenize -m m --long chunk FILE | rna-predict -m m" ]]
}

@test "config.json of a class head that lies is refused" {
	cp -r m "$T/bad"
	jq '.id2label = {"0": "a", "2": "b", "1": 3}' m/config.json >"$T/bad/config.json"
	run -1 --separate-stderr rna-predict -m "$T/bad" lab.rill
	one_line "$stderr"
	[[ $stderr == *"id2label has no name for 1" ]]
	jq '.id2label = {"0": "a", "1": "b"}' m/config.json >"$T/bad/config.json"
	run -1 --separate-stderr rna-predict -m "$T/bad" lab.rill
	one_line "$stderr"
	[[ $stderr == *"tensor classifier.bias is [3], config.json asks for [2]" || $stderr == *"tensor classifier.weight is [3, 64]"* ]]
}
