# paired.awk: of a table that rna-score class --against printed: the paired differences of a (first) and b.
BEGIN { FS = OFS = "\t" }
FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
$1 == "accuracy" || $1 == "macro_f1" || $1 == "mcc" { print a, b, $1, $column["difference"], $column["difference_low"], $column["difference_high"] }
