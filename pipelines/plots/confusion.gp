# confusion.gp: the confusion matrix of `rna-score class --confusion FILE` as SVG or PNG, by the name of the output.
#
#	gnuplot -e "table='confusion.tsv'; out='confusion.svg'" pipelines/plots/confusion.gp
#
# A row for each true class, a column for each call; the shade is the share of the row, the number the count.
if (!exists("table")) table = "confusion.tsv"
if (!exists("out")) out = "confusion.svg"
n = system("awk 'END { print NR - 1 }' '" . table . "'") + 0
side = n < 5 ? 420 : 220 + 46 * n
if (out[strlen(out) - 3:] eq ".png") set terminal pngcairo size side, side; else set terminal svg size side, side background "white"
set output out
set datafile separator "\t"
array total[n]
do for [k = 1:n] {
	total[k] = system("awk -F'\t' 'NR == " . (k + 1) . " { s = 0; for (i = 2; i <= NF; i++) s += $i; print s }' '" . table . "'") + 0
}
share(y, count) = total[int(y) + 1] > 0 ? count / total[int(y) + 1] : 0
unset key
set xrange [-0.5:n - 0.5]
set yrange [n - 0.5:-0.5]
set xtics () rotate by 45 right noenhanced scale 0
set ytics () noenhanced scale 0
set xlabel "call"
set ylabel "label"
set cbrange [0:1]
unset colorbox
set palette defined (0 "#ffffff", 1 "#1f4e79")
set size square
plot table matrix rowheaders columnheaders using 1:2:(share($2, $3)) with image, \
	"" matrix rowheaders columnheaders using 1:2:(sprintf("%.0f", $3)):(share($2, $3) > 0.5 ? 0xffffff : 0) with labels tc rgb variable
