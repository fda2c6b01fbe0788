# nearest.awk: of RNAs with a class, how often the nearest other RNA is of the same class (leave one out).
#
#	rna-view -O tsv --fields desc,mean x.rill | awk -v k=1 -f neighbours.awk | awk -v label=NAME -f nearest.awk
#
# The class is the second word of the first column that neighbours.awk was given.  Prints: label, vectors, hits, share.
BEGIN { FS = "\t" }
NR > 1 && $2 == 1 {
	split($1, one, " ")
	split($3, other, " ")
	hits += one[2] == other[2]
	n++
}
END { printf "%s\t%d\t%d\t%.3f\n", label, n, hits, n ? hits / n : 0 }
