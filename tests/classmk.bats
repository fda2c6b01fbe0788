#!/usr/bin/env bats
# The scripts of classify.mk and coding.mk on inputs whose results are known, and both pipelines' plans.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	P=$ROOT/pipelines
}

@test "match.awk: as many of either label in each class of length" {
	awk 'BEGIN { for (i = 1; i <= 40; i++) { printf ">r%d %s\n", i, i % 4 ? "pc" : "lnc"
		n = i % 4 ? 20 + 10 * i : 20 + 5 * i; s = ""; for (k = 0; k < n; k++) s = s "A"; print s } }' >in.fa
	awk -f "$P/match.awk" in.fa >out.fa
	[ -s out.fa ]
	count() { awk '/^>/ { l = $2; next } { print int(2 * log(length($0)) / log(2)), l }' "$1" | sort | uniq -c; }
	count out.fa | awk '{ n[$2 " " $3] = $1; bins[$2] }
		END { for (b in bins) if (n[b " pc"] != n[b " lnc"]) exit 1 }'
	# nothing is left that could be paired
	[ "$(grep -c lnc out.fa)" = "$(count in.fa | awk '{ n[$2 " " $3] = $1; bins[$2] } END {
		for (b in bins) s += n[b " pc"] + 0 < n[b " lnc"] + 0 ? n[b " pc"] : n[b " lnc"]; print s }')" ]
}

@test "classtable.awk: mean and deviation over seeds, and what was not run" {
	mkdir clean paper
	for s in 1 2 3; do
		{ printf 'metric\tvalue\tlow\thigh\tn\naccuracy\t0.%d\t0\t1\t50\n' $s
		printf 'macro_f1\t0.5\t0\t1\t50\nmcc\t0.25\t0\t1\t50\n'; } >clean/best-cut-$s.tsv
	done
	awk -f "$P/classtable.awk" -v protocols='clean paper' -v rows='best-cut random' clean/*.tsv >table
	[ "$(sed -n 2p table)" = \
		"$(printf 'best-cut\t3\t0.200 +- 0.100\t0.500 +- 0.000\t0.250 +- 0.000\t0'
		printf '\tnot run%.0s' 1 2 3)" ]
	[ "$(sed -n 3p table | cut -f 1-3)" = "$(printf 'random\t0\tnot run')" ]
}

@test "paired.awk reads what rna-score --against writes" {
	random_fasta 30 20 60 1 | awk '/^>/ { print $1, "c" n++ % 2; next } 1' |
		rna-tokenize -q --label header -o lab.rill
	for k in 1 2; do
		rna-embed -q --kmer $k lab.rill | rna-train class -q --from kmer -o m$k
		rna-predict -q -m m$k -o p$k.rill lab.rill
	done
	rna-score class -q p2.rill --against p1.rill | awk -f "$P/paired.awk" -v a=two -v b=one >out
	[ "$(cut -f 1-3 out | tr '\t' ' ' | paste -sd,)" = "two one accuracy,two one macro_f1,two one mcc" ]
	awk -F '\t' '{ if ($5 > $4 || $6 < $4) exit 1 }' out
}

@test "both pipelines say what they are, and plan every row from raw files" {
	need make zstd
	for p in classify coding; do
		make -s -f "$P/$p.mk" help | grep -q "SMALL=1"
	done
	mkdir -p data/sequence/nRC data/sequence/lncRNA data/sequence/motif
	touch data/sequence/nRC/{train,train.notest,test}.fa data/sequence/corpus.fa.zst
	touch data/sequence/lncRNA/{human_cpat,mouse_prelnc}.{train,test}.fa.zst
	make -n -f "$P/classify.mk" DATA=data OUT=o >plan
	for row in random base subsequence motif best stack; do
		[ "$(grep -c -- "-o o/clean/$row-[123] " plan)" = 3 ]
		grep -q -- "-o o/paper/$row-1 " plan
	done
	grep -q -- '--adapt stack --types 3' plan
	make -n -f "$P/coding.mk" DATA=data OUT=o >plan
	for row in best best-cut random; do
		[ "$(grep -c -- "-o o/[a-z.]*/$row-1 " plan)" = 4 ]
	done
}

# RNAs of two or more labels whose letters differ, FIRST to LAST of them: labels FIRST LAST SHORTEST LONGEST LABEL...
labelled() {
	awk -v first="$1" -v last="$2" -v least="$3" -v most="$4" -v labels="${*:5}" 'BEGIN { srand(first + 7)
		n = split(labels, label, " ")
		for (i = first; i <= last; i++) {
			s = ""
			m = least + int(rand() * (most - least + 1))
			for (k = 0; k < m; k++)
				s = s substr("ACGU", 1 + (rand() < 0.2 ? i % n : int(rand() * 4)), 1)
			printf ">r%d %s\n%s\n", i, label[i % n + 1], s
		} }'
}

# bats test_tags=deep
@test "from raw files to tables: no row of the three is missing" {
	need make zstd gnuplot
	mkdir -p data/sequence/{nRC,lncRNA,motif,DeepMirTar}
	for s in human_cpat mouse_prelnc; do
		labelled 1 60 200 600 lnc pc | zstd -q >data/sequence/lncRNA/$s.train.fa.zst
		labelled 61 80 200 600 lnc pc | zstd -q >data/sequence/lncRNA/$s.test.fa.zst
	done
	make -f "$P/coding.mk" DATA=data OUT=c RNAS=24 FROZEN=30 TEST=12 EPOCHS=1 >log 2>&1 || { cat log; false; }
	[ "$(grep -c . c/table.tsv)" = 22 ]
	labelled 1 60 40 90 tRNA leader miRNA >data/sequence/nRC/train.notest.fa
	labelled 61 80 40 90 tRNA leader miRNA >data/sequence/nRC/test.fa
	{ cat data/sequence/nRC/train.notest.fa; head -n 20 data/sequence/nRC/test.fa; } >data/sequence/nRC/train.fa
	labelled 100 400 40 90 tRNA rRNA miRNA | zstd -q >data/sequence/corpus.fa.zst
	echo GGAUCC >data/sequence/motif/ATtRACT.txt
	make -j2 -f "$P/classify.mk" DATA=data OUT=n RNAS=40 EPOCHS=1 SEEDS=1 PRETRAIN=2 >log 2>&1 ||
		{ cat log; false; }
	[ "$(grep -c . n/table.tsv)" = 17 ]
	[ -s n/confusion.svg ]
	# where the letters of a test RNA stand in training, the look-up is right: ten of twenty, in one protocol
	grep '^lookup-all' n/table.tsv | awk -F '\t' '{ exit !($7 >= 0.5 && $7 > $3) }'
	{ echo a_name,a_seq,b_name,b_seq,label
	labelled 1 120 21 24 m | awk '/>/ { n++; next } { a = substr($0, 1, 21); t = $0; getline; getline
		printf "m%d,%s,t%d,%s,%d\n", n, a, n, substr($0 t, 1, 40), n % 2 }'
	} >data/sequence/DeepMirTar/MirTarRAW.csv
	make -f "$P/interact.mk" DATA=data OUT=i EPOCHS=1 TUNED=1 >log 2>&1 || { cat log; false; }
	[ "$(grep -c . i/table.tsv)" = 15 ]
	cat c/table.tsv n/table.tsv | grep -c 'not run' | grep -qx 0
	for t in c n i; do
		[ "$(tail -n 1 $t/table.tsv | grep -o '[0-9]* test RNAs' | grep -c '^0')" = 0 ]
	done
}
