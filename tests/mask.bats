# mask.bats: rna-mask on streams: what every record promises, on any threads, in any order.  Distributions are in unit_mask.c.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	random_fasta 400 5 300 11 > x.fa
	rna-tokenize -q --frame type --type header x.fa > all.rill
	printf '# a list\nACGU\nggatc\nTTTT\nUUUU\nCAGUG\n' > motifs.txt
}

records() {
	cat "$@" | rna-view -O json
}

# restored FILE: its tokens with the targets put back, one record a line
restored() {
	records "$1" | jq -c '. as $r | reduce range(.masked | length) as $i (.tokens; .[$r.masked[$i]] = $r.target[$i])'
}

@test "masked and target give the tokens back; other fields are passed on" {
	need jq
	rna-mask --motifs motifs.txt all.rill > m.rill
	restored m.rill > a
	records all.rill | jq -c .tokens > b
	same a b
	records m.rill | jq -c 'del(.tokens, .masked, .target)' > a
	records all.rill | jq -c 'del(.tokens)' > b
	same a b
	rna-view -c m.rill
}

@test "15 % of the bases, at least one, and never a special token" {
	need jq
	rna-mask --mask-type 0 --motifs motifs.txt all.rill > m.rill
	# 35 to 38 are the bases; a row has 4 specials; half an odd number is rounded up
	records m.rill | jq -e -s 'all(.[]; (.target | all(. >= 35 and . <= 38)) and
		(.masked | length) == ([((.tokens | length) - 4) * 0.15 + 0.5 | floor, 1] | max) and
		.masked == (.masked | sort | unique))' > /dev/null
}

@test "the type slot is masked with its probability, as a target" {
	need jq
	rna-mask --mask-type 1 all.rill > m.rill
	records m.rill | jq -e -s 'all(.[]; .tokens[-2] == 4 and .target[-1] == 31 and .masked[-1] == (.tokens | length) - 2)' > /dev/null
	rna-mask --mask-type 0 all.rill > m.rill
	records m.rill | jq -e -s 'all(.[]; .tokens[-2] == 31)' > /dev/null
	rna-tokenize -q --frame type x.fa | rna-mask --mask-type 1 > m.rill
	records m.rill | jq -e -s 'all(.[]; .tokens[-2] == 4 and .target[-1] >= 35)' > /dev/null
}

@test "the strategies get the shares of --mix" {
	rna-mask -v --motifs motifs.txt --mix 0:0:1 all.rill 2> log > /dev/null
	grep -q 'motif: 400 records' log
	run -0 --separate-stderr rna-mask -v --motifs motifs.txt --mix 2:1:1 all.rill -o m.rill
	[ "$(sed -n 's/.*: base: \([0-9]*\) records.*/\1/p' <<< "$stderr")" -gt 160 ]
	[ "$(sed -n 's/.*: motif: \([0-9]*\) records.*/\1/p' <<< "$stderr")" -gt 60 ]
	run -0 --separate-stderr rna-mask -v all.rill -o m.rill
	[[ $stderr == *"no --motifs"*"1:1:0"* ]]
	[[ $stderr != *"motif: "*"records"* ]]
}

@test "runs of 4 to 8 bases in subsequence masking" {
	need jq
	rna-mask --mask-type 0 --mix 0:1:0 all.rill > m.rill
	# at most one run of a record is shorter than 4
	records m.rill | jq -e -s 'all(.[]; .masked | reduce .[] as $p ([]; if length > 0 and .[-1][1] + 1 == $p then .[-1][1] = $p
		else . + [[$p, $p]] end) | map(.[1] - .[0] + 1) | map(select(. < 4)) | length <= 1)' > /dev/null
}

@test "the same bytes on one thread and two, from a file and a pipe" {
	rna-mask -@1 --motifs motifs.txt all.rill > a.rill
	rna-mask -@2 --motifs motifs.txt all.rill > b.rill
	same a.rill b.rill
	rna-mask -@2 --motifs motifs.txt < all.rill > b.rill
	same a.rill b.rill
	rna-mask --motifs motifs.txt x.fa -o c.rill
	rna-tokenize -q x.fa | rna-mask --motifs motifs.txt > d.rill
	[ "$(records c.rill | cksum)" = "$(records d.rill | cksum)" ]
}

@test "masks do not depend on the order of the records" {
	rna-mask all.rill > a.rill
	rna-shuf all.rill | rna-mask > b.rill
	records a.rill | sort > a
	records b.rill | sort > b
	same a b
}

@test "a concatenation is masked as its parts" {
	rna-tokenize -q x.fa > plain.rill
	rna-mask all.rill > a.rill
	rna-mask plain.rill > b.rill
	cat a.rill b.rill > ab.rill
	cat all.rill plain.rill | rna-mask > c.rill
	same ab.rill c.rill
	rna-mask all.rill plain.rill > d.rill
	same ab.rill d.rill
}

@test "another epoch or seed masks otherwise; chunks of one RNA do too" {
	need jq
	rna-mask --epoch 0 all.rill > a.rill
	rna-mask all.rill > b.rill
	[ "$(records a.rill | cksum)" = "$(records b.rill | cksum)" ]
	rna-mask --epoch 1 all.rill > b.rill
	[ "$(records a.rill | cksum)" != "$(records b.rill | cksum)" ]
	rna-mask -s 2 all.rill > b.rill
	[ "$(records a.rill | cksum)" != "$(records b.rill | cksum)" ]
	printf '>same\n%s\n' "$(printf 'ACGU%.0s' {1..40})" > repeat.fa
	rna-tokenize -q --long chunk --max 42 repeat.fa | rna-mask > m.rill
	[ "$(records m.rill | jq -c .masked | sort -u | wc -l)" = 4 ]
}

@test "records without bases, short ones and unknown letters" {
	need jq
	printf '>none\nNNNN\n>one\nA\n>mixed\nNANNCNNGNN\n' | rna-mask > m.rill
	[ "$(records m.rill | jq -c '.masked | length' | paste -sd ' ' -)" = '0 1 1' ]
	records m.rill | jq -e -s '.[2].masked[0] as $p | [2, 5, 8] | index($p)' > /dev/null
	printf '>short\nACGUACG\n' | rna-mask --mix 0:1:0 --rate 1 > m.rill
	[ "$(records m.rill | jq -c '.masked | length')" = 7 ]
}

@test "the provenance names the motifs used" {
	need jq
	rna-mask --motifs motifs.txt --rate 0.2 all.rill > m.rill
	[ "$(rna-view -H m.rill | jq -c '.provenance[-1] | [.tool, .motifs, .seed, .args]')" = \
		'["rna-mask",4,1,["--motifs","motifs.txt","--rate","0.2"]]' ]
}

@test "compat paddle: the last 9 bases and short RNAs get no run, types are left alone" {
	need jq
	rna-mask --compat paddle --mix 0:1:0 all.rill > m.rill
	records m.rill | jq -e -s 'all(.[]; (.tokens | length) as $n | .masked | all(. <= $n - 4 - 9))' > /dev/null
	records m.rill | jq -e -s 'all(.[]; .tokens[-2] == 31)' > /dev/null
	restored m.rill > a
	records all.rill | jq -c .tokens > b
	same a b
	# spelled with U the list is dead, spelled with T it is not
	printf 'UUU\nUAU\nAUA\n' > u.txt
	tr U T < u.txt > t.txt
	[ "$(rna-mask --compat paddle --mix 0:0:1 --motifs u.txt all.rill | rna-view -O json | jq '.masked | length' | sort -u)" = 0 ]
	[ "$(rna-mask --compat paddle --mix 0:0:1 --motifs t.txt all.rill | rna-view -O json | jq '.masked | length' | sort -un | tail -n 1)" -gt 5 ]
}

@test "masked records and bad lists are refused in one line" {
	rna-mask all.rill > m.rill
	run -1 --separate-stderr rna-mask m.rill -o out.rill
	[[ $stderr == "rna-mask: m.rill: record 1: masked already"* ]]
	one_line "$stderr"
	[ ! -e out.rill ]
	printf 'ACGU\n\nACGN\n' > bad.txt
	run -1 --separate-stderr rna-mask --motifs bad.txt all.rill
	[[ $stderr == "rna-mask: bad.txt: line 3: 'N' in a motif"* ]]
	one_line "$stderr"
	printf 'AC\0GU\n' > bad.txt
	run -1 --separate-stderr rna-mask --motifs bad.txt all.rill
	[[ $stderr == *"line 1: byte 0 in a motif" ]]
	printf 'A\n' > bad.txt
	run -1 --separate-stderr rna-mask --motifs bad.txt all.rill
	[[ $stderr == *"line 1: a motif of 1 letters"* ]]
	run -1 --separate-stderr rna-mask --motifs all.rill all.rill
	one_line "$stderr"
	run -1 --separate-stderr rna-mask --motifs no-such-file all.rill
	one_line "$stderr"
}

@test "wrong words are usage errors" {
	run -2 --separate-stderr rna-mask --mix 1:1:1 all.rill
	[[ $stderr == *"needs --motifs"* ]]
	run -2 --separate-stderr rna-mask --mix 1:1 all.rill
	run -2 --separate-stderr rna-mask --mix 1:1:0:0 all.rill
	run -2 --separate-stderr rna-mask --mix 0:0:0 all.rill
	run -2 --separate-stderr rna-mask --mix=-1:1:0 all.rill
	run -2 --separate-stderr rna-mask --rate 0 all.rill
	run -2 --separate-stderr rna-mask --rate nan all.rill
	run -2 --separate-stderr rna-mask --mask-type 1.5 all.rill
	run -2 --separate-stderr rna-mask --compat torch all.rill
	run -2 --separate-stderr rna-mask --epoch x all.rill
}
