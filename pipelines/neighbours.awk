# neighbours.awk: for each RNA the K RNAs that are most like it: the cosine of their vectors after the mean vector is taken
# away.  Every RNA is compared with every other, which is fine for some thousands.
#
#	rna-view -O tsv --fields name,cls x.rill | awk -v k=3 -f neighbours.awk
#
# The first line is a heading.  Prints name, rank, neighbour, cosine.
BEGIN { FS = OFS = "\t"; k = k ? k : 3; print "name", "rank", "neighbour", "cosine" }
NR > 1 {
	name[++n] = $1
	d = split($2, v, ",")
	for (j = 1; j <= d; j++) {
		x[n, j] = v[j]
		mean[j] += v[j]
	}
}
END {
	for (i = 1; i <= n; i++) {
		norm = 0
		for (j = 1; j <= d; j++) {
			x[i, j] -= mean[j] / n
			norm += x[i, j] ^ 2
		}
		for (j = 1; j <= d && norm > 0; j++)
			x[i, j] /= sqrt(norm)
	}
	for (i = 1; i <= n; i++) {
		for (o = 1; o <= n; o++) {
			like[o] = 0
			for (j = 1; j <= d; j++)
				like[o] += x[i, j] * x[o, j]
		}
		like[i] = -2
		for (rank = 1; rank <= k && rank < n; rank++) {
			best = i
			for (o = 1; o <= n; o++)
				if (like[o] > like[best])
					best = o
			print name[i], rank, name[best], sprintf("%.4f", like[best])
			like[best] = -2
		}
	}
}
