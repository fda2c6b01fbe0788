# vote.bats: rna-vote against votes worked out by hand (tests/record_make.c makes the streams).
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

make_stream() { "$B/tests/record_make"; }
json() { rna-view -O json "$@"; }

# two RNAs of two replicates
replicates() {
	cat <<-'E'
	{"rill":1, "classes":["no","yes"]}
	{"rid:u64":1, "name":"a", "group:u64":11, "sigma:f32":0.75, "logits:f32":[1,3], "call":"yes", "cls:f32":[4,0], "scores:f32:3,1,1":[1,2,3]}
	{"rid:u64":1, "name":"a", "group:u64":11, "sigma:f32":0.25, "logits:f32":[5,-1], "call":"no", "cls:f32":[0,8], "scores:f32:3,1,1":[5,2,-1]}
	{"rid:u64":2, "name":"b", "group:u64":12, "sigma:f32":0.5, "logits:f32":[0,0.5], "call":"yes", "cls:f32":[1,1], "scores:f32:3,1,1":[0,0,0]}
	{"rid:u64":2, "name":"b", "group:u64":12, "sigma:f32":0.5, "logits:f32":[2,0], "call":"no", "cls:f32":[3,3], "scores:f32:3,1,1":[2,4,6]}
	E
}

# near FILTER VALUES: the numbers that jq's filter gives are these to 1e-6
near() {
	jq -s -e --argjson want "$2" "[$1] as \$got | (\$got | length) == (\$want | length) and
		all(range(\$want | length); (\$got[.] - \$want[.]) | . < 1e-6 and . > -1e-6)" out.json >/dev/null ||
		{ jq -sc "[$1]" out.json >&2; return 1; }
}

@test "soft is the mean of the logits weighted by sigma" {
	need jq
	replicates | make_stream | rna-vote | json >out.json
	[ "$(wc -l <out.json)" = 2 ]
	near '.[].logits[]' '[2,2,1,0.25]'
	near '.[].prob[]' '[0.5,0.5,0.679178699,0.320821301]'
	near '.[].cls[]' '[3,2,2,2]'
	near '.[].scores | flatten[]' '[2,2,2,1,2,3]'
	[ "$(jq -r .call out.json | paste -sd,)" = no,no ]
	[ "$(jq -c '[has("group"), has("sigma"), .name]' out.json | head -n 1)" = '[false,false,"a"]' ]
}

@test "mean, max and geometric" {
	need jq
	replicates | make_stream >in.rill
	rna-vote --rule mean in.rill | json >out.json
	near '.[].logits[]' '[3,1,1,0.25]'
	near '.[0].cls[]' '[2,4]'
	rna-vote --rule max in.rill | json >out.json
	near '.[].logits[]' '[5,3,2,0.5]'
	rna-vote --rule geometric in.rill | json >out.json
	# 0.75 (1 - ln(e^1 + e^3)) + 0.25 (5 - ln(e^5 + e^-1)), ...
	near '.[0].logits[]' '[-1.59581491,-1.59581491]'
	near '.[].prob[]' '[0.5,0.5,0.679178699,0.320821301]'
}

@test "probabilities alone: arithmetic, largest and geometric" {
	need jq
	printf '%s\n' '{"rill":1}' '{"group:u64":1,"sigma:f32":0.5,"prob:f32":[0.5,0.5],"call":"x"}' \
		'{"group:u64":1,"sigma:f32":0.5,"prob:f32":[0.125,0.875],"call":"y"}' | make_stream >in.rill
	rna-vote in.rill | json >out.json
	near '.[].prob[]' '[0.3125,0.6875]'
	[ "$(jq 'has("call")' out.json)" = false ]
	rna-vote --rule max in.rill | json >out.json
	near '.[].prob[]' '[0.363636364,0.636363636]'
	rna-vote --rule geometric in.rill | json >out.json
	near '.[].prob[]' '[0.274291885,0.725708115]'	# 0.25, 0.6614378 over their sum
}

chunks() {
	cat <<-'E'
	{"rill":1, "classes":["no","yes"]}
	{"rid:u64":1, "name":"a", "seq":"ACGU", "tokens:u8":[1,2], "chunk:u32":[0,0], "last:u8":0, "logits:f32":[1,2]}
	{"rid:u64":1, "name":"a", "seq":"GUAA", "tokens:u8":[1,2], "chunk:u32":[1,2], "last:u8":0, "logits:f32":[3,2]}
	{"rid:u64":1, "name":"a", "seq":"AC", "tokens:u8":[1,2], "chunk:u32":[2,5], "last:u8":1, "logits:f32":[6,-3]}
	{"rid:u64":2, "name":"b", "seq":"GG", "tokens:u8":[7], "logits:f32":[5,7]}
	E
}

@test "chunks are weighted by their bases and put together" {
	need jq
	chunks | make_stream | rna-vote --by chunk | json >out.json
	near '.[].logits[]' '[2.8,1,5,7]'
	[ "$(jq -c '[.seq, .call, has("chunk"), has("last"), has("tokens")]' out.json | paste -sd' ')" = \
		'["ACGUAAC","no",false,false,false] ["GG","yes",false,false,true]' ]
}

@test "a missing chunk, or one twice, is one line" {
	chunks | make_stream >whole.rill
	for drop in 2 3 4; do
		chunks | sed "${drop}d" | make_stream >cut.rill
		run -1 --separate-stderr rna-vote --by chunk -o out.rill cut.rill
		one_line "$stderr"
		[[ $stderr == "rna-vote: cut.rill: record "*missing* ]]
		[ ! -e out.rill ]
	done
	chunks | sed 3p | make_stream >twice.rill
	run -1 --separate-stderr rna-vote --by chunk twice.rill
	[[ $stderr == "rna-vote: twice.rill: record 3: chunk 1 where 2 was due"* ]]
	chunks | sed '4d;5d' | make_stream >end.rill
	run -1 --separate-stderr rna-vote --by chunk end.rill
	[[ $stderr == "rna-vote: end.rill: record 2: "*"last chunk"* ]]
}

@test "a missing replicate, or a group that reappears, is one line" {
	for drop in 3 4 5; do
		replicates | sed "${drop}d" | make_stream >cut.rill
		run -1 --separate-stderr rna-vote cut.rill
		one_line "$stderr"
		[[ $stderr == *missing* ]]
	done
	{ replicates; replicates | sed -n '2,3p'; } | make_stream >again.rill
	run -1 --separate-stderr rna-vote again.rill
	[[ $stderr == "rna-vote: again.rill: record 5: its group was complete before"* ]]
	one_line "$stderr"
}

@test "an ensemble of streams, and what does not match" {
	need jq
	replicates | sed 's/"group[^,]*, "sigma[^,]*, //; 3d; 5d' | make_stream >a.rill
	sed 's/.*/&/' <<-'E' | make_stream >b.rill
	{"rill":1, "classes":["no","yes"]}
	{"rid:u64":1, "logits:f32":[3,4], "cls:f32":[0,0], "scores:f32:3,1,1":[1,1,1]}
	{"rid:u64":2, "logits:f32":[1,9], "cls:f32":[0,0], "scores:f32:3,1,1":[1,1,1]}
	E
	rna-vote --by stream a.rill b.rill | json >out.json
	near '.[].logits[]' '[2,3.5,0.5,4.75]'
	near '.[].cls[]' '[2,0,0.5,0.5]'
	rna-vote --by stream a.rill | json >out.json
	near '.[].logits[]' '[1,3,0,0.5]'
	printf '%s\n' '{"rill":1, "classes":["no","yes"]}' '{"rid:u64":1,"logits:f32":[3,4],"cls:f32":[0,0], "scores:f32:3,1,1":[1,1,1]}' |
		make_stream >short.rill
	run -1 --separate-stderr rna-vote --by stream a.rill short.rill
	[[ $stderr == "rna-vote: short.rill: has not as many records as a.rill" ]]
	printf '%s\n' '{"rill":1, "classes":["no","yes"]}' '{"rid:u64":7,"logits:f32":[3,4],"cls:f32":[0,0]}' | make_stream >other.rill
	run -1 --separate-stderr rna-vote --by stream a.rill other.rill
	[[ $stderr == "rna-vote: other.rill: record 1: is not the RNA"* ]]
	printf '%s\n' '{"rill":1, "classes":["a","b"]}' '{"rid:u64":1,"logits:f32":[3,4]}' | make_stream >names.rill
	run -1 --separate-stderr rna-vote --by stream a.rill names.rill
	[[ $stderr == *"its classes are not those of a.rill" ]]
}

@test "shapes that differ, nothing to vote on, weights of 0" {
	replicates | sed '3s/\[5,-1\]/[5,-1,2]/' | make_stream >in.rill
	run -1 --separate-stderr rna-vote in.rill
	[[ $stderr == "rna-vote: in.rill: record 2: logits of another shape"* ]]
	printf '%s\n' '{"rill":1}' '{"group:u64":1,"sigma:f32":1}' | make_stream >in.rill
	run -1 --separate-stderr rna-vote in.rill
	[[ $stderr == *"record 1: nothing to vote on"* ]]
	rna-tokenize -q -o tokens.rill "$SAMPLE"
	run -1 --separate-stderr rna-vote tokens.rill
	[[ $stderr == *"record 1: no group"*"--by chunk"* ]]
}

@test "two streams one after the other are voted one after the other" {
	replicates | make_stream >a.rill
	replicates | sed '4,5d' | make_stream >b.rill
	cat a.rill b.rill >ab.rill
	rna-vote ab.rill >whole
	{ rna-vote a.rill; rna-vote b.rill; } >parts
	same whole parts
}

@test "shuffled groups change nothing but the order" {
	need jq
	rna-tokenize -q --frame type --type header -o tokens.rill "$SAMPLE"
	rna-train mlm -q -c tiny --layers 1 --hidden 64 --heads 1 --ffn 64 --steps 0 -o model <(rna-mask -q tokens.rill)
	rna-embed -q -m model --types 3 --what cls -o three.rill tokens.rill
	rna-vote three.rill | json | jq -Sc . | sort >plain
	rna-shuf -s 5 three.rill | rna-vote | json >shuffled
	run ! cmp <(rna-vote three.rill | json) shuffled
	jq -Sc . shuffled | sort | same - plain
	[ "$(wc -l <plain)" = "$(grep -c '>' "$SAMPLE")" ]
}
