#!/usr/bin/env bats
# Accumulators of the micro-kernels must live in registers: gcc has put them on the stack before, at half the speed and
# without a word.  The innermost loop of each is disassembled and its stores are counted; there must be none.

bats_require_minimum_version 1.5.0
load helper

# Prints "name dots stores loads" for every micro-kernel of an object: what its innermost loop holds.
loops() {
	objdump -d --no-show-raw-insn "$1" | awk '
	/^[0-9a-f]+ <.*>:/ { name = $2; gsub(/[<>:]/, "", name); n = 0; next }
	name !~ /^micro_/ { next }
	/^ +[0-9a-f]+:/ {
		at = $1; sub(/:/, "", at); n++; addr[at] = n; text[n] = $0
		if ($2 ~ /^j/ && ($3 in addr) && !(name in done)) {     # the first backward jump closes the loop
			dots = stores = 0
			for (i = addr[$3]; i <= n; i++) {
				if (text[i] ~ /vfmadd231ps|vdpbf16ps|vpdpbusd|vpmaddwd/) dots++
				if (text[i] ~ /v?mov[a-z0-9]*p?s? +[%]?[xyz]mm[0-9]+,[^%]*\(/) stores++
			}
			print name, dots, stores
			done[name] = 1
		}
	}'
}

check_level() {	# object, dot products of its largest kernel
	run loops "$B/kernels/$1.o"
	[ "$status" -eq 0 ]
	echo "$output"
	[[ "$output" == *" $2 0"* ]]
	while read -r name dots stores; do
		if [ "$dots" -eq 0 ] || [ "$stores" -ne 0 ]; then
			echo "$name: $dots dot products, $stores stores in the loop"
			return 1
		fi
	done <<<"$output"
}

setup() {
	need objdump
	[ "$(uname -m)" = x86_64 ] || skip "x86-64 only"
	[[ ${B##*/} != build-* ]] || skip "a build with sanitizers is not fast"
}

@test "micro-kernels of avx2 keep their accumulators in registers" {
	check_level cpu_avx2 12
}

@test "micro-kernels of avx512 keep their accumulators in registers" {
	check_level cpu_avx512 24
}

@test "micro-kernels of avx512bf16 keep their accumulators in registers" {
	check_level cpu_avx512bf16 24
}

# Prints "name instruction*count ..." for the loop of every peak_* function of an object.
peak_loops() {
	objdump -d --no-show-raw-insn "$1" | awk '
	/^[0-9a-f]+ <.*>:/ { name = $2; gsub(/[<>:]/, "", name); n = 0; next }
	name !~ /^peak_(fp32|bf16|int8)_/ { next }
	/^ +[0-9a-f]+:/ {
		at = $1; sub(/:/, "", at); n++; addr[at] = n; op[n] = $2
		if ($2 !~ /^j/ || !($3 in addr))
			next
		line = name
		for (i = addr[$3]; i < n; i++)
			count[op[i]]++
		for (i = addr[$3]; i < n; i++)
			if (op[i] in count) { line = line " " op[i] "*" count[op[i]]; delete count[op[i]] }
		print line
	}' | sort
}

@test "the loops that the benches call the machine's peak are nothing but the instruction they count" {
	cc -std=c11 -D_DEFAULT_SOURCE -O2 -I"$ROOT/kernels" -fopenmp -c -o "$BATS_TEST_TMPDIR/peak.o" \
		"$ROOT/tests/bench_kernels.c"
	run peak_loops "$BATS_TEST_TMPDIR/peak.o"
	echo "$output"
	[ "${lines[0]}" = "peak_bf16_zmm vdpbf16ps*12 dec*1" ]
	[ "${lines[1]}" = "peak_fp32_sse mulps*6 addps*6 dec*1" ]
	[ "${lines[2]}" = "peak_fp32_ymm vfmadd231ps*12 dec*1" ]
	[ "${lines[3]}" = "peak_fp32_zmm vfmadd231ps*12 dec*1" ]
	[ "${lines[4]}" = "peak_int8_zmm vpdpbusd*12 dec*1" ]
}

@test "a kernel that spills would be seen" {
	cat >"$BATS_TEST_TMPDIR/spill.s" <<-'ASM'
	micro_bad:
	1:
		vfmadd231ps %zmm1, %zmm2, %zmm0
		vmovaps %zmm0, -64(%rsp)
		dec %rdi
		jne 1b
		ret
	ASM
	cc -c -o "$BATS_TEST_TMPDIR/spill.o" "$BATS_TEST_TMPDIR/spill.s"
	run loops "$BATS_TEST_TMPDIR/spill.o"
	[ "$output" = "micro_bad 1 1" ]
}
