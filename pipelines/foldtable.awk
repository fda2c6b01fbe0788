# foldtable.awk: tables of rna-score fold, OUT/SET/ROW.tsv each, as one line each: means over RNAs with 95 % intervals.
BEGIN { OFS = "\t"; print "test", "folded_by", "rnas", "f1", "low", "high", "precision", "recall", "f1_within_1", "pooled_f1" }
FNR == 1 {
	flush()
	n = split(FILENAME, part, "/")
	test = part[n - 1]; row = part[n]
	sub(/\.tsv$/, "", row)
	split("", value)
	next
}
{ value[$1] = $2; if ($1 == "f1") { low = $3; high = $4; count = $5 } }
function flush() {
	if (test != "")
		print test, row, count, show(value["f1"]), show(low), show(high), show(value["precision"]), show(value["recall"]),
			show(value["relaxed_f1"]), show(value["pooled_f1"])
}
function show(x) { return sprintf("%.4f", x) }
END { flush() }
