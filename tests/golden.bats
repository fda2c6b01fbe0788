#!/usr/bin/env bats
# The streams of formats/golden must be read by every version, and those of formats/golden-errors refused, each for
# the reason that formats/golden-errors/EXPECTED names.
bats_require_minimum_version 1.5.0
load helper

@test "every golden stream passes rna-view -c" {
	n=0
	for f in "$GOLDEN"/*.rill; do
		run -0 --separate-stderr rna-view -c "$f"
		[ -z "$stderr" ]
		n=$((n + 1))
	done
	[ "$n" -ge 8 ]
}

@test "golden streams hold as many records as they did" {
	while read -r name count; do
		run -0 rna-view -n "$GOLDEN/$name.rill"
		[ "$output" = "$count" ] || { echo "$name: $output"; return 1; }
	done <<-END
		empty 0
		example 1
		frames 9
		levels 40
		one-frame 5
		raw 6
		skippable 2
		types 3
	END
}

@test "golden streams decode to what they did, byte for byte" {
	n=0
	while read -r sum name; do
		rna-view -O json "$GOLDEN/$name" | sha256sum | grep -q "^$sum " || { echo "$name"; return 1; }
		n=$((n + 1))
	done <"$GOLDEN/DIGESTS"
	[ "$n" -ge 8 ]
}

# bats test_tags=slow
@test "every damaged stream is refused with one line that names file and reason, and exit 1" {
	n=0
	while IFS=$'\t' read -r name words; do
		run -1 --separate-stderr rna-view -c "$GOLDEN_ERRORS/$name"
		one_line "$stderr"
		no_crash "$stderr"
		[[ $stderr == "rna-view: "*"$name: "*"$words"* ]] || { echo "$name, $words: $stderr"; return 1; }
		n=$((n + 1))
	done <"$GOLDEN_ERRORS/EXPECTED"
	[ "$n" -ge 100 ]
}

@test "a damaged stream is refused on a pipe and by threads alike" {
	while IFS=$'\t' read -r name words; do
		run -1 --separate-stderr rna-view -@ 2 -c - <"$GOLDEN_ERRORS/$name"
		[[ $stderr == *"$words"* ]] || { echo "$name, $words: $stderr"; return 1; }
	done < <(awk 'NR % 4 == 1' "$GOLDEN_ERRORS/EXPECTED")
}

@test "EXPECTED and the folder list the same files" {
	diff <(cut -f 1 "$GOLDEN_ERRORS/EXPECTED" | sort) <(cd "$GOLDEN_ERRORS" && printf '%s\n' *.rill | sort)
}

@test "the example of formats/stream.md is what formats/golden/example.rill holds" {
	need zstd od
	page=$(sed -n '/^## 6/,/^## 7/s/^    \(\([0-9A-F][0-9A-F] \)*\) .*/\1/p' "$ROOT/formats/stream.md" | tr -d ' \n')
	file=$(zstd -dcq "$GOLDEN/example.rill" | od -A n -t x1 -v | tr -d ' \n' | tr a-f A-F)
	[ -n "$page" ]
	[ "$page" = "$file" ]
}
