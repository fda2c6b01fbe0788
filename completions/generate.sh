#!/bin/sh
# generate.sh BINDIR OUTDIR: shell completions of every rna-* program in BINDIR, from what it says about itself:
# `rna-x --help-options` prints short TAB long TAB argument TAB help, one option a line.
#
#	OUTDIR/bash/rna-x, OUTDIR/zsh/_rill, OUTDIR/fish/rna-x.fish
#
# An argument written a|b|c is completed with these words, FILE with files, DIR with folders; others with nothing.
set -eu
bin=$1 out=$2
rm -rf "$out/bash" "$out/zsh" "$out/fish"
mkdir -p "$out/bash" "$out/zsh" "$out/fish"
table=$out/.table
trap 'rm -f "$table"' EXIT

zsh=$out/zsh/_rill
{
	printf '#compdef'
	for p in "$bin"/rna-*; do printf ' %s' "${p##*/}"; done
	# shellcheck disable=SC2016 # for zsh to expand
	printf '\n# shell completion for zsh, generated from the programs\ncase $service in\n'
} >"$zsh"

for p in "$bin"/rna-*; do
	name=${p##*/}
	"$p" --help-options >"$table"

	awk -F'\t' -v name="$name" '
	{
		words = words " --" $2 ($1 != "" ? " -" $1 : "")
		key = ($1 != "" ? "-" $1 "|" : "") "--" $2
		if ($3 ~ /\|/) { gsub(/\|/, " ", $3); cases = cases "\t" key ") COMPREPLY=($(compgen -W \"" $3 "\" -- \"$cur\")); return ;;\n" }
		else if ($3 ~ /DIR/) cases = cases "\t" key ") COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
		else if ($3 ~ /FILE/) cases = cases "\t" key ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
		else if ($3 != "") none = none (none == "" ? "" : "|") key
	}
	END {
		f = name; gsub(/-/, "_", f)
		print "# shell completion for bash, generated from " name
		print "_" f "() {"
		print "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}"
		print "\tcase $prev in"
		printf "%s", cases
		if (none != "") print "\t" none ") COMPREPLY=(); return ;;"
		print "\tesac"
		print "\tif [[ $cur == -* ]]; then"
		print "\t\tCOMPREPLY=($(compgen -W \"" substr(words, 2) "\" -- \"$cur\"))"
		print "\telse"
		print "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))"
		print "\tfi"
		print "}"
		print "complete -o filenames -F _" f " " name
	}' "$table" >"$out/bash/$name"

	awk -F'\t' -v name="$name" '
	function quoted(s) { gsub(/\047/, "\047\\\047\047", s); gsub(/\[|\]|:/, "\\\\&", s); return s }
	BEGIN { print name ")\n\t_arguments -s -S \\" }
	{
		arg = ""
		if ($3 ~ /\|/) { gsub(/\|/, " ", $3); arg = ":choice:(" $3 ")" }
		else if ($3 ~ /DIR/) arg = ":folder:_files -/"
		else if ($3 ~ /FILE/) arg = ":file:_files"
		else if ($3 != "") arg = ":" quoted($3) ": "
		h = quoted($4)
		if ($1 != "") printf "\t\t\047-%s[%s]%s\047 \\\n", $1, h, arg
		printf "\t\t\047--%s%s[%s]%s\047 \\\n", $2, (arg == "" ? "" : "="), h, arg
	}
	END { print "\t\t\047*:file:_files\047 ;;" }' "$table" >>"$zsh"

	awk -F'\t' -v name="$name" '
	function quoted(s) { gsub(/\\/, "\\\\", s); gsub(/\047/, "\\\047", s); return s }
	BEGIN { print "# shell completion for fish, generated from " name }
	{
		line = "complete -c " name ($1 != "" ? " -s " ($1 == "@" ? "\047@\047" : $1) : "") " -l " $2
		if ($3 ~ /\|/) { gsub(/\|/, " ", $3); line = line " -x -a \047" $3 "\047" }
		else if ($3 ~ /DIR/) line = line " -x -a \047(__fish_complete_directories)\047"
		else if ($3 ~ /FILE/) line = line " -r"
		else if ($3 != "") line = line " -x"
		print line " -d \047" quoted($4) "\047"
	}' "$table" >"$out/fish/$name.fish"
done
printf 'esac\n' >>"$zsh"
