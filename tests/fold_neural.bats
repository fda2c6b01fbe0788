# fold_neural.bats: rna-fold on records with the scores of a network.  The recurrences: unit_neural.c, unit_neural_golden.c.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# scored RID SEQ "MAP,I,J=X ..." [MORE]: a record as JSON whose scores are 0 but for those; MORE: further keys
scored() {
	awk -v rid="$1" -v seq="$2" -v set="$3" -v more="$4" 'BEGIN {
		L = length(seq)
		n = split(set, s, " ")
		for (k = 1; k <= n; k++) {
			split(s[k], a, "=")
			v[a[1]] = a[2]
		}
		printf "{\"rid:u64\":%d, \"name\":\"r%d\", \"seq\":\"%s\"%s, \"scores:f32:3,%d,%d\":[", rid, rid, seq, more, L, L
		for (c = 0; c < 3; c++)
			for (i = 0; i < L; i++)
				for (j = 0; j < L; j++) {
					k = c "," i "," j
					printf "%s%s", (c + i + j > 0 ? "," : ""), (k in v ? v[k] : 0)
				}
		print "]}"
	}'
}

# random_scored N SEED: N records of 5 to 90 nt with random scores and lengths
random_scored() {
	awk -v n="$1" -v seed="$2" 'BEGIN {
		srand(seed)
		print "{\"rill\":1}"
		for (r = 1; r <= n; r++) {
			L = 5 + int(rand() * 86)
			s = ""
			for (i = 0; i < L; i++)
				s = s substr("ACGU", 1 + int(rand() * 4), 1)
			printf "{\"rid:u64\":%d, \"name\":\"r%d\", \"seq\":\"%s\", \"lengths:f32\":[", r, r, s
			for (i = 0; i < 194; i++)
				printf "%s%.4f", (i > 0 ? "," : ""), rand() - 0.5
			printf "], \"scores:f32:3,%d,%d\":[", L, L
			for (i = 0; i < 3 * L * L; i++)
				printf "%s%.4f", (i > 0 ? "," : ""), 2 * rand() - 1
			print "]}"
		}
	}'
}

records() {
	"$B/tests/record_make"
}

answers() {
	rna-view -O json "$@" | jq -c '[.structure, (.energy * 100 | round), (.score * 100 | round)]'
}

# refused WORDS JSON ARGS...: the records end rna-fold with 1 and one line
refused() {
	local words=$1 json=$2
	shift 2
	printf '%s\n' '{"rill":1}' "$json" | records > bad.rill
	run -1 --separate-stderr rna-fold "$@" bad.rill
	one_line "$stderr"
	no_crash "$stderr"
	echo "$stderr"
	[[ $stderr == "rna-fold: bad.rill: record 1: "*"$words"* ]]
}

@test "scores are added to Turner's energies; energy is that of the structure alone" {
	need jq
	{
		echo '{"rill":1}'
		scored 1 GGGGAAAACCCC ""
		scored 2 GGGGAAAACCCC "0,0,11=1" # the outer stack closes
		scored 3 GGGGAAAACCCC "1,11,0=-10" # the helix opens at the ends
		scored 4 ggggtttttcccc "2,4,8=0.5"
	} | records > x.rill
	rna-fold x.rill > y.rill
	answers y.rill > out
	printf '%s\n' '["((((....))))",-540,540]' '["((((....))))",-540,640]' '["(((.....))).",-420,420]' \
		'["((((.....))))",-580,630]' > want
	diff want out
	rna-view -c y.rill
	rna-view -O dbn y.rill | head -3 > out
	printf '>r1\nGGGGAAAACCCC\n((((....)))) ( -5.40)\n' > want
	same out want
}

@test "special hairpins are in the energy, not in the score, as the networks were trained" {
	need jq
	{ echo '{"rill":1}'; scored 1 GGGCUUCGGCCC ""; } | records | rna-fold | answers > out
	[ "$(cat out)" = '["((((....))))",-630,540]' ]
	[ "$(printf '>a\nGGGCUUCGGCCC\n' | rna-fold | rna-view -O dbn | tail -1)" = "((((....)))) ( -6.30)" ]
}

@test "lengths count, and records without scores fold as ever among the others" {
	need jq
	lengths=$(awk 'BEGIN { printf ", \"lengths:f32\":["; for (i = 0; i < 194; i++) printf "%s%s", i ? "," : "", i == 4 ? 0.25 : i == 167 ? 2 : 0; print "]" }')
	{
		echo '{"rill":1}'
		scored 1 GGGGAAAACCCC "" "$lengths" # HAIRPIN[4] and HELIX[4]
		echo '{"rid:u64":2, "name":"b", "seq":"GGGGAAAACCCC"}'
	} | records | rna-fold > y.rill
	rna-view -O json y.rill | jq -c '[.structure, .energy, .score]' > out
	printf '%s\n' '["((((....))))",-5.4000001,7.6500001]' '["((((....))))",-5.4000001,null]' > want
	diff want out
}

@test "the same bytes on one thread and more, at every level of the processor; energies are those of the structures" {
	need jq
	random_scored 30 7 | records > x.rill
	rna-fold x.rill > a.rill
	OMP_WAIT_POLICY=passive rna-fold -@3 x.rill > b.rill
	same a.rill b.rill
	for level in plain avx2; do
		RILL_CPU=$level rna-fold x.rill > b.rill
		same a.rill b.rill
	done
	rna-view -O dbn a.rill > a.dbn
	rna-fold --eval a.rill | grep -v : > eval.dbn
	same a.dbn eval.dbn
	[ "$(rna-view -O json a.rill | jq -c '[.name]' | sort -u | wc -l)" = 30 ]
	rna-view -O json a.rill | jq -c 'del(.structure, .energy, .score)' > out
	rna-view -O json x.rill | jq -c . > want
	same out want
}

@test "constraints and spans hold with scores; temperature counts" {
	need jq
	{
		echo '{"rill":1}'
		scored 1 GGGGAAAACCCC "1,11,0=-10" ', "constraint":"x..........."'
		scored 2 GGGGAAAACCCC "" ', "constraint":"............"'
	} | records > x.rill
	rna-fold --constraint field x.rill | answers > out
	printf '%s\n' '[".(((....))).",-310,310]' '["((((....))))",-540,540]' > want
	diff want out
	[ "$(rna-fold --max-span 6 x.rill | answers | head -1)" = '["............",0,0]' ]
	rna-fold -T 60 x.rill | rna-view -O json | jq -e '-.energy * 1000 - .score * 1000 | fabs < 1'
}

@test "empty, one base, all N" {
	need jq
	{ echo '{"rill":1}'; scored 1 "" ""; scored 2 A "2,0,0=0.5"; scored 3 NNNNNNNNNNNN ""; } | records | rna-fold |
		answers > out
	printf '%s\n' '["",0,0]' '[".",0,50]' '["............",0,0]' > want
	diff want out
}

@test "scores of the wrong shape or value, and options that do not go with them" {
	refused 'scores is f32[3,2,2], not f32[3,5,5] for a sequence of 5 nt' \
		'{"rid:u64":1, "seq":"GAAAC", "scores:f32:3,2,2":[0,0,0,0,0,0,0,0,0,0,0,0]}'
	refused 'scores is f32[3], not f32[3,1,1]' '{"rid:u64":1, "seq":"G", "scores:f32":[0,0,0]}'
	refused 'scores is u32[3,1,1], not' '{"rid:u64":1, "seq":"G", "scores:u32:3,1,1":[0,0,0]}'
	refused 'lengths is f32[2], not f32[194]' \
		'{"rid:u64":1, "seq":"G", "scores:f32:3,1,1":[0,0,0], "lengths:f32":[1,2]}'
	refused 'scores[1,0,0] is' '{"rid:u64":1, "seq":"G", "scores:f32:3,1,1":[0,1e38,0]}'
	local one='{"rid:u64":1, "seq":"G", "scores:f32:3,1,1":[0,0,0]}'
	refused '--no-lonely' "$one" --no-lonely
	for o in --partition --mea --centroid "--sample 2"; do
		# shellcheck disable=SC2086
		refused 'do not go with' "$one" $o
	done
}
