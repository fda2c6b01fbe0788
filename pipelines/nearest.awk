# nearest.awk: of vectors with a class, how often the nearest other vector is of the same class (leave one out).
#
#	rna-view -O tsv --fields desc,mean x.rill | awk -v label=NAME -f nearest.awk
#
# The class is the second word of the first column, the rest are numbers; likeness is the cosine after the mean vector is
# taken away.  Prints: label, vectors, hits, share.
BEGIN { FS = "\t" }
NR == 1 && $2 !~ /^-?[0-9.]/ { next }	# the heading
{
	split($1, word, " ")
	class[++n] = word[2]
	d = split($2, v, ",")
	for (j = 1; j <= d; j++) {
		x[n, j] = v[j]
		mean[j] += v[j]
	}
}
END {
	for (i = 1; i <= n; i++) {
		norm[i] = 0
		for (j = 1; j <= d; j++) {
			x[i, j] -= mean[j] / n
			norm[i] += x[i, j] * x[i, j]
		}
	}
	for (i = 1; i <= n; i++) {
		best = -2
		for (k = 1; k <= n; k++) {
			if (k == i)
				continue
			s = 0
			for (j = 1; j <= d; j++)
				s += x[i, j] * x[k, j]
			s /= sqrt(norm[i] * norm[k]) + 1e-30
			if (s > best) {
				best = s
				at = k
			}
		}
		hits += class[at] == class[i]
	}
	printf "%s\t%d\t%d\t%.3f\n", label, n, hits, hits / n
}
