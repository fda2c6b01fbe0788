# fold.bats: rna-fold: what comes out of which input.  Energies against other programs and by enumeration: unit_fold.c.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	random_fasta 60 1 120 5 > x.fa
}

dbn() {
	rna-view -O dbn "$@"
}

# fails WORDS ARGS...: ends with 1 and says WORDS in one line
fails() {
	local words=$1
	shift
	run -1 --separate-stderr rna-fold "$@"
	one_line "$stderr"
	no_crash "$stderr"
	echo "$stderr"
	[[ $stderr == "rna-fold: "*"$words"* ]]
}

@test "RNAfold's answer for a hairpin, as RNAfold prints it" {
	printf '>a\nGGGGAAAACCCC\n' | rna-fold | dbn > out
	printf '>a\nGGGGAAAACCCC\n((((....)))) ( -5.40)\n' > want
	same out want
}

@test "a terminal shows name, sequence, structure and energy" {
	need script
	printf '>a\nGGGGAAAACCCC\n' > a.fa
	script -qec "rna-fold a.fa" /dev/null | tr -d '\r' > out
	printf '>a\nGGGGAAAACCCC\n((((....)))) ( -5.40)\n' > want
	same out want
}

@test "empty, one base, all N, T and lower case" {
	printf '>e\n\n>one\nA\n>n\nNNNNNNNNNN\n>t\nggggtttttcccc\n>u\nGGGGUUUUUCCCC\n>four\nGAAC\n' > s.fa
	rna-fold s.fa | dbn | sed -n '3~3p' > out
	printf '%s\n' ' (  0.00)' '. (  0.00)' '.......... (  0.00)' '((((.....)))) ( -5.80)' '((((.....)))) ( -5.80)' \
		'.... (  0.00)' > want
	diff want out
}

@test "other fields are passed on; a stream and FASTA give the same records" {
	need jq
	rna-tokenize -q --frame type --type header x.fa > x.rill
	rna-fold x.rill | rna-view -O json > a
	rna-view -O json x.rill > b
	[ "$(jq -c 'del(.structure, .energy)' a | cksum)" = "$(jq -c . b | cksum)" ]
	rna-fold x.fa | rna-view -O json | jq -c '[.name, .structure, .energy]' > c
	jq -c '[.name, .structure, .energy]' a > d
	same c d
	[ "$(wc -l < c)" = 60 ]
}

@test "the same bytes on one thread and two, at every level of the processor" {
	rna-fold -@1 x.fa > a.rill
	OMP_WAIT_POLICY=passive rna-fold -@2 x.fa > b.rill
	same a.rill b.rill
	rna-fold < x.fa > b.rill
	same a.rill b.rill
	for level in plain avx2; do
		RILL_CPU=$level rna-fold x.fa > b.rill
		same a.rill b.rill
	done
}

@test "threads that share one long RNA find the same structure" {
	for o in "" "--no-lonely" "--max-span 90" "--dangles 0"; do
		random_fasta 1 600 700 8 > long.fa
		# shellcheck disable=SC2086
		rna-fold -@1 $o long.fa > a.rill
		for n in 2 3; do
			# shellcheck disable=SC2086
			OMP_WAIT_POLICY=passive rna-fold -@$n $o long.fa > b.rill
			same a.rill b.rill
		done
	done
}

@test "a concatenation folds as its parts" {
	rna-tokenize -q x.fa > x.rill
	rna-fold x.rill > a.rill
	cat x.rill x.rill | rna-fold > c.rill
	cat a.rill a.rill > d.rill
	same c.rill d.rill
}

@test "what was folded evaluates to its energy" {
	for opts in "" "--dangles 0" "-T 25" "-T 70.5 --dangles 0"; do
		# shellcheck disable=SC2086
		rna-fold $opts x.fa | dbn > a
		# shellcheck disable=SC2086
		rna-fold $opts --eval a | grep -v ' loop ' > b
		same a b
	done
}

@test "eval prints the loops, which add up to the energy" {
	printf '>m\nGGGAAAGGGAAAACCCAAGGGAAAACCCAACCC\n(((...(((....)))..(((....)))..)))\n' > m.dbn
	rna-fold --eval m.dbn > out
	grep -q '^External loop  *:  *[-0-9]*$' out
	grep -q '^Multi    loop (  3, 31) GC  *:' out
	grep -q '^Interior loop (  7, 16) GC; (  8, 15) GC:  -330$' out
	grep -q '^Hairpin  loop (  9, 14) GC  *:   450$' out
	[ "$(awk '/ loop /{ s += $NF } END { printf "%.2f", s / 100 }' out)" = "$(sed -n 's/.*( *\(.*\))$/\1/p' out | tail -1)" ]
}

@test "no lonely pairs; a limit on the span" {
	rna-fold --no-lonely x.fa | dbn | awk 'NR % 3 == 0' | sed 's/ (.*//' > s
	# an isolated pair: a bracket whose partner's neighbours are not paired with its own
	awk '{ n = length($1); d = 0
		for (i = 1; i <= n; i++) { c = substr($1, i, 1); p[i] = 0
			if (c == "(") st[++d] = i; else if (c == ")") { j = st[d--]; p[i] = j; p[j] = i } }
		for (i = 1; i <= n; i++) if (p[i] > i && p[i + 1] != p[i] - 1 && (i == 1 || p[i - 1] != p[i] + 1)) bad++ }
		END { exit bad > 0 }' s
	rna-fold --max-span 20 x.fa | dbn | awk 'NR % 3 == 0' | sed 's/ (.*//' |
		awk '{ d = 0; for (i = 1; i <= length($1); i++) { c = substr($1, i, 1)
			if (c == "(") { st[++d] = i; n++ } else if (c == ")" && i - st[d--] + 1 > 20) bad++ } } END { exit bad > 0 || n == 0 }'
	rna-fold --noLP --maxBPspan 20 x.fa > a.rill
	rna-fold --no-lonely --max-span 20 x.fa > b.rill
	rna-view -O json a.rill > a
	rna-view -O json b.rill > b
	same a b
}

@test "constraints from a file, from a field, and as third line" {
	printf '>a\nGGGGAAAACCCC\n>b\nGGGGAAAACCCC\n' > ab.fa
	printf '# comment\nb xx..........\n' > c.txt
	rna-fold --constraint c.txt ab.fa | dbn | sed -n '3~3p' > out
	[ "$(head -1 out)" = '((((....)))) ( -5.40)' ]
	[[ $(tail -1 out) == ..* ]]
	printf '>b\nGGGGAAAACCCC\nx..........x\n' | rna-fold --constraint field | dbn | tail -1 | grep -q '^\.((.*))\. '
	printf '>b\nGGGGAAAACCCC\n.(........).\n' | rna-fold --constraint field | dbn | tail -1 | grep -q '^((((.*))))'
	printf '>b\nGGGGAAAACCCC\n(.........).\n' | rna-fold --constraint field | dbn | tail -1 | grep -q '^(((\.*)))\. '
}

@test "constraints that do not fit" {
	printf '>a\nGGGGAAAACCCC\n' > a.fa
	printf 'a ((....\n' > c.txt
	fails "6 letters, the sequence 12" --constraint c.txt a.fa
	printf 'a ((..........\n' > c.txt
	fails "leaves 2 ( open" --constraint c.txt a.fa
	printf 'a ...........)\n' > c.txt
	fails "closes nothing" --constraint c.txt a.fa
	printf 'a ....q.......\n' > c.txt
	fails "not one of" --constraint c.txt a.fa
	printf 'a\n' > c.txt
	fails "c.txt: line 1: not a name and a constraint" --constraint c.txt a.fa
	printf 'a ............\na ............\n' > c.txt
	fails "two constraints for a" --constraint c.txt a.fa
	fails "No such file" --constraint nothing.txt a.fa
	printf 'a\0b\n' > c.txt
	fails "not a text" --constraint c.txt a.fa
}

@test "parameter files with a fault" {
	par=$ROOT/formats/turner2004.par
	printf '>a\nGGGGAAAACCCC\n' > a.fa
	rna-fold a.fa | dbn > want
	rna-fold -P "$par" a.fa | dbn > out
	same out want
	grep -q '^ *-240' "$par"
	awk '/^# /{ skip = $2 == "int22" } !skip' "$par" > p.par
	fails "p.par: no block int22" -P p.par a.fa
	awk '/^# /{ skip = $2 == "stack_enthalpies" } !skip' "$par" > p.par
	fails "no block stack_enthalpies" -P p.par a.fa
	sed '0,/-240/s//-2i40/' "$par" > p.par
	fails "not an energy" -P p.par a.fa
	sed '0,/-240/s//-240 7/' "$par" > p.par
	fails "too many values in block stack" -P p.par a.fa
	sed '0,/-240/s///' "$par" > p.par
	fails "too few values in block stack" -P p.par a.fa
	sed '0,/-240/s//nan/' "$par" > p.par
	fails "not an energy" -P p.par a.fa
	printf '# nonsense\n1 2 3\n' > p.par
	fails "unknown block: nonsense" -P p.par a.fa
	: > p.par
	fails "no block stack" -P p.par a.fa
	head -c 3000 /dev/zero > p.par
	fails "no block stack" -P p.par a.fa
	head -c 100000 "$par" > p.par
	fails "" -P p.par a.fa
}

@test "a special hairpin of a parameter file; DNA letters" {
	printf '>a\nGGGGAAAACCCC\n' > a.fa
	{ grep -v '^# *END' "$ROOT/formats/turner2004.par"; printf '# Tetraloops\nGAAAAC -900 -900\n'; } > p.par
	rna-fold -P p.par a.fa | dbn | tail -1 | grep -q '(-18.90)'
}

@test "a parameter file whose last line has no end is read to its last number, whatever its size" {
	printf '>a\nGGGGAAAACCCC\n' > a.fa
	{ grep -v '^# *END' "$ROOT/formats/turner2004.par"; printf '# Tetraloops\nGAAAAC -500 -9000\n'; } > whole
	want=$(rna-fold -T 30 -P whole a.fa | dbn | tail -1)
	[[ $want == *"("*"-"* ]]
	printf %s "$(< whole)" > cut.par
	[ "$(tail -c 5 cut.par)" = -9000 ]
	rna-fold -T 30 -P cut.par a.fa | dbn | tail -1 | grep -qxF -- "$want"
	# the last byte is the last of a block of the reader, or stands about there
	size=$(stat -c %s cut.par)
	for more in -1 0 1; do
		{ printf '/*%*s*/' $((65536 - size % 65536 - 4 + more)) ' '; cat cut.par; } > full
		[ $((($(stat -c %s full) - more) % 65536)) = 0 ]
		rna-fold -T 30 -P full a.fa | dbn | tail -1 | grep -qxF -- "$want"
	done
	# what lies behind the bytes is not looked at
	{ awk '/^# /{ skip = $2 == "NINIO" } !skip' "$ROOT/formats/turner2004.par" | grep -v '^# *END'; printf '# NINIO\n60 320 300'; } > ninio.par
	if [[ ${B##*/} == build ]] && command -v valgrind; then
		for f in cut.par ninio.par; do
			run -0 env RILL_CPU=plain valgrind -q --error-exitcode=99 rna-fold -P $f -o $f.rill a.fa
		done
	fi
	# an end within the last number is a number; a number short is a fault
	head -c -1 cut.par > less
	[ "$(rna-fold -T 30 -P less a.fa | dbn | tail -1)" != "$want" ]
	printf %s "$(head -n -1 whole; echo 'GAAAAC -500')" > less
	fails "" -P less a.fa
}

@test "100,000 nt with too little memory" {
	plain_build "a sanitizer needs the whole address space"
	[[ $B != *build-* ]] || skip "sanitizers want more address space than the limit"
	{ echo '>big'; head -c 100000 /dev/zero | tr '\0' A; echo; } > big.fa
	run -1 --separate-stderr bash -c "ulimit -v 4000000; rna-fold -o out.rill big.fa"
	one_line "$stderr"
	[[ $stderr == "rna-fold: big.fa: record 1: folding 100000 nt takes 37."*" GiB of memory, and "*" can be had" ]]
	[ ! -e out.rill ]
	[ ! -e out.rill.part ]
}

@test "chunks, pairs and records without a sequence are refused" {
	rna-tokenize -q --long chunk --max 30 x.fa > chunks.rill
	fails "is a chunk of a longer RNA" chunks.rill
	printf 'a,b\nACGU,GGGG\n' > p.csv
	rna-tokenize -q --from csv --pairs a,b p.csv > p.rill
	fails "is a pair of RNAs" p.rill
	fails "has no field structure" --eval x.fa
}

@test "structures that can't be evaluated" {
	printf '>p\nGGGGAAAACCCCAAAACCCC\n((((..[[))))..]]....\n' > p.dbn
	fails "pseudoknot" --eval p.dbn
	printf '>p\nGGGGAC\n((..))\n' > p.dbn
	fails "a hairpin has at least 3 bases" --eval p.dbn
}

@test "bad values" {
	for o in "--dangles 1" "--dangles 3" "-T nan" "-T -300" "--max-span 0" "--max-span x"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr rna-fold $o x.fa
	done
}

@test "probabilities of pairs and the ensemble" {
	need jq
	rna-fold --partition --least 0.5 x.fa | rna-view -O json > a
	jq -e -s 'all(.[]; .ensemble <= .energy + 0.001 and (.bpp_p | all(. >= 0.5 and . <= 1)) and (.bpp_ij | length) == (.bpp_p | length) and
		(.bpp_ij | all(.[0] + 4 <= .[1])))' a > /dev/null
	rna-fold --partition x.fa | rna-view -O json > b
	jq -e -s 'any(.[]; .bpp_p | any(. < 0.5))' b > /dev/null
	[ "$(jq -c '[.energy, .structure, .ensemble]' a | cksum)" = "$(jq -c '[.energy, .structure, .ensemble]' b | cksum)" ]
	printf '>e\n\n>n\nNNNNNNNN\n' | rna-fold --partition | rna-view -O json | jq -e -s 'all(.[]; .bpp_p == [] and .ensemble == 0)' > /dev/null
}

@test "structures of maximum expected accuracy, and centroids" {
	need jq
	printf '>a\nAGACGACAAGGUUGAAUCGCACCCACAGUCUAUGAGUCGGUGACAACAUUACGAAAGGCUGUAAAAUCAAUUAUUCACCACAGGGGGCCCCCGUGUCUAG\n' > a.fa
	[ "$(rna-fold --mea a.fa | rna-view -O json | jq -c '[.energy, .accuracy | . * 100 | round]')" = '[-1260,7670]' ]
	[ "$(rna-fold --centroid a.fa | rna-view -O json | jq -c '[.energy, .distance | . * 100 | round]')" = '[-960,1440]' ]
	[ "$(rna-fold --mea --gamma 1000 a.fa | dbn | tail -1 | tr -cd '(' | wc -c)" -gt 20 ]
	[ "$(rna-fold --mea --gamma 0 a.fa | dbn | tail -1 | tr -cd '(' | wc -c)" -le 1 ]
}

@test "samples: a record each, the same for the same seed" {
	need jq
	rna-fold --sample 5 -s 3 x.fa > a.rill
	rna-view -c a.rill
	[ "$(rna-view -n a.rill)" = 300 ]
	OMP_WAIT_POLICY=passive rna-fold -@2 --sample 5 -s 3 x.fa > b.rill
	same a.rill b.rill
	rna-view -O json a.rill | jq -e -s '[.[].sample] == ([range(60) | 0, 1, 2, 3, 4]) and all(.[]; has("_samples") or has("_energies") | not)' > /dev/null
	rna-fold --sample 5 -s 4 x.fa | rna-view -O json | jq -c .structure > c
	rna-view -O json a.rill | jq -c .structure > d
	run ! same c d
	# each evaluates to its energy
	dbn a.rill > e
	rna-fold --eval e | grep -v ' loop ' > f
	same e f
}

@test "ensembles keep to spans and constraints" {
	need jq
	rna-fold --partition --max-span 15 x.fa | rna-view -O json | jq -e -s 'all(.[]; .bpp_ij | all(.[1] - .[0] < 15))' > /dev/null
	printf '>b\nGGGGAAAACCCC\nx...........\n' | rna-fold --constraint field --partition --centroid | rna-view -O json |
		jq -e '(.bpp_ij | all(.[0] > 0)) and (.bpp_p | any(. > 0.5)) and (.structure | startswith("."))' > /dev/null
}

@test "options that exclude each other" {
	for o in "--mea --centroid" "--sample 2 --mea" "--no-lonely --partition" "--eval --mea" "--sample 0" "--gamma -1" "--least 2"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr rna-fold $o x.fa
		[[ ${stderr_lines[0]} == "rna-fold: "* ]]
	done
}
