# shuf.bats: rna-shuf: order, memory, samples, splits and shards of whole RNAs.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	random_fasta 300 20 400 7 > x.fa
	rna-tokenize -q --frame type --type header --long chunk --max 100 x.fa > all.rill
}

# records FILE...: what each holds, one record a line, in order
records() {
	cat "$@" | rna-view -O json
}

# names FILE...: the name of each record, in order
names() {
	records "$@" | jq -r .name
}

# units FILE: the name of each RNA, in order
units() {
	names "$@" | uniq
}

@test "the output is a permutation of the input" {
	rna-shuf all.rill > s.rill
	[ "$(records all.rill | sort | cksum)" = "$(records s.rill | sort | cksum)" ]
	[ "$(records all.rill | cksum)" != "$(records s.rill | cksum)" ]
	rna-view -c s.rill
}

@test "chunks of an RNA stay together and in order" {
	need jq
	rna-shuf all.rill > s.rill
	[ "$(units s.rill | wc -l)" = 300 ]
	[ "$(units s.rill | sort -u | wc -l)" = 300 ]
	# sorted by name, with chunks in the order in which they lie, both are the same
	records all.rill | jq -r '[.name, .chunk[0]] | @tsv' | sort -s -k1,1 > a
	records s.rill | jq -r '[.name, .chunk[0]] | @tsv' | sort -s -k1,1 > b
	same a b
}

@test "the order depends on the seed, not on the order of the input, files or threads" {
	need jq
	rna-shuf -s 5 all.rill > a.rill
	rna-shuf -s 6 all.rill > other.rill
	run ! cmp -s a.rill other.rill
	rna-shuf -s 5 other.rill > b.rill
	[ "$(records a.rill | cksum)" = "$(records b.rill | cksum)" ]
	rna-shuf -s 5 --shard 1/2 all.rill > p1.rill
	rna-shuf -s 5 --shard 2/2 all.rill > p2.rill
	rna-shuf -s 5 p2.rill p1.rill > c.rill
	[ "$(records a.rill | cksum)" = "$(records c.rill | cksum)" ]
	rna-shuf -s 5 -@2 all.rill > d.rill
	same a.rill d.rill
	rna-shuf -s 5 < all.rill > e.rill
	same a.rill e.rill
}

@test "little memory gives the same bytes as much" {
	random_fasta 6000 100 400 3 > big.fa
	rna-tokenize -q --long chunk --max 100 big.fa > big.rill
	rna-shuf -v big.rill > a.rill 2> a.log
	rna-shuf -v --mem 1M big.rill > b.rill 2> b.log
	grep -q ' 0.0 MiB went through' a.log
	grep -q ' [1-9][0-9.]* MiB went through' b.log
	same a.rill b.rill
	rna-shuf -n 3000 big.rill > a.rill
	rna-shuf -n 3000 --mem 1M big.rill > b.rill
	same a.rill b.rill
	rna-shuf --split 0.3 -o a1.rill --rest a2.rill big.rill
	rna-shuf --split 0.3 -o b1.rill --rest b2.rill --mem 1M big.rill
	same a1.rill b1.rill
	same a2.rill b2.rill
}

@test "files that are too large for the memory are divided again" {
	random_fasta 1 2000 2000 4 | tail -n 1 > seq
	awk '{for (i = 0; i < 6000; i++) printf ">r%d\n%s\n", i, $0}' seq > big.fa
	rna-shuf -l 0 big.fa > a.rill
	rna-shuf -l 0 -v --mem 1M big.fa > b.rill 2> b.log
	[ "$(sed -n 's/.*: \([0-9]*\)[.0-9]* MiB went through.*/\1/p' b.log)" -gt 40 ]    # twice the 23 MiB of the records
	same a.rill b.rill
}

@test "one RNA larger than the memory goes through" {
	awk 'BEGIN {print ">long"; srand(2); for (i = 0; i < 40000; i++) printf "%s", substr("ACGUACGGCUAUGCAUGCCGAUGCAUGCUA", 1 + int(rand() * 10), 20); print ""}' > long.fa
	cat long.fa x.fa | rna-tokenize -q --long chunk --max 512 > big.rill
	rna-shuf big.rill > a.rill
	rna-shuf --mem 1M big.rill > b.rill
	same a.rill b.rill
}

@test "no temporary file is left" {
	mkdir tmp
	random_fasta 3000 200 400 3 > big.fa
	TMPDIR=tmp rna-shuf --mem 1M big.fa > /dev/null
	[ -z "$(ls -A tmp)" ]
	run -1 --separate-stderr env TMPDIR=no-such-folder rna-shuf --mem 1M big.fa -o out.rill
	[[ $stderr == "rna-shuf: "*"no-such-folder"*"No such file"* ]]
	one_line "$stderr"
	[ ! -e out.rill ]
	[ ! -e out.rill.part ]
}

@test "a sample is the head of the shuffled order, with true totals" {
	need jq
	rna-shuf -s 3 all.rill > s.rill
	rna-shuf -s 3 -n 40 all.rill > n.rill
	[ "$(units n.rill | wc -l)" = 40 ]
	[ "$(units n.rill)" = "$(units s.rill | head -n 40)" ]
	rna-shuf -n 1000 all.rill > n.rill
	[ "$(units n.rill | wc -l)" = 300 ]
}

@test "the header has the totals" {
	need jq
	rna-shuf -n 17 all.rill > n.rill
	[ "$(rna-view -H n.rill | jq .records)" = "$(rna-view -n n.rill)" ]
	[ "$(rna-view -H n.rill | jq .tokens)" = "$(records n.rill | jq '.tokens | length' | awk '{n += $1} END {print n}')" ]
	rna-shuf --split 0.7 --rest b.rill -o a.rill all.rill
	for f in a b; do
		[ "$(rna-view -H $f.rill | jq .records)" = "$(rna-view -n $f.rill)" ]
	done
}

@test "a split is disjoint and complete, near its share, and the same whatever the order" {
	need jq
	rna-shuf --split 0.7 -o a.rill --rest b.rill all.rill
	[ "$(records a.rill b.rill | sort | cksum)" = "$(records all.rill | sort | cksum)" ]
	units a.rill | sort > ua
	units b.rill | sort > ub
	[ -z "$(comm -12 ua ub)" ]
	[ "$(wc -l < ua)" -gt 180 ]
	[ "$(wc -l < ua)" -lt 240 ]
	rna-shuf -s 9 all.rill | rna-shuf --split 0.7 -o c.rill --rest d.rill
	[ "$(records a.rill | cksum)" = "$(records c.rill | cksum)" ]
	rna-shuf -s 2 --split 0.7 -o e.rill --rest f.rill all.rill
	units e.rill | sort > ue
	run ! cmp -s ue ua
}

@test "groups are not torn" {
	need jq
	awk '/^>/ {f = int(n / 5); n++; sub(/tRNA/, "f" f)} {print}' x.fa > families.fa
	rna-tokenize -q --label header --long chunk --max 100 families.fa > all.rill
	rna-shuf --split 0.5 --group label -o a.rill --rest b.rill all.rill
	records a.rill | jq -r .label | sort -u > la
	records b.rill | jq -r .label | sort -u > lb
	[ -s la ] && [ -s lb ]
	[ -z "$(comm -12 la lb)" ]
	[ "$(sort -u la lb | wc -l)" = 60 ]
	[ "$(records a.rill b.rill | sort | cksum)" = "$(records all.rill | sort | cksum)" ]
}

@test "shards keep the order and together are the whole" {
	need jq
	for i in 1 2 3 4; do rna-shuf --shard $i/4 -o $i.rill all.rill; done
	[ "$(records 1.rill 2.rill 3.rill 4.rill | sort | cksum)" = "$(records all.rill | sort | cksum)" ]
	[ "$(units 2.rill)" = "$(units all.rill | awk 'NR % 4 == 2')" ]
	rna-shuf --shard 1/1 all.rill > whole.rill
	[ "$(records whole.rill | cksum)" = "$(records all.rill | cksum)" ]
}

@test "concatenated streams become one; other vocabularies are refused" {
	cat all.rill all.rill | rna-shuf > two.rill
	[ "$(rna-view -n two.rill)" = $((2 * $(rna-view -n all.rill))) ]
	[ "$(rna-view -H two.rill | grep -c '"rill"')" = 1 ]
	sed 's/^\[DEL\]$/[XXX]/' "$ROOT/formats/vocab.txt" > vocab.txt
	rna-tokenize -q --vocab vocab.txt x.fa > other.rill
	run -1 --separate-stderr rna-shuf all.rill other.rill -o out.rill
	[[ $stderr == "rna-shuf: other.rill: tokens of vocabulary"* ]]
	one_line "$stderr"
	[ ! -e out.rill ]
}

@test "text is framed on the way in; an empty stream stays one" {
	rna-shuf x.fa > a.rill
	[ "$(rna-view -n a.rill)" = 300 ]
	rna-shuf --split 0.5 --rest b.rill -o a.rill x.fa
	rna-shuf -n 1 a.rill | rna-shuf --split 0.000001 --rest b.rill > empty.rill
	[ "$(rna-view -n empty.rill)" = 0 ]
	rna-shuf empty.rill > again.rill
	[ "$(rna-view -n again.rill)" = 0 ]
}

@test "wrong words are usage errors" {
	run -2 --separate-stderr rna-shuf --split 0.5 all.rill
	[[ $stderr == *"--split needs --rest FILE"* ]]
	run -2 --separate-stderr rna-shuf --split 1 --rest b all.rill
	run -2 --separate-stderr rna-shuf --group type all.rill
	[[ $stderr == *"--group needs --split"* ]]
	run -2 --separate-stderr rna-shuf --shard 0/3 all.rill
	run -2 --separate-stderr rna-shuf --shard 4/3 all.rill
	run -2 --separate-stderr rna-shuf --shard 3 all.rill
	run -2 --separate-stderr rna-shuf -n 3 --shard 1/3 all.rill
	run -2 --separate-stderr rna-shuf --mem 10 all.rill
	run -2 --separate-stderr rna-shuf --split 0.5 -o b --rest b all.rill
	run -1 --separate-stderr rna-shuf --split 0.5 --group nothing -o a --rest b all.rill
	[[ $stderr == *"all.rill: record 1: no field nothing to group by"* ]]
	[ ! -e a ] && [ ! -e b ]
	run -1 --separate-stderr rna-shuf --split 0.5 -o a --rest ./all.rill all.rill
	[[ $stderr == "rna-shuf: ./all.rill: is input and output at once" ]]
	run -1 --separate-stderr rna-shuf --split 0.5 -o b --rest ./b all.rill
	one_line "$stderr"
}
