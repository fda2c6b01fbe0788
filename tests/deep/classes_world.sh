# shellcheck shell=bash disable=SC2154,SC2016,SC2046,SC2317
# classes_world.sh: classes 22-26, 28-33, 35, 36, 41, 42: results, limits and the world around.  Sourced by run.sh.

class_22() {
	local t
	have valgrind || { skip "no valgrind"; return; }
	echo "# make check-deep runs make check under the sanitizers too"
	for t in $(writers); do
		full || [[ $t == rna-view || $t == rna-tokenize ]] || continue
		# valgrind knows no AVX-512; plain C is what it sees best
		RILL_CPU=plain valgrind -q --error-exitcode=99 --leak-check=no "$t" $(command_of "$t") >/dev/null 2>"$log"
		count $? "$t: $(head -n 5 "$log")"
	done
}

class_23() {
	local t j sums
	rna-tokenize -q -o many.rill <(random_fasta 5000 20 200 1)
	for t in $(writers); do
		set -- "$t" $(command_of "$t")
		[[ $t != rna-@(mask|shuf|motif) ]] || set -- "$t" many.rill
		sums=$(for j in 1 2 3 7 16; do "$@" -@ $j | sha256sum; done | sort -u | wc -l)
		[ "$sums" = 1 ]
		count $? "$t: $sums outputs for 5 numbers of threads"
		cases=$((cases + 4))
		sums=$(for j in 1 2 3 4 5; do "$@" | sha256sum; done | sort -u | wc -l)
		[ "$sums" = 1 ]
		count $? "$t: $sums outputs of 5 runs"
		cases=$((cases + 4))
	done
	rna-embed -q -m model s.rill | rna-view -O json >whole.json
	for j in 1 2 7; do
		for ((t = 1; t <= j; t++)); do rna-shuf -q --shard $t/$j s.rill | rna-embed -q -m model | rna-view -O json; done |
			sort >parts.json
		sort whole.json | cmp -s - parts.json
		count $? "$j shards are the whole"
	done
	set --
}

class_24() {
	tally bash "$ROOT/tests/deep/soak.sh" "${SOAK_S:-$(full_or 600 4)}"
	grep '^# ' "$log"
}

class_25() {
	local n
	is "no records" bash -c '[ "$(rna-view -n "$0")" = 0 ]' "$ROOT/formats/golden/empty.rill"
	printf '>one\nA\n' >one.fa
	printf '>none\n\n>two\nAC\n' >none.fa
	for n in one none; do
		for t in rna-tokenize rna-fold "rna-embed -m model" "rna-embed --kmer 2" "rna-view -O json"; do
			# shellcheck disable=SC2086
			$t $n.fa >x 2>"$log" || [ "$(wc -l <"$log")" = 1 ]
			count $? "$t of $n.fa: $(cat "$log")"
		done
	done
	# counters past 2^32 bytes: a skippable frame of 4 GiB before the stream, and many streams in one file
	{ printf '\x51\x2a\x4d\x18\x00\xff\xff\xff'; head -c 4294967040 /dev/zero; cat s.rill; } 2>/dev/null |
		{ [ "$(rna-view -n)" = 6 ]; }
	count $? "a stream after 4 GiB"
	for ((n = 0; n < 512; n++)); do cat s.rill; done >many.rill
	is "512 streams" bash -c '[ "$(rna-view -n many.rill)" = 3072 ]'
	full || return 0
	random_fasta 100000 1 3 1 | rna-tokenize -q -o tiny.rill
	for ((n = 0; n < 100; n++)); do cat tiny.rill; done | { [ "$(rna-view -n)" = 10000000 ]; }
	count $? "10,000,000 records"
	{ printf '>a\n'; head -c 2147483649 /dev/zero | tr '\0' A; } >"$scratch/long.fa"
	is "2^31 + 1 letters are refused" refuses 1 rna-tokenize -o never "$scratch/long.fa"
	rm -f "$scratch/long.fa"
}

# peak_kib COMMAND...: peak memory
peak_kib() { "$deep/peak" -p "$@" | tail -n 1; }

class_26() {
	local small large t a b most
	small=$(full_or 10000 3000) large=$(full_or 1000000 30000)
	random_fasta "$small" 40 60 1 >small.fa
	random_fasta "$large" 40 60 1 >large.fa
	rna-tokenize -q -o small.rill small.fa
	rna-tokenize -q -o large.rill large.fa
	for t in "rna-tokenize FA" "rna-mask RILL" "rna-view -O json RILL" "rna-view -n RILL" "rna-embed --kmer 3 RILL" \
		"rna-shuf --mem 16M RILL"; do
		# shellcheck disable=SC2086 # words are wanted
		set -- ${t//FA/small.fa}
		a=$(peak_kib "${@//RILL/small.rill}")
		# shellcheck disable=SC2086
		set -- ${t//FA/large.fa}
		b=$(peak_kib "${@//RILL/large.rill}")
		# 5 %, or 2 MiB where the small run has not filled its buffers; two say in their pages what they keep
		case $t in
		rna-tokenize*) most=$((2 * 65536 + 24 * large / 1024 + 8192)) ;;
		rna-shuf*) most=$((16384 + 8192)) ;;
		*) most=$((a / 20 > 2048 ? a / 20 : 2048)) ;;
		esac
		[ $((b - a)) -le $most ]
		count $? "$t: $a KiB for $small records, $b KiB for $large"
	done
	set --
}

class_28() {
	local name=odd t long
	long=$(printf '%0250d' 0)
	mkdir dir
	for t in rna-mask "rna-view -O json"; do
		# shellcheck disable=SC2086
		{
			is "$t into a folder" refuses 1 $t -o dir s.rill
			is "$t into no folder" refuses 1 $t -o none/x s.rill
			is "$t under a name too long" refuses 1 $t -o "${long}123456789" s.rill
			is "$t on its input" bash -c 'cp s.rill same; '"$t"' -f -o same same; [ $? -le 2 ] && [ $? != 0 ] || cmp s.rill same'
			is "input intact" cmp s.rill same
			$t s.rill >want
			for name in '-lead' '%n%s' $'new\nline' 'sp ace' "$(printf '%0200d' 0)"; do
				$t -o "./$name" s.rill && cmp -s want "./$name"
				count $? "$t -o $(printf %q "$name")"
			done
			$t -o /dev/stdout s.rill | cmp -s want -
			count $? "$t -o /dev/stdout"
			mkfifo fifo
			cat fifo >got & $t -o fifo s.rill
			wait
			cmp -s want got && [ -p fifo ]
			count $? "$t -o to a named pipe"
			ln -s target link
			echo old >target
			$t -o link s.rill && [ -L link ] && cmp -s want target
			count $? "$t -o a link leads to the file"
			rm -f fifo link target -- ./-lead
		}
	done
	[ "$(id -u)" != 0 ] || { echo "# root may write everywhere: no read-only folder"; return; }
	chmod 555 dir
	is "a read-only folder" refuses 1 rna-mask -o dir/x s.rill
}

class_29() {
	local t
	for t in $(writers); do
		(umask 077 && "$t" $(command_of "$t") -o private) && [ "$(stat -c %a private)" = 600 ]
		count $? "$t under umask 077"
		rm -f private
		(umask 022 && "$t" $(command_of "$t") -o public) && [ "$(stat -c %a public)" = 644 ]
		count $? "$t under umask 022"
		chmod 640 public
		(umask 022 && "$t" $(command_of "$t") -f -o public) && [ "$(stat -c %a public)" = 640 ]
		count $? "$t hands the mode of a replaced file on"
		rm -f public
		have strace || continue
		# never wider while it grows
		strace -f -qq -e trace=openat -o opens "$t" $(command_of "$t") -o x 2>/dev/null
		! grep 'O_CREAT' opens | grep 'x.part' | grep -vq '0600'
		count $? "$t creates with 0600"
		rm -f x
	done
}

class_30() {
	local f name
	name="a$(printf '\033')[31m<script>\"]]>&'$(printf '\r')b"
	printf '>%s x%s\nGGGAAACCC\n' "$name" "$(printf '\033]0;t\007')" >odd.fa
	rna-tokenize -q -o odd.rill odd.fa 2>"$log" || { count 0; return; } # refused is safe
	for f in text json tsv fasta svg dbn; do
		rna-view -O $f odd.rill >x 2>/dev/null || rna-fold -q odd.rill 2>/dev/null | rna-view -O $f >x 2>/dev/null || continue
		! grep -q "$(printf '[\033\007\r]')" x
		count $? "-O $f lets no control code through"
		[ $f = svg ] || continue
		! have xmllint || xmllint --noout x
		count $? "-O svg is XML"
		! grep -q '<script' x
		count $? "-O svg escapes"
	done
	have script || return 0
	script -qec "stty -opost; rna-view odd.rill; rna-view -H odd.rill" /dev/null </dev/null >x
	! LC_ALL=C tr -d '\11\12\15\40-\176\200-\377' <x | grep -q .
	count $? "a terminal gets no control code"
}

class_31() {
	local how name=''
	for how in up absolute slash fifo-config fifo-weights loop dangling folder; do
		rm -rf evil && cp -r "$ROOT/formats/golden/model-tiny" evil
		case $how in
		up | absolute | slash)
			rm evil/model.safetensors
			case $how in
			up) name=../../../../etc/passwd ;;
			absolute) name=/etc/passwd ;;
			slash) name=sub/model.safetensors ;;
			esac
			printf '{"metadata":{},"weight_map":{"bert.embeddings.word_embeddings.weight":"%s"}}' "$name" \
				>evil/model.safetensors.index.json ;;
		fifo-config) rm evil/config.json && mkfifo evil/config.json ;;
		fifo-weights) rm evil/model.safetensors && mkfifo evil/model.safetensors ;;
		loop) rm evil/config.json && ln -s config.json evil/config.json ;;
		dangling) rm evil/vocab.txt && ln -s nowhere evil/vocab.txt ;;
		folder) rm evil/model.safetensors && mkdir evil/model.safetensors ;;
		esac
		is "$how" refuses 1 rna-embed -m evil s3.fa
		have strace || continue
		timeout 20 strace -f -qq -e trace=openat -o opens rna-embed -m evil s3.fa >/dev/null 2>&1
		! grep -q '"[^"]*\(etc/passwd\|sub/model\)' opens
		count $? "$how opens nothing outside"
	done
}

class_32() {
	local t
	if ! have strace || ! strace -o /dev/null true 2>/dev/null; then
		skip "strace may not trace here"
		return
	fi
	for t in $(writers); do
		strace -f -qq -e trace=%network -o calls "$t" $(command_of "$t") >/dev/null 2>&1
		! grep -qE '(socket|connect|bind|sendto)\(' calls
		count $? "$t"
	done
	strace -f -qq -e trace=%network -o calls rna-train mlm -q -c tiny --layers 1 --epochs 1 -o quiet masked.rill
	! grep -qE '(socket|connect|bind|sendto)\(' calls
	count $? rna-train
}

class_33() {
	local t path
	path=$PATH
	for t in $(writers); do
		set -- "$t" $(command_of "$t")
		"$@" >want 2>/dev/null
		for e in LC_ALL=de_DE.UTF-8 LC_ALL=tr_TR.UTF-8 LC_NUMERIC=fr_FR.UTF-8 TZ=Asia/Kolkata OMP_NUM_THREADS=999 \
			OMP_DYNAMIC=true COLUMNS=1 "IFS=a" PATH="$path"; do
			env "$e" "$@" 2>/dev/null | cmp -s want -
			count $? "$t with $e"
		done
		env -i "$B/bin/$t" "${@:2}" 2>/dev/null | cmp -s want -
		count $? "$t in an empty environment"
	done
	set --
}

class_35() {
	full || { skip "builds 200 times: run.sh full 35"; return; }
	tally bash "$ROOT/tests/deep/mutate.sh" 200
	grep '^# ' "$log"
}

class_36() {
	full || { skip "builds everything anew: run.sh full 36"; return; }
	tally bash "$ROOT/tests/deep/coverage.sh"
	grep '^# ' "$log"
}

class_41() {
	local t n
	have readelf || { skip "no readelf"; return; }
	for t in $(tools); do
		readelf -hW "$B/bin/$t" | grep -q 'Type: *DYN' && readelf -dW "$B/bin/$t" | grep -q 'BIND_NOW\|NOW' &&
			readelf -lW "$B/bin/$t" | grep -q GNU_RELRO && readelf -lW "$B/bin/$t" | grep GNU_STACK | grep -qv RWE
		count $? "$t: PIE, full RELRO, no executable stack"
		readelf -sW "$B/bin/$t" | grep -q __stack_chk_fail && readelf -sW "$B/bin/$t" | grep -q '_chk@'
		count $? "$t: stack protector, fortified calls"
		n=$(readelf -dW "$B/bin/$t" | grep -c NEEDED)
		[ "$n" -le 10 ]
		count $? "$t: $n libraries"
	done
	# pages of a large frame are touched one by one
	have objdump && have gcc && gcc --help=common 2>/dev/null | grep -q stack-clash && {
		make -s -C "$ROOT" V=1 -n -W lib/stream/buf.c build/lib/stream/buf.o 2>/dev/null | grep -q -- -fstack-clash-protection
		count $? "built with -fstack-clash-protection"
	}
	full || return 0
	for n in one two/three; do
		mkdir -p "$n" && cp -r "$ROOT"/{Makefile,VERSION,lib,kernels,tools,completions,formats} "$n" && make -s -j2 -C "$n" all >/dev/null 2>&1
	done
	for t in $(tools); do
		cmp -s "one/build/bin/$t" "two/three/build/bin/$t"
		count $? "$t built in two places"
	done
}

class_42() {
	have bats || { skip "no bats"; return; }
	full || { skip "tests/man.bats, run by make check, is this class"; return; }
	bats --tap "$ROOT/tests/man.bats" >"$log" 2>&1
	cases=$((cases + $(grep -c '^ok ' "$log")))
	while read -r line; do count 1 "$line"; done < <(grep '^not ok ' "$log")
}
