# loss.gp: the loss curve of rna-train's log.tsv as SVG or PNG, by the name of the output.
#
#	gnuplot -e "log='model/log.tsv'; out='loss.svg'" pipelines/plots/loss.gp
#
# Thin line: loss of each step on masked bases; thick: its running mean; dots: the validation stream.
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
mean = NaN
smooth(x) = (mean = mean == mean ? 0.97 * mean + 0.03 * x : x)
plot chance with lines lc rgb "#999999" dt 2 title "chance, ln 4", \
	log using "step":"base_loss" with lines lc rgb "#b0c4de" title "training", \
	log using "step":(smooth(column("base_loss"))) with lines lw 2 lc rgb "#1f4e79" title "training, running mean", \
	log using "step":"valid_loss" with points pt 7 ps 0.6 lc rgb "#c0392b" title "validation"
