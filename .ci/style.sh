#!/bin/bash
# style.sh FILE...: what a reader may count on and clang-format does not check.  Prints each fault as FILE:LINE: what.
#
#	lines of at most 120 columns (tabs of 8), no blanks at their ends; files of at most 500 lines; functions of at most 60
#	(kernels, tests and tables of cases: 120); mains of tools at most 200 lines; no printing or exiting in lib/ and kernels/
set -u
exec awk '
function fault(line, what) { printf "%s:%d: %s\n", FILENAME, line, what; bad = 1 }
function columns(s,    n, i) {
	n = 0
	for (i = 1; i <= length(s); i++)
		n = substr(s, i, 1) == "\t" ? n + 8 - n % 8 : n + 1
	return n
}
function file_end() {
	if (last != "" && count > (last ~ /^tools\/rna-/ ? 200 : 500)) {
		printf "%s: %d lines\n", last, count
		bad = 1
	}
}
FNR == 1 {
	file_end()
	last = FILENAME; open = 0
	room = FILENAME ~ /^(kernels|tests)\// ? 120 : 60
}
{
	count = FNR
	if (columns($0) > 120) fault(FNR, columns($0) " columns")
	if ($0 ~ /[ \t]$/) fault(FNR, "blank at the end of the line")
}
/^\{/ { open = FNR }
/^\}/ {
	if (open && FNR - open - 1 > room) fault(open, "function of " (FNR - open - 1) " lines")
	open = 0
}
FILENAME ~ /^(lib|kernels)\// {
	s = $0
	sub(/\/\/.*/, "", s); sub(/\/\*.*/, "", s)
	if (s ~ /(^|[^a-z_])(printf|puts|putchar|perror|exit|_exit|abort|err|errx|warn|warnx|assert)\(/ && s !~ /^[ \t]*\*/)
		fault(FNR, "prints, exits or asserts: " s)
	if (s ~ /(^|[^a-z_])(strcpy|strcat|sprintf|gets|atoi|atol|atof|strtok)\(/)
		fault(FNR, "unchecked function: " s)
}
END { file_end(); exit bad }
' "$@"
