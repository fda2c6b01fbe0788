#!/usr/bin/env bats
# rna-tokenize: formats and their traps, frames, lengths, types, labels, counts.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# field NAME: that field of the JSON lines on stdin, one a line
field() { sed -E "s/.*\"$1\":(\"[^\"]*\"|\[[^]]*\]|[^,}]*).*/\1/"; }

# tok TEXT ARGS...: JSON lines of what rna-tokenize makes of TEXT (printf escapes)
tok() {
	local text=$1
	shift
	# shellcheck disable=SC2059 # the text is meant to be a format
	printf "$text" | rna-tokenize "$@" | rna-view -O json
}

@test "letters become RNAErnie's ids: T is U, case says nothing, other letters are [UNK]" {
	run -0 tok '>a\nACGUacgtN-\n'
	[ "$(field tokens <<<"$output")" = '[2,35,37,38,36,35,37,38,36,1,1,3]' ]
	[ "$(field seq <<<"$output")" = '"ACGUacgtN-"' ]
}

@test "the typed frame always has the slot" {
	run -0 tok '>a tRNA\nAC\n>b nothing\nAC\n' --frame type --type header
	[ "$(field tokens <<<"${lines[0]}")" = '[2,35,37,6,31,3]' ]
	[ "$(field type <<<"${lines[0]}")" = '"tRNA"' ]
	[ "$(field tokens <<<"${lines[1]}")" = '[2,35,37,6,4,3]' ]
	[[ ${lines[1]} != *'"type"'* ]]
}

@test "the same text in any packing gives the same bytes, on any number of threads" {
	need gzip zstd
	random_fasta 300 0 900 1 >a.fa
	rna-tokenize --long chunk a.fa >plain.rill
	gzip -k a.fa
	zstd -q -k a.fa
	for f in a.fa.gz a.fa.zst; do
		rna-tokenize --long chunk "$f" >packed.rill
		same plain.rill packed.rill
	done
	rna-tokenize --long chunk <a.fa >pipe.rill
	same plain.rill pipe.rill
	rna-tokenize -@ 3 --long chunk a.fa -o threads.rill
	same plain.rill threads.rill
}

@test "several files are as many streams" {
	printf '>a\nAC\n' >a.fa
	printf '>b\nGU\n' >b.fa
	rna-tokenize a.fa b.fa >both.rill
	cat <(rna-tokenize a.fa) <(rna-tokenize b.fa) >cat.rill
	same both.rill cat.rill
}

@test "an RNA over --max is an error that names the options to add" {
	printf '>a\nACGU\n>b\nACGUACGU\n' >a.fa
	run -1 --separate-stderr rna-tokenize --max 6 a.fa -o out.rill
	one_line "$stderr"
	[ "$stderr" = 'rna-tokenize: a.fa: record 2: 8 nt are more than --max 6 takes: add --long drop, truncate or chunk' ]
	[ ! -e out.rill ] && [ ! -e out.rill.part ]
}

@test "drop, truncate and chunk, and their counts in header and closing line" {
	printf '>a\nACGU\n>b\nACGUACGUAC\n' >a.fa
	for policy in drop truncate chunk; do
		run -0 --separate-stderr rna-tokenize -v --max 6 --long "$policy" a.fa -o out.rill
		one_line "$stderr"
		case $policy in
		drop) want='dropped 1 (10 nt), cut 0 (0 nt), split 0 into 0' n=1 ;;
		truncate) want='dropped 0 (0 nt), cut 1 (6 nt), split 0 into 0' n=2 ;;
		chunk) want='dropped 0 (0 nt), cut 0 (0 nt), split 1 into 3' n=4 ;;
		esac
		[[ $stderr == *"2 RNAs of 14 nt; $want"* ]]
		[ "$(rna-view -n out.rill)" = "$n" ]
		rna-view -H out.rill | tr -d ' \n' >header
		case $policy in
		drop) grep -q '"dropped":1,"dropped_nt":10,' header ;;
		truncate) grep -q '"truncated":1,"truncated_nt":6,' header ;;
		chunk) grep -q '"chunked":1,"chunks":3,' header ;;
		esac
		grep -q "\"records\":$n,\"tokens\"" header
	done
}

@test "chunks share the overlap asked for and add up to the whole" {
	run -0 tok '>a\nAAAACCCCGGGGUUUU\n' --max 8 --long chunk --overlap 2
	[ "$(field seq <<<"$output" | tr '\n' ' ')" = '"AAAACC" "CCCCGG" "GGGGUU" "UUUU" ' ]
	[ "$(field chunk <<<"$output" | tr '\n' ' ')" = '[0,0] [1,4] [2,8] [3,12] ' ]
	[ "$(field last <<<"$output" | tr '\n' ' ')" = '0 0 0 1 ' ]
	[ "$(field rid <<<"$output" | sort -u | wc -l)" = 1 ]
}

@test "--long is 512 tokens unless --max says otherwise" {
	random_fasta 1 510 510 1 >fits.fa
	random_fasta 1 511 511 1 >long.fa
	[ "$(rna-tokenize --long drop fits.fa | rna-view -n)" = 1 ]
	[ "$(rna-tokenize --long drop long.fa | rna-view -n)" = 0 ]
	[ "$(rna-tokenize --long drop --frame type --type tRNA fits.fa | rna-view -n)" = 0 ]
	[ "$(rna-tokenize --long drop --max 513 long.fa | rna-view -n)" = 1 ]
}

# bats test_tags=slow
@test "a larger stream than is held back has the same records" {
	seq=$(yes ACGUUGCA | tr -d '\n' | head -c 1000000)
	for ((i = 0; i < 40; i++)); do printf '>r%d\n%s\n' $i "$seq"; done >big.fa
	rna-tokenize big.fa >big.rill
	[ "$(rna-view -n big.rill)" = 40 ]
	[ "$(rna-view -H big.rill | grep -c counts)" = 0 ]
	rna-view -O fasta big.rill >back.fa
	same big.fa back.fa
}

@test "types: an option, the header, an id_mapping table" {
	run -0 tok '>a\nA\n' --type lnc_RNA
	[ "$(field type <<<"$output")" = '"lncRNA"' ]
	run -0 tok '>U1_9606 rRNA from 13 species\nA\n' --type header
	[ "$(field type <<<"$output")" = '"rRNA"' ]
	printf 'URS0000000001\tENA\tx\t9606\tmiRNA\tg\nURS0000000001\tX\ty\t9606\tmiRNA\t\nURS0000000001\tX\ty\t1\ttRNA\t\n' >m.tsv
	gzip -k m.tsv
	for m in m.tsv m.tsv.gz; do
		run -0 tok '>URS0000000001_9606 tRNA\nA\n>URS0000000001/1 x\nA\n>URS0000000002 rRNA\nA\n' --types-from $m --type header
		[ "$(field type <<<"$output" | tr '\n' ' ')" = '"miRNA" "miRNA" "rRNA" ' ]
	done
	run -2 --separate-stderr rna-tokenize --type nosuch m.tsv
	[[ ${stderr_lines[0]} == *"--type nosuch: no type of the vocabulary rnaernie-39"* ]]
}

@test "a typed corpus without types is warned of, unless -q" {
	run -0 --separate-stderr bash -c "printf '>a x\nACGU\n' | rna-tokenize --frame type -o a.rill"
	[[ $stderr == *"no RNA has a type"* ]]
	run -0 --separate-stderr bash -c "printf '>a x\nACGU\n' | rna-tokenize -q --frame type -o a.rill"
	[ -z "$stderr" ]
	run -0 --separate-stderr bash -c "printf '>a x\nMKVLWWERTY\n' | rna-tokenize -o a.rill"
	[[ $stderr == *"is this RNA?"* ]]
}

@test "labels: the header, a key in it, a column" {
	run -0 tok '>RF1 5S_rRNA x\nA\n' --label header
	[ "$(field label <<<"$output")" = '"5S_rRNA"' ]
	run -0 tok '>a lnc chr=18 biotype:x\nA\n' --label chr
	[ "$(field label <<<"$output")" = '"18"' ]
	run -0 tok 'id,seq,class\na,ACGU,7\n' --from csv --label class
	[ "$(field label <<<"$output")" = '"7"' ]
	run -1 --separate-stderr bash -c "printf '>a x\nA\n>b\nA\n' | rna-tokenize --label header"
	[[ $stderr == *"record 2: no label"* ]]
	# nothing where the label should be: asked for by name it is refused, a csv's column `label` that nobody named is none
	refused 1 "record 1: no label: nothing behind class= in the header line" \
		rna-tokenize --label class <(printf '>a class=\nA\n')
	refused 1 "record 1: no label: nothing behind class: in the header line" \
		rna-tokenize --label class <(printf '>a class: tRNA\nA\n')
	refused 1 "line 3: no label: the column class is empty" \
		rna-tokenize --from csv --label class <(printf 'id,seq,class\na,ACGU,7\nb,ACGU,\n')
	printf 'id,seq,label\na,ACGU,7\nb,ACGU,\n' | rna-tokenize --from csv -o "$BATS_TEST_TMPDIR/x.rill"
	run rna-view -O json "$BATS_TEST_TMPDIR/x.rill"
	[ "$(grep -o '"label":"7"' <<<"$output" | wc -l)" = 1 ]
	[[ ${lines[1]} != *label* ]]
	refused 1 "record 2: no label" rna-tokenize --label label "$BATS_TEST_TMPDIR/x.rill"
	refused 1 "record 2: no label: the field name is empty" rna-tokenize --label name <(printf '>a\nA\n>\nA\n')
}

@test "csv pairs: [CLS] a [SEP] b [SEP], segments, names, one column reversed" {
	run -0 tok 'a_name,a_seq,b_id,b_seq,label\nlet-7,UGAG,"g, x",AACC,1\n' --pairs a_seq,b_seq --reverse b_seq
	[ "$(field tokens <<<"$output")" = '[2,36,38,35,38,3,37,37,35,35,3]' ]
	[ "$(field segment <<<"$output")" = '[0,0,0,0,0,0,1,1,1,1,1]' ]
	[ "$(field name <<<"$output")" = '"let-7"' ]
	[ "$(field name_b <<<"$output")" = '"g, x"' ]
	[ "$(field seq_b <<<"$output")" = '"CCAA"' ]
	[ "$(field label <<<"$output")" = '"1"' ]
}

@test "csv: columns that are kept become text fields" {
	run -0 tok 'id,seq,call,n\nx,ACGU,"a,b",\n' --keep call,n
	[ "$(field call <<<"$output")" = '"a,b"' ]
	[ "$(field n <<<"$output")" = '""' ]
	run -1 --separate-stderr bash -c "printf 'id,seq\na,A\n' | rna-tokenize --keep id,colour"
	[ "$stderr" = 'rna-tokenize: (standard input): no column colour; there are: id, seq' ]
}

@test "csv: tabs, quotes, CRLF, blank lines; a missing column names those there are" {
	run -0 tok 'ID\tSequence\r\n"a ""q"""\tAC GU\r\n\r\nb\t"GG"\r\n' --from csv
	[ "$(field seq <<<"$output" | tr '\n' ' ')" = '"ACGU" "GG" ' ]
	[[ ${lines[0]} == *'"name":"a","desc":"\"q\""'* ]]
	run -1 --separate-stderr bash -c "printf 'id,seq\na,A\n' | rna-tokenize --pairs seq,target"
	[ "$stderr" = 'rna-tokenize: (standard input): no column target; there are: id, seq' ]
}

@test "structures go round through dbn, bpseq and ct" {
	printf '>a\nGGGGAAAACCCC\n((((....)))) (-5.40)\n>pk\nGGGAAACCCAAA\n(((AAA)))aaa\n>none\nACGU\n....\n' >a.dbn
	rna-tokenize a.dbn >a.rill
	rna-view -O json a.rill | grep -q '"pair":\[8,7,6,11,10,9,2,1,0,5,4,3\],"structure":"(((AAA)))aaa"'
	rna-view -O json a.rill | grep -q '"energy":-5.4000001,'
	rna-view -O json --fields name,seq,pair a.rill >want
	for f in dbn bpseq ct; do
		rna-view -O "$f" a.rill >"b.$f"
		rna-tokenize --from "$f" "b.$f" | rna-view -O json --fields name,seq,pair >have
		same want have
	done
}

@test "bpseq, ct and st headers of the wild" {
	run -0 tok 'Filename: d.5.e.bpseq\nOrganism: x\nAccession Number: y\n1 G 3\n2 A 0\n3 C 1\n' --from bpseq
	[[ $output == *'"name":"d.5.e"'*'"structure":"(.)"'* ]]
	printf '1 G 0\n' >b.x.bpseq
	[ "$(rna-tokenize --from bpseq b.x.bpseq | rna-view -O json | field name)" = '"b.x"' ]
	run -0 tok '3 ENERGY = -1.5  a wrapped\nname\n1 G 0 2 3 1\n2 A 1 3 0 2\n3 C 2 0 1 3\n1 dG=-2 b\n1 A 0 0 0 1\n' --from ct
	[[ ${lines[0]} == *'"name":"a","desc":"wrapped name"'*'"energy":-1.5'* ]]
	[[ ${lines[1]} == *'"name":"b"'*'"energy":-2'* ]]
	run -0 tok '#Name: r\n#Length: 4\n#PageNumber: 1\nGAAC\n(..)\nSHHS\nNNNN\nS1 1..1 "G" 4..4 "C"\n#Name: s\nA\n.\nE\nN\n' --from st
	[[ ${lines[0]} == *'"name":"r"'*'"pair":[3,-1,-1,0]'* ]]
	[[ ${lines[1]} == *'"name":"s"'* ]]
}

@test "a stream is framed anew, its other fields kept" {
	printf '>a tRNA\nACGU\n' | rna-tokenize --type header >a.rill
	run -0 bash -c 'rna-tokenize --frame type a.rill | rna-view -O json'
	[ "$(field tokens <<<"$output")" = '[2,35,37,38,36,6,31,3]' ]
	[ "$(field type <<<"$output")" = '"tRNA"' ]
	rna-tokenize --max 6 --long chunk --overlap 1 <(printf '>a\nACGUAC\n') >chunks.rill
	run -1 --separate-stderr rna-tokenize --max 5 --long chunk chunks.rill
	[[ $stderr == *"record 1: is a chunk already"* ]]
	[ "$(rna-tokenize chunks.rill | rna-view -n)" = 2 ]
	cat a.rill a.rill >two.rill
	rna-tokenize --frame type two.rill >both.rill
	cat <(rna-tokenize --frame type a.rill) <(rna-tokenize --frame type a.rill) >want.rill
	same both.rill want.rill
}

@test "-m gives vocabulary, frame and limit; options stand before it" {
	mkdir m
	cp "$ROOT/formats/vocab.txt" m/
	echo '{"max_position_embeddings": 512, "rill": {"frame": "type", "max": 9}}' >m/config.json
	run -0 tok '>a tRNA\nACGUACGU\n' -m m --type header --long chunk
	[ "$(field tokens <<<"${lines[0]}")" = '[2,35,37,38,36,35,6,31,3]' ]
	run -0 tok '>a tRNA\nACGU\n' -m m --frame plain
	[ "$(field tokens <<<"$output")" = '[2,35,37,38,36,3]' ]
	echo '{"max_position_embeddings": 513}' >m/config.json
	run -0 tok '>a\nACGU\n' -m m
	rna-tokenize -m m "$SAMPLE" --long chunk | rna-view -H | grep -q '"max": 512,'
	printf '<cls>\n<eos>\n<unk>\nA\nC\nG\nU\nN\n' >v.txt
	run -0 bash -c "printf '>a\nACGTN-\n' | rna-tokenize --vocab v.txt -o v.rill && rna-view -O json --fields tokens v.rill"
	[ "$(field tokens <<<"$output")" = '[0,3,4,5,6,7,2,1]' ]
}

@test "mistakes on the command line end with 2" {
	for args in '--overlap 3' '--long chunk --max 10 --overlap 8' '--long chunk --pairs a,b' '--pairs a' '--max 4' '--max x' \
		'--from rnaml' '--frame typed' '--reverse b --from fasta' '--pairs a,b --from fasta' '--keep a --from fasta' \
		'--keep tokens' '--keep 7up'; do
		# shellcheck disable=SC2086 # words are wanted
		run -2 --separate-stderr rna-tokenize $args "$SAMPLE"
		[ -z "$output" ]
	done
	printf '[UNK]\n[CLS]\n[SEP]\nA\nC\nG\nU\n' >v.txt
	run -2 --separate-stderr rna-tokenize --vocab v.txt --frame type "$SAMPLE"
	[[ ${stderr_lines[0]} == *"has no [IND]"* ]]
}

# bats test_tags=slow
@test "every golden error of text is refused with one line, and leaves no output" {
	n=0
	for f in "$GOLDEN_ERRORS"/text/*.*; do
		args=()
		case $f in *.fa | *.fq | *.txt) ;; *) args=(--from "${f##*.}") ;; esac
		[[ ${f##*/} != label-* ]] || args+=(--label label)
		run --separate-stderr rna-tokenize "${args[@]}" "$f" -o out.rill
		echo "$f: status $status <$stderr>"
		[ "$status" = 1 ]
		one_line "$stderr"
		no_crash "$stderr"
		[[ $stderr == "rna-tokenize: $f: "* ]]
		[ ! -e out.rill ] && [ ! -e out.rill.part ]
		n=$((n + 1))
	done
	[ "$n" -ge 38 ]
}

# bats test_tags=slow
@test "text cut anywhere or with a byte changed never crashes the readers" {
	printf '>a x\nGGGGAAAACCCC\n((((....)))) (-5.40)\n>b\nGGAACC\n((..))\n' >a.dbn
	rna-tokenize a.dbn >a.rill
	printf '@a\nACGU\n+\nIIII\n@b\nAC\nGU\n+\nII\nII\n' >a.fq
	printf 'a_id,a_seq,b_seq,label\nx,"AC""",GU,1\ny,AC,"G\nU",2\n' >a.csv
	for f in dbn bpseq ct; do [ -e "a.$f" ] || rna-view -O "$f" a.rill >"a.$f"; done
	for f in a.dbn a.bpseq a.ct a.fq a.csv; do
		args=()
		case $f in *.fq) ;; *.csv) args=(--pairs "a_seq,b_seq") ;; *) args=(--from "${f##*.}") ;; esac
		size=$(wc -c <"$f")
		for ((i = 0; i < size; i += 9)); do
			head -c $i "$f" >cut.txt
			{ head -c $i "$f"; printf '%b' "\\x$(printf %02x $((i * 37 % 256)))"; tail -c +$((i + 2)) "$f"; } >changed.txt
			for x in cut.txt changed.txt; do
				status=0
				rna-tokenize -q "${args[@]}" $x >out 2>err || status=$?
				[ "$status" = 0 ] || { [ "$status" = 1 ] && one_line "$(<err)" && [ ! -s out ]; }
			done
		done
	done
}

@test "brackets of another length than the sequence are refused, not read as letters" {
	printf '>a\nGGGAAACCC\n(((...))\n' >"$BATS_TEST_TMPDIR/short.dbn"
	run -1 --separate-stderr rna-tokenize -o "$BATS_TEST_TMPDIR/out.rill" "$BATS_TEST_TMPDIR/short.dbn"
	one_line "$stderr"
	[[ $stderr == *"record 1: the structure has 8 characters, the sequence 9 letters"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/out.rill" ]
}

@test "--longest refuses a longer RNA in every format, before its memory is taken" {
	printf '>a\nACGUACGU\n>b\nACGUACGUA\n' >l.fa
	run -1 --separate-stderr rna-tokenize --longest 8 l.fa
	one_line "$stderr"
	[[ $stderr == "rna-tokenize: l.fa: record 2: line 4: the sequence is longer than 8 letters" ]]
	rna-tokenize -q --longest 9 -o l.rill l.fa
	printf 'seq\nACGUACGUA\n' >l.csv
	printf '>a\nACGUACGUA\n.........\n' >l.dbn
	printf '1 G 0\n2 A 0\n3 A 0\n4 A 0\n5 A 0\n6 C 0\n7 C 0\n8 C 0\n9 C 0\n' >l.bpseq
	printf '9 a\n1 G 0 2 0 1\n2 G 0 2 0 2\n3 G 0 2 0 3\n4 G 0 2 0 4\n5 G 0 2 0 5\n6 G 0 2 0 6\n7 G 0 2 0 7\n8 G 0 2 0 8\n9 G 0 2 0 9\n' >l.ct
	printf '#Name: a\nACGUACGUA\n.........\nEEEEEEEEE\nNNNNNNNNN\n' >l.st
	for f in csv dbn bpseq ct st; do
		rna-tokenize -q --from $f -o "$f.rill" "l.$f"
		run -1 --separate-stderr rna-tokenize --longest 8 --from $f "l.$f"
		one_line "$stderr"
		[[ $stderr == *"longer than 8 letters"* ]] || { echo "$f: $stderr"; return 1; }
	done
	run -2 --separate-stderr rna-tokenize --longest 0 l.fa
}

@test "mutated copies keep the structure; pairs stay pairs, letters their case" {
	need jq
	zeros=$(printf '%0100d' 0)
	printf '>hp ribozyme\n%s%s%s\n%s%s%s\n' "${zeros//0/GCa}" AAAAA "${zeros//0/uGC}" "${zeros//0/(((}" ..... "${zeros//0/)))}" >m.dbn
	printf '>k\nGGTACCNNAGTTCCAATT\n((.[[))...]].......\n' | sed 's/\.$//' >>m.dbn
	rna-tokenize -q --mutate 20 -s 3 m.dbn -o m.rill
	rna-view -O json m.rill >m.json
	[ "$(wc -l <m.json)" = 42 ]
	jq -es '[.[].copy] == [null, range(1; 21), null, range(1; 21)]' m.json
	# the same pairs, other identities, as many tokens as bases
	jq -es '([.[].pair] | unique | length) == 2 and ([.[].rid] | unique | length) == 42 and ([.[].name] | unique) == ["hp", "k"]
		and all(.[]; (.tokens | length) == (.seq | length) + 2)' m.json
	# every pair that could pair still does, and the share that changed is the rate
	jq -es 'def ok: ascii_upcase | gsub("T"; "U") | IN("AU", "UA", "GC", "CG", "GU", "UG");
		.[:21] | all(.[]; . as $r | all(range($r.pair | length); $r.pair[.] < . or ($r.seq[.:. + 1] + $r.seq[$r.pair[.]:$r.pair[.] + 1] | ok)))' m.json
	jq -es '.[0].seq as $s | [.[1:21][].seq | . as $t | [range(300) | select($s[.:. + 1] != $t[.:. + 1])] | length] | add / 6000 |
		. > 0.12 and . < 0.2' m.json
	# case and T stay, N stays
	jq -es '.[21:] | all(.[]; .seq | test("^[ACGT]{6}NN[ACGT]*$"))' m.json
	jq -es '.[:21] | all(.[]; .seq | test("^([ACGU]{2}[acgu]){100}"))' m.json
}

@test "mutated copies: the same for a seed, whatever -@ and order; rate 0 and 1; no structure is an error" {
	printf '>a\nGGGGAAAACCCC\n((((....))))\n>b\nGCGCAAAAGCGC\n((((....))))\n' >a.dbn
	for n in 1 2; do rna-tokenize -q -@ $n --mutate 2 -s 5 a.dbn -o $n.rill; done
	same 1.rill 2.rill
	rna-view -O fasta 1.rill | sort >x
	{ tail -3 a.dbn; head -3 a.dbn; } | rna-tokenize -q --mutate 2 -s 5 | rna-view -O fasta | sort | same - x
	run ! cmp -s <(rna-tokenize -q --mutate 2 -s 6 a.dbn | rna-view -O fasta | sort) x
	[ "$(rna-tokenize -q --mutate 9 --mutate-rate 0 a.dbn | rna-view -O fasta | sort -u | wc -l)" = 4 ]
	rna-tokenize -q --mutate 9 --mutate-rate 1 a.dbn | rna-view -O fasta | grep -v '>' |
		awk 'NR % 10 == 1 { s = $1; next } { for (i = 5; i <= 8; i++) if (substr($1, i, 1) == substr(s, i, 1)) exit 1 }'
	rna-view -H 1.rill | grep -q '"seed": 5'
	rna-tokenize -q a.dbn | rna-view -H | run ! grep -q seed
	run -1 --separate-stderr rna-tokenize -q --mutate 2 "$SAMPLE"
	[[ $stderr == *"record 1: no field structure and no field pair" ]]
	run -2 rna-tokenize --mutate 0 a.dbn
	run -2 rna-tokenize --mutate-rate 1.5 a.dbn
}
