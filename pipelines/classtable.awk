# classtable.awk: scores of rna-score class, files PROTOCOL/ROW-SEED.tsv, as one table: a line a row in the order of `rows`,
# for each of `protocols` the number of seeds, then mean and sample standard deviation over them.
BEGIN {
	FS = OFS = "\t"
	nmetrics = split("accuracy macro_f1 mcc", metric, " ")
	for (i = 1; i <= nmetrics; i++)
		wanted[metric[i]]
	nprotocols = split(protocols, protocol, " ")
}
FNR == 1 {
	n = split(FILENAME, part, "/")
	p = part[n - 1]
	r = part[n]
	sub(/-[0-9]+\.tsv$/, "", r)
	seeds[p, r]++
}
$1 in wanted {
	sum[p, r, $1] += $2
	square[p, r, $1] += $2 * $2
	records[p] = $5
}
function cell(p, r, m,    k, mean, rest) {
	k = seeds[p, r]
	if (k == 0)
		return "not run"
	mean = sum[p, r, m] / k
	rest = square[p, r, m] - k * mean * mean
	return k == 1 ? sprintf("%.3f", mean) : sprintf("%.3f +- %.3f", mean, rest > 0 ? sqrt(rest / (k - 1)) : 0)
}
END {
	line = "row"
	for (j = 1; j <= nprotocols; j++) {
		line = line OFS "seeds"
		for (i = 1; i <= nmetrics; i++)
			line = line OFS protocol[j] " " metric[i]
	}
	print line
	n = split(rows, name, " ")
	for (k = 1; k <= n; k++) {
		line = name[k]
		for (j = 1; j <= nprotocols; j++) {
			line = line OFS seeds[protocol[j], name[k]] + 0
			for (i = 1; i <= nmetrics; i++)
				line = line OFS cell(protocol[j], name[k], metric[i])
		}
		print line
	}
	for (j = 1; j <= nprotocols; j++)
		printf("%s%s: %d test RNAs", (j > 1 ? ", " : "# "), protocol[j], records[protocol[j]])
	print ""
}
