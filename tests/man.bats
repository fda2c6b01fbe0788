#!/usr/bin/env bats
# Man pages and README: complete, clean, and every example in them runs.
bats_require_minimum_version 1.5.0
load helper

pages() { (cd "$ROOT" && ls man/*.[1-8]); }

# scratch: a folder that looks like the repository root to an example
scratch() {
	rm -rf "$BATS_TEST_TMPDIR/root"
	mkdir -p "$BATS_TEST_TMPDIR/root/pipelines"
	cd "$BATS_TEST_TMPDIR/root" || return 1
	cp -r "$ROOT/pipelines/sample" pipelines/
	cp -r "$ROOT/formats" .
	[[ ! -d $ROOT/pipelines/plots ]] || cp -r "$ROOT/pipelines/plots" pipelines/
	export HOME=$BATS_TEST_TMPDIR TMPDIR=$BATS_TEST_TMPDIR
}

# man_examples PAGE: the commands of its EXAMPLES section
man_examples() {
	awk '
	function plain(s) {
		gsub(/\\&/, "", s); gsub(/\\-/, "-", s); gsub(/\\\(aq/, "\047", s); gsub(/\\\(dq/, "\"", s)
		gsub(/\\\(ti/, "~", s); gsub(/\\\(ha/, "^", s); gsub(/\\e/, "\\", s)
		sub(/^\$ /, "", s)
		return s
	}
	/^\.Sh / { on = /^\.Sh EXAMPLES/ }
	!on { next }
	/^\.Dl / { print plain(substr($0, 5)) }
	/^\.Bd / { block = /-literal/; next }
	/^\.Ed/ { block = 0 }
	block && !/^\./ { print plain($0) }' "$ROOT/$1"
}

# console_blocks FILE: the lines typed in its ```console blocks
console_blocks() {
	awk '/^```/ { on = /^```console/; next } on && /^\$ / { sub(/^\$ /, ""); print; more = /\\$/; next }
		on && more { print; more = /\\$/ }' "$ROOT/$1"
}

# run_script TEXT: runs it as a reader would type it, and shows what failed
run_script() {
	[ -n "$1" ]
	run bash -e -o pipefail -c "$1" </dev/null
	[ "$status" = 0 ] || { printf '%s\n-- ended with %s and said:\n%s\n' "$1" "$status" "$output"; return 1; }
}

@test "every program has a page" {
	for t in $(all_tools); do
		[ -s "$ROOT/man/$t.1" ] || { echo "no man/$t.1"; return 1; }
	done
}

@test "every option of every program is in its page" {
	need mandoc
	bad=0
	for t in $(all_tools); do
		page=$(mandoc -T ascii "$ROOT/man/$t.1" | sed 's/.\x08//g')
		while IFS=, read -r short long; do
			grep -qE -- "(^|[^-a-z])--$long([^-a-z]|$)" <<<"$page" || { echo "$t.1: --$long is missing"; bad=1; }
			[ -z "$short" ] || grep -qE -- "(^|[^-a-z])-$short([^-a-z]|$)" <<<"$page" || { echo "$t.1: -$short is missing"; bad=1; }
		done < <("$t" --help-options | cut -f1,2 --output-delimiter=,)
	done
	[ "$bad" = 0 ]
}

@test "every page has the sections that are promised, in order" {
	for p in $(pages); do
		want='NAME SYNOPSIS DESCRIPTION EXIT STATUS EXAMPLES SEE ALSO'
		[[ $p == *.1 ]] || want='NAME DESCRIPTION EXAMPLES SEE ALSO'
		have=$(sed -n 's/^\.Sh //p' "$ROOT/$p" | while IFS= read -r sec; do
			[[ " $want " != *" $sec "* ]] || printf '%s\n' "$sec"
		done | paste -sd' ' -)
		[ "$have" = "$want" ] || { echo "$p: $have"; return 1; }
	done
}

@test "mandoc finds no fault" {
	need mandoc
	run bash -c "cd '$ROOT' && mandoc -T lint -W warning man/*.[1-8]"
	echo "$output"
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "pages refer to pages that exist" {
	while read -r name section; do
		[ -e "$ROOT/man/$name.$section" ] || [[ $name != r* ]] || { echo "$name($section)"; return 1; }
	done < <(sed -n 's/^\.Xr \([^ ]*\) \([0-9]\).*/\1 \2/p' "$ROOT"/man/*.[1-8] | sort -u)
}

# bats test_tags=slow
@test "the examples of every page run" {
	for p in $(pages); do
		script=$(man_examples "$p")
		[[ -n $script || $p != *.1 ]] || { echo "$p has no example"; return 1; }
		[ -n "$script" ] || continue
		scratch
		echo "# $p" >&2
		run_script "$script"
	done
}

# bats test_tags=slow
@test "the commands of the README run" {
	scratch
	run_script "$(console_blocks README.md)"
}

@test "the example that each program prints names only options it has" {
	for t in $(all_tools); do
		example=$("$t" -h | sed -n 's/^Example: //p')
		[ -n "$example" ]
		# each command of the pipe that is ours: its long options are in its table
		while read -r cmd rest; do
			[[ $cmd == rna-* ]] || continue
			[ -x "$B/bin/$cmd" ] || { echo "$t: example names $cmd"; return 1; }
			for word in $rest; do
				[[ $word == --?* ]] || continue
				word=${word%%=*}
				"$cmd" --help-options | cut -f2 | grep -qx -- "${word#--}" || { echo "$t: example: $cmd $word"; return 1; }
			done
		done < <(tr '|;' '\n' <<<"$example" | sed 's|^ *||')
	done
}
