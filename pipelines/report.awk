# report.awk: the table of the demo, from the output of rna-score mlm and of nearest.awk.
BEGIN { FS = "\t" }
FNR == NR { value[$1] = $2; low[$1] = $3; high[$1] = $4; n[$1] = $5; next }
{ count = $2; hits[$1] = $3; share[$1] = $4 }
function row(name, key) {
	printf "  %-44s %5.1f %%   (%.1f to %.1f)\n", name, 100 * value[key], 100 * low[key], 100 * high[key]
}
function neighbour(name, key) {
	printf "  %-44s %5.1f %%   (%d of %d)\n", name, 100 * share[key], hits[key], count
}
END {
	print ""
	print "Guessing hidden bases of RNAs that the model has not seen   right      95 % interval over RNAs"
	printf "  %-44s %5.1f %%\n", "chance", 25
	row("counts of the 4 bases either side", "context_accuracy")
	row("the model", "accuracy")
	row("the model minus the counts", "accuracy_minus_context")
	print ""
	print "Nearest other RNA is of the same family                     right"
	neighbour("3-mer counts", "kmer")
	neighbour("the model before training", "random")
	neighbour("the model", "model")
	print ""
	print "48 RNAs and a minute are a toy: the table shows that the steps work, not what a model of RNA can do."
	if (low["accuracy_minus_context"] <= 0 && high["accuracy_minus_context"] >= 0)
		print "Between the model and the counts of neighbours these RNAs show no sure difference."
	else if (high["accuracy_minus_context"] < 0)
		print "Counts of neighbouring bases do better here than the model."
	print "Loss curve: " out "/loss.svg; model: " out "/model; pipelines/pretrain.mk trains on a corpus."
}
