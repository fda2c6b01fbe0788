# loss.gp: the loss curve of rna-train's log.tsv as SVG or PNG, by the name of the output.
#
#	gnuplot -e "log='model/log.tsv'; out='loss.svg'" pipelines/plots/loss.gp
#
# Thin line: loss of each step on masked bases; thick: its running mean; dots: the validation stream.  The first steps,
# far above chance, are cut off.
if (!exists("log")) log = "log.tsv"
if (!exists("out")) out = "loss.svg"
if (!exists("chance")) chance = 1.3863      # four bases, nothing known
if (out[strlen(out) - 3:] eq ".png") set terminal pngcairo size 800, 500; else set terminal svg size 800, 500 background "white"
set output out
set datafile separator "\t"
set datafile missing "NA"
set key top right
set xlabel "optimiser steps"
set ylabel "loss, nats a masked base"
set grid ytics lc rgb "#dddddd"
least = system("awk 'NR > 1 && $5 != \"NA\" && (m == \"\" || $5 < m) { m = $5 } END { print m + 0 }' '" . log . "'") + 0
rows = system("awk 'END { print NR - 1 }' '" . log . "'") + 0
scored = system("awk -F'\t' 'NR > 1 && $10 != \"NA\"' '" . log . "' | wc -l") + 0
share = rows < 40 ? 0.5 : rows > 2000 ? 0.01 : 20.0 / rows
set yrange [*:*<(1.4 * least > 1.5 ? 1.4 * least : 1.5)]
mean = NaN
smooth(x) = (mean = mean == mean ? mean + share * (x - mean) : x)
curves = "chance with lines lc rgb '#999999' dt 2 title 'chance, ln 4', " . \
	"log using 'step':'base_loss' with lines lc rgb '#b0c4de' title 'training', " . \
	"log using 'step':(smooth(column('base_loss'))) with lines lw 2 lc rgb '#1f4e79' title 'training, running mean'"
if (scored > 0) curves = curves . ", log using 'step':'valid_loss' with points pt 7 ps 0.6 lc rgb '#c0392b' title 'validation'"
eval "plot " . curves
