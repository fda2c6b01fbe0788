/*
 * picture_dotplot.c: the probabilities of all pairs above the diagonal, the structure below it.
 */
#include <math.h>

#include "seq/picture_private.h"

#define LEFT 34.0
#define TOP (RNA_PICTURE_TITLE + 24.0)
#define LETTER 7.0 /* least size of a cell with a letter beside it */

/* Distance of the numbers along the sides. */
static size_t
step_of(size_t n)
{
	size_t step = 10;

	while (n / step > 12)
		step *= step % 25 == 0 ? 2 : step % 20 == 0 || step == 10 ? 5 : 2;
	return step;
}

static void
put_grid(struct rna_text_sink *o, size_t n, double cell)
{
	double side = cell * (double)n, at;
	size_t i, step = step_of(n);

	rna_text_printf(o,
	    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" stroke=\"#444444\"/>\n", LEFT,
	    TOP, side, side);
	rna_text_put(o, "<g stroke=\"#dddddd\" stroke-width=\"0.6\">\n");
	for (i = step; i <= n; i += step) {
		at = ((double)i - 0.5) * cell;
		rna_text_printf(
		    o, "<path d=\"M%.1f %.1fv%.1fM%.1f %.1fh%.1f\"/>\n", LEFT + at, TOP, side, LEFT, TOP + at, side);
	}
	rna_text_printf(o, "</g>\n<path d=\"M%.1f %.1fl%.1f %.1f\" stroke=\"#888888\"/>\n", LEFT, TOP, side, side);
	rna_text_put(o, "<g font-size=\"9\" fill=\"#444444\">\n");
	for (i = step; i <= n; i += step) {
		at = ((double)i - 0.5) * cell;
		rna_text_printf(
		    o, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%zu</text>", LEFT + at, TOP - 12, i);
		rna_text_printf(
		    o, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%zu</text>\n", LEFT - 12, TOP + at + 3, i);
	}
	rna_text_put(o, "</g>\n");
}

static void
put_letters(struct rna_text_sink *o, const struct rna_folded *r, double cell)
{
	double at;
	size_t i;

	if (cell < LETTER)
		return;
	rna_text_put(o, "<g font-size=\"7\" text-anchor=\"middle\">\n");
	for (i = 0; i < r->n; i++) {
		at = ((double)i + 0.5) * cell;
		rna_text_printf(o, "<text x=\"%.1f\" y=\"%.1f\">", LEFT + at, TOP - 3);
		rna_picture_letter(o, r->seq[i]);
		rna_text_printf(o, "</text><text x=\"%.1f\" y=\"%.1f\">", LEFT - 6, TOP + at + 2.5);
		rna_picture_letter(o, r->seq[i]);
		rna_text_put(o, "</text>\n");
	}
	rna_text_put(o, "</g>\n");
}

static void
put_square(struct rna_text_sink *o, double column, double row, double side, double cell)
{
	rna_text_printf(o, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>\n",
	    LEFT + (column + 0.5) * cell - side / 2, TOP + (row + 0.5) * cell - side / 2, side, side);
}

enum rna_status
rna_picture_dotplot(struct rna_text_sink *o, const struct rna_folded *r, const struct rna_picture_probs *probs,
    double *width, double *height, struct rna_err *err)
{
	double cell = fmin(10, fmax(0.5, 640.0 / (double)(r->n > 0 ? r->n : 1)));
	size_t i;

	(void)err;
	*width = fmax(LEFT + rna_picture_title_width(r), LEFT + cell * (double)r->n + 14);
	*height = TOP + cell * (double)r->n + 40;
	rna_picture_title(o, r, LEFT, 16);
	put_grid(o, r->n, cell);
	put_letters(o, r, cell);
	rna_text_put(o, "<g fill=\"#1f5f9f\">\n");
	for (i = 0; i < probs->n; i++)
		put_square(o, probs->ij[2 * i + 1], probs->ij[2 * i], cell * sqrt((double)probs->p[i]), cell);
	rna_text_put(o, "</g>\n<g fill=\"#c0392b\">\n");
	for (i = 0; i < r->n && r->partner != NULL; i++)
		if (r->partner[i] > (int32_t)i)
			put_square(o, (double)i, r->partner[i], cell, cell);
	rna_text_printf(o, "</g>\n<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\">", LEFT, *height - 20);
	rna_text_put(o, "above the diagonal: probability (area)</text>\n");
	if (r->partner != NULL)
		rna_text_printf(
		    o, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\">below: the structure</text>\n", LEFT, *height - 7);
	return RNA_OK;
}
