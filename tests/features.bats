#!/usr/bin/env bats
# rna-train class --from kmer, length, seq, field:NAME: classifiers without a backbone, and rna-predict with them.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	# three classes that differ in their letters: a third of A, of C, of G
	awk 'BEGIN { srand(5)
		for (i = 0; i < 90; i++) {
			s = ""
			n = 30 + int(rand() * 40) + 40 * (i % 3)
			for (k = 0; k < n; k++)
				s = s substr("ACGU", 1 + (rand() < 0.12 ? i % 3 : int(rand() * 4)), 1)
			printf ">r%d c%d\n%s\n", i, i % 3, s
		} }' >lab.fa
	rna-tokenize -q --label header lab.fa | rna-embed -q --kmer 2 -o lab.rill
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	T=$BATS_TEST_TMPDIR
}

calls() {
	rna-view -O tsv --fields label,call "$@" | awk 'NR > 1 { n++; k += $1 == $2 } END { print k / n }'
}

@test "3-mers and the like: a stream, its FASTA, and the sum by hand" {
	need jq
	rna-train class -q --from kmer --valid-split 0.2 -o "$T/m" lab.rill
	rna-predict -m "$T/m" --top 2 lab.rill >"$T/p.rill"
	[ "$(calls "$T/p.rill" | awk '{ print ($1 > 0.6) }')" = 1 ]
	rna-view -O tsv --fields name,logits,prob,call,top "$T/p.rill" >"$T/stream"
	rna-predict -m "$T/m" --top 2 lab.fa | rna-view -O tsv --fields name,logits,prob,call,top | same - "$T/stream"
	rna-predict -m "$T/m" lab.fa | rna-view -O json | jq -es 'all(.[]; has("kmer") | not)'
	rna-view -H "$T/p.rill" | grep -q '"classes"'
	[ "$(jq -r '.architectures[0], .rill.features.kind, .rill.features.size' "$T/m/config.json" | paste -sd' ')" = \
		"RillFeatures kmer 16" ]
}

@test "validation chooses the penalty; without it, it is that of C = 1" {
	rna-train class -q --from kmer --valid lab.rill -o "$T/v" lab.rill
	awk -F '\t' 'NR > 1 && $7 == 1 { best = $5 } NR > 1 && (least == "" || $5 < least) { least = $5 }
		END { exit best != least }' "$T/v/log.tsv"
	# the training RNAs themselves: the weaker the better
	awk -F '\t' 'NR > 1 { if (before != "" && $3 > before + 1e-9) bad = 1; before = $3 }
		END { exit bad }' "$T/v/log.tsv"
	rna-train class -q --from kmer -o "$T/n" lab.rill
	[ "$(wc -l <"$T/n/log.tsv")" = 2 ]
	awk -F '\t' 'NR == 2 { d = $1 - 1 / 90; exit !(d * d < 1e-12 && $5 == "NA") }' "$T/n/log.tsv"
}

@test "the length alone" {
	rna-train class -q --from length -o "$T/m" lab.rill
	[ "$(rna-predict -m "$T/m" lab.rill | rna-view -O tsv --fields label,call |
		awk 'NR > 1 { n++; k += $1 == $2 } END { print (k / n > 0.8) }')" = 1 ]
	# letters say nothing
	tr ACG UUU <lab.fa | awk '/^>/ { sub(/ U/, " c") } 1' | rna-predict -m "$T/m" |
		rna-view -O tsv --fields call >"$T/a"
	rna-predict -m "$T/m" lab.rill | rna-view -O tsv --fields call | same - "$T/a"
}

@test "a vector of any field" {
	rna-mask -q lab.rill >"$T/masked.rill"
	rna-train mlm -q -c tiny --layers 1 --hidden 64 --steps 0 -o "$T/mlm" "$T/masked.rill"
	rna-embed -q -m "$T/mlm" --what mean -o "$T/mean.rill" lab.rill
	rna-train class -q --from field:mean --class-weights -o "$T/m" "$T/mean.rill"
	rna-predict -m "$T/m" "$T/mean.rill" >"$T/p.rill"
	[ "$(calls "$T/p.rill" | awk '{ print ($1 > 0.6) }')" = 1 ]
	run -1 --separate-stderr rna-predict -m "$T/m" lab.rill
	one_line "$stderr"
	[[ $stderr == *"record 1: no field mean (f32 [n])" ]]
}

@test "a vector of an RNA that was read in chunks: records that have no tokens any more" {
	rna-tokenize -q --label header --long chunk --max 42 lab.fa | rna-embed -q --what mean |
		rna-vote -q --by chunk -o "$T/v.rill"
	[ "$(rna-view -n "$T/v.rill")" = 90 ]
	[ "$(rna-view -O json "$T/v.rill" | grep -c '"tokens"')" -lt 90 ]
	rna-train class -q --from field:mean -o "$T/m" "$T/v.rill"
	rna-predict -q -m "$T/m" -o "$T/p.rill" "$T/v.rill"
	awk -v k="$(calls "$T/p.rill")" 'BEGIN { exit k < 0.5 }'
}

@test "a look-up: what was seen has its label, the rest the shares" {
	need jq
	head -n 120 lab.fa >"$T/half.fa"
	rna-train class -q --from seq -o "$T/m" <(rna-tokenize -q --label header "$T/half.fa")
	rna-predict -m "$T/m" "$T/half.fa" | rna-view -O tsv --fields desc,call | awk 'NR > 1 && $1 != $2 { exit 1 }'
	rna-predict -m "$T/m" <(tr 'ACGUc' 'acgtc' <"$T/half.fa") | rna-view -O tsv --fields call >"$T/lower"
	rna-predict -m "$T/m" "$T/half.fa" | rna-view -O tsv --fields call | same - "$T/lower"
	rna-predict -m "$T/m" <(printf '>new\nACGUACGU\n') | rna-view -O json |
		jq -e '.prob | all(.[]; . > 0.333 and . < 0.334)'
	# twice with one label, once with another
	printf '>a x\nACGU\n>b x\nACGT\n>c y\nacgu\n>d y\nGGGG\n' | rna-tokenize -q --label header >"$T/abc.rill"
	rna-train class -q --from seq -o "$T/abc" "$T/abc.rill"
	rna-predict -m "$T/abc" "$T/abc.rill" | rna-view -O json |
		jq -es '.[0].call == "x" and .[2].call == "x" and .[3].call == "y" and
		(.[0].prob[0] - 2.5 / 4 | fabs < 1e-6) and (.[3].prob[1] - 1.5 / 2 | fabs < 1e-6)'
}

@test "the same bytes again" {
	for n in 1 2; do
		rna-train class -q -@ $n --from kmer --valid-split 0.2 -o "$T/$n" lab.rill
	done
	for f in model.safetensors config.json log.tsv; do
		same "$T/1/$f" "$T/2/$f"
	done
}

@test "what can't be learnt or read is one line" {
	refused 1 "record 1: no field kmer; make it with: rna-embed --kmer 3" \
		rna-train class --from kmer -o "$T/n" <(rna-tokenize -q --label header lab.fa)
	rna-tokenize -q --label header --max 42 --long chunk lab.fa >"$T/chunks.rill"
	refused 1 "is a chunk: features are of whole RNAs" rna-train class --from length -o "$T/n" "$T/chunks.rill"
	refused 1 "have the label c0: there is nothing to learn" \
		rna-train class --from length -o "$T/n" <(sed 's/ c./ c0/' lab.fa | rna-tokenize -q --label header)
	refused 2 "--epochs: what is learnt from features has no use for it" \
		rna-train class --from kmer --epochs 3 -o "$T/n" lab.rill
	refused 2 "has no backbone" rna-train class --from kmer -m none -o "$T/n" lab.rill
	refused 2 "--from" rna-train class --from nonsense -o "$T/n" lab.rill
	refused 2 "--from: goes with class and pair, not with mlm" rna-train mlm --from kmer -o "$T/n" lab.rill
	rna-train class -q --from kmer -o "$T/m" lab.rill
	refused 1 "kmer has 64 numbers, 16 are expected" rna-predict -m "$T/m" <(rna-embed -q --kmer 3 lab.fa)
	refused 1 "config.json" rna-embed -m "$T/m" lab.fa
	cp -r "$T/m" "$T/bad"
	jq '.rill.features.size = 5' "$T/m/config.json" >"$T/bad/config.json"
	refused 1 "tensor classifier.weight is missing or of another shape" rna-predict -m "$T/bad" lab.rill
	jq '.rill.features.kind = "magic"' "$T/m/config.json" >"$T/bad/config.json"
	refused 1 "is no classifier on features that this version knows" rna-predict -m "$T/bad" lab.rill
	# config.json of one and weights of another, as a power cut may leave them: the labels tell, no shape does
	rna-train class -q --from kmer -o "$T/other" <(sed 's/ c2/ d/' lab.fa | rna-tokenize -q --label header |
		rna-embed -q --kmer 2)
	cp "$T/other/config.json" "$T/m/config.json"
	refused 1 "are of two models" rna-predict -m "$T/m" lab.rill
}
