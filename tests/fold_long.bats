#!/usr/bin/env bats
# fold_long.bats: rna-fold where an RNA is long for the threads or the memory that there are.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# bats test_tags=slow
@test "threads that share one long RNA find the same ensemble" {
	random_fasta 1 1250 1250 8 >long.fa
	rna-fold -@1 --partition --least 1e-4 long.fa >a.rill
	OMP_WAIT_POLICY=passive rna-fold -@2 --partition --least 1e-4 long.fa >b.rill
	same a.rill b.rill
}

@test "threads that share one long RNA with scores find the same structure" {
	awk 'BEGIN { srand(3); L = 620
		for (i = 0; i < L; i++) s = s substr("GCAU", 1 + int(rand() * 4), 1)
		printf "{\"rill\":1}\n{\"rid:u64\":1, \"seq\":\"%s\", \"scores:f32:3,%d,%d\":[0", s, L, L
		for (i = 1; i < 3 * L * L; i++) printf ",%.2f", rand() - 0.5
		print "]}" }' | "$B/tests/record_make" >x.rill
	rna-fold -@1 x.rill | rna-view -O dbn >a.dbn
	for n in 2 3; do
		OMP_WAIT_POLICY=passive rna-fold -@$n x.rill | rna-view -O dbn >b.dbn
		same a.dbn b.dbn
	done
}

@test "scores and too little memory: one line at every limit, no file" {
	plain_build "a sanitizer needs the whole address space"
	awk 'BEGIN { L = 700
		for (i = 0; i < L; i++) s = s substr("GCAU", i * i % 4 + 1, 1)
		printf "{\"rill\":1}\n{\"rid:u64\":1, \"seq\":\"%s\", \"scores:f32:3,%d,%d\":[0", s, L, L
		for (i = 1; i < 3 * L * L; i++) printf ",0"
		print "]}" }' | "$B/tests/record_make" >big.rill
	said=0
	for limit in 16 20 24 28 32 1000; do
		rm -f out.rill
		run --separate-stderr bash -c "ulimit -v ${limit}000; rna-fold -o out.rill big.rill"
		[ "$status" != 0 ] || break
		[ "$status" = 1 ]
		one_line "$stderr"
		[ ! -e out.rill ]
		[[ $stderr != *"folding 700 nt takes "*" MiB, which can't be had" ]] || said=1
	done
	[ "$status" = 0 ]
	[ "$said" = 1 ]
}
