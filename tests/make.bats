#!/usr/bin/env bats
# The Makefile, what it installs, and the completions it generates.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$ROOT" || return 1
	unset MAKEFLAGS MAKELEVEL
}

@test "make help names every target that has a rule of its own" {
	help=$(make help)
	read -ra targets <<<"$(sed -n 's/^\.PHONY: //p' Makefile)"
	[ "${#targets[@]}" -gt 10 ]
	for target in "${targets[@]}"; do
		[ "$target" != FORCE ] || continue
		grep -qE "^  $target " <<<"$help" || { echo "make help is silent about $target"; return 1; }
	done
}

@test "install puts every program, page and completion in place, uninstall takes all away" {
	plain_build "the plain build is what is installed"
	make -s install DESTDIR="$BATS_TEST_TMPDIR" PREFIX=/usr
	for t in $(all_tools); do
		[ -x "$BATS_TEST_TMPDIR/usr/bin/$t" ]
		[ -s "$BATS_TEST_TMPDIR/usr/share/man/man1/$t.1" ]
		[ -s "$BATS_TEST_TMPDIR/usr/share/bash-completion/completions/$t" ]
		[ -s "$BATS_TEST_TMPDIR/usr/share/fish/vendor_completions.d/$t.fish" ]
		grep -q "^#compdef.* $t" "$BATS_TEST_TMPDIR/usr/share/zsh/site-functions/_rill"
	done
	make -s uninstall DESTDIR="$BATS_TEST_TMPDIR" PREFIX=/usr
	run find "$BATS_TEST_TMPDIR/usr" -type f
	[ -z "$output" ]
}

@test "bash completes options, choices and files of every program" {
	sh completions/generate.sh "$B/bin" "$BATS_TEST_TMPDIR"
	for t in $(all_tools); do
		run -0 bash --norc -c '
			. "$1/bash/$2"
			f=$(complete -p "$2" | sed "s/.*-F \([^ ]*\) .*/\1/")
			COMP_WORDS=("$2" --ver) COMP_CWORD=1
			"$f"
			printf "%s " "${COMPREPLY[@]}"' _ "$BATS_TEST_TMPDIR" "$t"
		[ "$output" = "--verbose --version " ]
	done
	run -0 bash --norc -c '. "$1/bash/rna-view"; COMP_WORDS=(rna-view -O ts) COMP_CWORD=2; _rna_view
		echo "${COMPREPLY[@]}"' _ "$BATS_TEST_TMPDIR"
	[ "$output" = tsv ]
}

@test "compile_commands.json is JSON and names every source of the library" {
	need jq
	cp -r Makefile VERSION lib kernels tools tests "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	make -s compile_commands.json
	[ "$(jq -r '.[].file' compile_commands.json | grep -c ^lib/)" = "$(find lib -name '*.c' | wc -l)" ]
	jq -r '.[0].command' compile_commands.json | grep -q -- '-Ilib'
}

@test "every program is hardened" {
	need readelf
	plain_build "sanitizer builds are not"
	for t in $(all_tools); do
		readelf -h "$B/bin/$t" | grep -q 'Type:.*DYN'
		readelf -d "$B/bin/$t" | grep -q 'BIND_NOW\|FLAGS.*NOW'
		readelf -lW "$B/bin/$t" | grep -q GNU_RELRO
		readelf -lW "$B/bin/$t" | grep 'GNU_STACK' | grep -vq 'RWE'
		readelf -sW "$B/bin/$t" | grep -q '__stack_chk_fail'
	done
}

# bats test_tags=deep
@test "a tree built elsewhere gives the same programs" {
	for d in one two/three; do
		mkdir -p "$BATS_TEST_TMPDIR/$d"
		cp -r Makefile VERSION lib kernels tools completions formats "$BATS_TEST_TMPDIR/$d"
		make -s CUDA=0 -C "$BATS_TEST_TMPDIR/$d" >/dev/null
	done
	for t in $(all_tools); do
		same "$BATS_TEST_TMPDIR/one/build/bin/$t" "$BATS_TEST_TMPDIR/two/three/build/bin/$t"
	done
}

@test "make builds the CUDA plug-in where there is an nvcc; CUDA=0 and make all leave it out" {
	plugin() { make -n B="$BATS_TEST_TMPDIR/none" "$@" | grep -c 'NVCC kernels/cuda_fold.cu' || true; }
	[ "$(plugin NVCC=true)" -gt 0 ]
	[ "$(plugin NVCC=true CUDA=0)" = 0 ]
	[ "$(plugin NVCC="$BATS_TEST_TMPDIR/nvcc")" = 0 ]
	[ "$(plugin NVCC=true all units)" = 0 ]
}
