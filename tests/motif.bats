# motif.bats: rna-motif: counts, merges, and the list it prints.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	random_fasta 200 5 300 13 > x.fa
}

# words FILE: its motifs
words() {
	grep -v '^#' "$1"
}

# naive K FILE: the words of K letters and their counts, most frequent first, then alphabetical
naive() {
	awk -v k="$1" '!/^>/ {for (i = 1; i + k - 1 <= length($0); i++) {w = substr($0, i, k); if (w !~ /[^ACGU]/) n[w]++}}
		END {for (w in n) print n[w], w}' "$2" | sort -k1,1nr -k2,2
}

@test "the most frequent words of each length, as counted by awk" {
	sed '/^>/!s/^\(.\{9\}\)./\1N/' x.fa > n.fa
	rna-motif --top 20 --min 3 --max 6 n.fa > list
	for k in 3 4 5 6; do naive $k n.fa | head -n 20 | cut -d ' ' -f 2; done > want
	words list > have
	same have want
}

@test "FASTA, stream, lower case, T and threads make no difference" {
	rna-motif x.fa > a
	rna-tokenize -q --frame type x.fa | rna-motif > b
	same a b
	sed '/^>/!y/ACGU/acgt/' x.fa | rna-motif -@2 > b
	same a b
	rna-motif -o c x.fa
	same a c
}

@test "lists are merged, U and T alike, each motif once" {
	printf 'ACGU\r\n# comment\n\n  GGATCC\t\nACGT\nacgt\n' > a.txt
	printf 'UUUUU\nGGAUCC\nTTTTT' > b.txt
	rna-motif --top 0 --merge a.txt --merge b.txt > list
	[ "$(words list | paste -sd ' ' -)" = 'ACGU GGAUCC UUUUU' ]
	gzip -k a.txt
	rna-motif --top 0 --merge a.txt.gz --merge b.txt > list2
	[ "$(words list | cksum)" = "$(words list2 | cksum)" ]
	rna-motif --top 5 --merge a.txt x.fa > list
	[ -z "$(words list | sort | uniq -d)" ]
	[ "$(words list | tail -n 1)" = GGAUCC ]
	# a list it printed is a list it reads
	rna-motif --top 0 --merge list > again
	[ "$(words list | cksum)" = "$(words again | cksum)" ]
}

@test "the report has counts, duplicates, lengths and hits" {
	printf 'ACGU\nACGT\nAC\n' > a.txt
	printf '>x\nACACGUN\n' > y.fa
	run -0 --separate-stderr rna-motif -v --top 3 --min 2 --max 2 --merge a.txt y.fa
	[[ $stderr == *"a.txt: 3 lines, 2 motifs (1 duplicate lines, 1 in the lists before), 2 to 4 letters; 500.0 hits per kb"* ]]
	[[ $stderr == *"mined: 3 motifs, 2 to 2 letters; 666.7 hits per kb"* ]]
	[ "${lines[3]}" = AC ]
}

@test "lines that are no motifs are refused with file and line" {
	for bad in ACGN 'AC GU' ACG1 A '>x' '-' "$(printf 'A%.0s' {1..256})"; do
		printf 'ACGU\n%s\n' "$bad" > bad.txt
		run -1 --separate-stderr rna-motif --top 0 --merge bad.txt
		[[ $stderr == "rna-motif: bad.txt: line 2: "* ]]
		one_line "$stderr"
		[ -z "$output" ]
	done
	printf '%s\n' "$(printf 'A%.0s' {1..255})" > good.txt
	rna-motif --top 0 --merge good.txt > list
}

@test "masked records are refused" {
	rna-mask x.fa > m.rill
	run -1 --separate-stderr rna-motif m.rill
	[[ $stderr == "rna-motif: m.rill: record 1: masked"* ]]
	one_line "$stderr"
}

@test "wrong words are usage errors" {
	run -2 --separate-stderr rna-motif --min 9 x.fa
	run -2 --separate-stderr rna-motif --max 13 x.fa
	run -2 --separate-stderr rna-motif --min 1 x.fa
	run -2 --separate-stderr rna-motif --top -1 x.fa
	run -2 --separate-stderr rna-motif --top 0 x.fa
	run -1 --separate-stderr rna-motif --merge no-such-file x.fa
	one_line "$stderr"
}

@test "words of 12 letters can be counted" {
	rna-motif --min 12 --max 12 --top 3 x.fa > list
	naive 12 x.fa | head -n 3 | cut -d ' ' -f 2 > want
	words list > have
	same have want
}
