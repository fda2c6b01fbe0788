/*
 * picture_structure.c: a secondary structure as SVG: backbone, pairs, bases with their letters, numbers every ten.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seq/layout.h"
#include "seq/nearby.h"
#include "seq/picture_private.h"
#include "seq/structure.h"

#define UNIT 16.0 /* px between neighbours of a stem */
#define RADIUS 6.4
#define MARGIN 14.0
#define UNPAIRED "#f2f2f2"
#define CROSSING "#b03a9a"

enum kind { KIND_GC, KIND_AU, KIND_GU, KIND_OTHER, NKINDS };
static const char *const kind_name[NKINDS] = {"GC", "AU", "GU", "other"};
static const char *const kind_colour[NKINDS] = {"#8ec6f0", "#a8dba0", "#f8cf8a", "#f0a7a0"};

struct drawing {
	struct rna_text_sink *o;
	const struct rna_folded *r;
	const struct rna_picture_probs *probs;
	int32_t *nested; /* [n] partners of the pairs that cross nothing */
	double *p;       /* [n] probability of what is drawn for the base; NULL: not known */
	struct rna_point *at, *away;
	struct rna_nearby taken; /* bases and labels */
	int kinds[NKINDS], crossing;
	double left, top, right, bottom; /* in units */
};

static char
base_of(char c)
{
	c = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	return c == 'T' ? 'U' : c;
}

static enum kind
kind_of(char a, char b)
{
	a = base_of(a);
	b = base_of(b);
	if ((a == 'G' && b == 'C') || (a == 'C' && b == 'G'))
		return KIND_GC;
	if ((a == 'A' && b == 'U') || (a == 'U' && b == 'A'))
		return KIND_AU;
	return (a == 'G' && b == 'U') || (a == 'U' && b == 'G') ? KIND_GU : KIND_OTHER;
}

/* Pairs of the first bracket layer. */
static enum rna_status
set_nested(struct drawing *d, struct rna_err *err)
{
	struct rna_buf text = RNA_BUF_INIT;
	size_t i, n = d->r->n;
	enum rna_status st;

	st = rna_structure_print(d->r->partner, n, &text, err);
	for (i = 0; i < n && st == RNA_OK; i++) {
		d->nested[i] = text.data[i] == '(' || text.data[i] == ')' ? d->r->partner[i] : -1;
		d->crossing += d->r->partner[i] > (int32_t)i && d->nested[i] < 0;
	}
	rna_buf_fini(&text);
	return st;
}

/* What the ensemble says of each base as it is drawn: of its pair, or of being unpaired. */
static void
set_probs(struct drawing *d)
{
	const struct rna_picture_probs *q = d->probs;
	size_t i, k;

	if (q->ij == NULL)
		return;
	for (i = 0; i < d->r->n; i++)
		d->p[i] = d->r->partner[i] < 0 ? 1 : 0;
	for (k = 0; k < q->n; k++) {
		for (i = 0; i < 2; i++) {
			int32_t a = q->ij[2 * k + i], b = q->ij[2 * k + 1 - i];

			if (d->r->partner[a] < 0)
				d->p[a] -= (double)q->p[k];
			else if (d->r->partner[a] == b)
				d->p[a] = (double)q->p[k];
		}
	}
}

static double
px(double x, double low)
{
	return MARGIN + (x - low) * UNIT;
}

static void
include(struct drawing *d, double x, double y)
{
	d->left = fmin(d->left, x);
	d->right = fmax(d->right, x);
	d->top = fmin(d->top, y);
	d->bottom = fmax(d->bottom, y);
}

/* Backbone and pairs. */
static void
put_lines(struct drawing *d)
{
	size_t i;

	rna_text_put(d->o, "<polyline fill=\"none\" stroke=\"#9a9a9a\" stroke-width=\"1.5\" points=\"");
	for (i = 0; i < d->r->n; i++)
		rna_text_printf(d->o, "%s%.1f,%.1f", i > 0 ? " " : "", px(d->at[i].x, d->left), px(d->at[i].y, d->top));
	rna_text_put(d->o, "\"/>\n<g stroke=\"#333333\" stroke-width=\"1.8\">\n");
	for (i = 0; i < d->r->n; i++) {
		int32_t j = d->nested[i];

		if (j > (int32_t)i)
			rna_text_printf(d->o, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
			    px(d->at[i].x, d->left), px(d->at[i].y, d->top), px(d->at[j].x, d->left),
			    px(d->at[j].y, d->top));
	}
	rna_text_put(d->o, "</g>\n");
}

/* Pairs that cross others, as curves bent to the side of their 5' base. */
static void
put_crossing(struct drawing *d)
{
	double dx, dy;
	size_t i;

	if (d->crossing == 0)
		return;
	rna_text_put(d->o, "<g fill=\"none\" stroke=\"" CROSSING "\" stroke-width=\"1.5\" stroke-opacity=\"0.8\">\n");
	for (i = 0; i < d->r->n; i++) {
		int32_t j = d->r->partner[i];

		if (j <= (int32_t)i || d->nested[i] >= 0)
			continue;
		dx = d->at[j].x - d->at[i].x;
		dy = d->at[j].y - d->at[i].y;
		rna_text_printf(d->o, "<path d=\"M%.1f %.1f Q%.1f %.1f %.1f %.1f\"/>\n", px(d->at[i].x, d->left),
		    px(d->at[i].y, d->top), px(d->at[i].x + dx / 2 - dy / 5, d->left),
		    px(d->at[i].y + dy / 2 + dx / 5, d->top), px(d->at[j].x, d->left), px(d->at[j].y, d->top));
	}
	rna_text_put(d->o, "</g>\n");
}

static void
put_bases(struct drawing *d)
{
	char colour[8];
	size_t i;

	rna_text_put(d->o, "<g stroke=\"#555555\" stroke-width=\"0.8\">\n");
	for (i = 0; i < d->r->n; i++) {
		int32_t j = d->r->partner[i];

		if (d->probs->ij != NULL)
			rna_picture_colour(d->p[i], colour);
		else
			strlcpy(colour, j < 0 ? UNPAIRED : kind_colour[kind_of(d->r->seq[i], d->r->seq[j])],
			    sizeof(colour));
		rna_text_printf(d->o, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>\n",
		    px(d->at[i].x, d->left), px(d->at[i].y, d->top), RADIUS, colour);
	}
	rna_text_put(d->o, "</g>\n<g text-anchor=\"middle\" font-size=\"9\">\n");
	for (i = 0; i < d->r->n; i++) {
		rna_text_printf(
		    d->o, "<text x=\"%.1f\" y=\"%.1f\">", px(d->at[i].x, d->left), px(d->at[i].y, d->top) + 3.2);
		rna_picture_letter(d->o, d->r->seq[i]);
		rna_text_put(d->o, "</text>\n");
	}
	rna_text_put(d->o, "</g>\n");
}

static int
stop(const struct rna_disc *disc, void *arg)
{
	(void)disc;
	(void)arg;
	return 1;
}

/* A free place near base i for a label, out of the drawing before all else. */
static struct rna_point
find_room(const struct drawing *d, size_t i)
{
	static const double turn[] = {0, 0.5, -0.5, 1, -1, 1.6, -1.6, 2.3, -2.3, 3.1}, far[] = {1.45, 2.1, 2.9};
	struct rna_point p = {0, 0}, u = d->away[i];
	size_t k, m;

	for (m = 0; m < sizeof(far) / sizeof(far[0]); m++) {
		for (k = 0; k < sizeof(turn) / sizeof(turn[0]); k++) {
			p.x = d->at[i].x + far[m] * (u.x * cos(turn[k]) - u.y * sin(turn[k]));
			p.y = d->at[i].y + far[m] * (u.x * sin(turn[k]) + u.y * cos(turn[k]));
			if (!rna_nearby_each(&d->taken, p.x, p.y, 0.55, stop, NULL))
				return p;
		}
	}
	p.x = d->at[i].x + far[0] * u.x;
	p.y = d->at[i].y + far[0] * u.y;
	return p;
}

static void
put_label(struct drawing *d, size_t i, struct rna_point p, const char *text)
{
	double dx = d->at[i].x - p.x, dy = d->at[i].y - p.y, far = hypot(dx, dy), x = px(p.x, d->left),
	       y = px(p.y, d->top);

	rna_text_printf(d->o, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#888888\"/>\n",
	    x + dx * UNIT * 0.42 / far, y + dy * UNIT * 0.42 / far, px(d->at[i].x, d->left) - dx * RADIUS / far,
	    px(d->at[i].y, d->top) - dy * RADIUS / far);
	rna_text_printf(d->o, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x, y + 3, text);
}

/* Places of the labels: the ends, then every tenth base; labels[k] belongs to base at[k]. */
static enum rna_status
find_labels(struct drawing *d, struct rna_point *label)
{
	enum rna_status st = RNA_OK;
	size_t i, n = d->r->n, k;

	for (i = 0; i < n && st == RNA_OK; i++)
		st = rna_nearby_add(&d->taken, d->at[i].x, d->at[i].y, 0.45, 0);
	for (k = 0; k < n / 10 + 2 && st == RNA_OK && n > 0; k++) {
		i = k == 0 ? 0 : k == 1 ? n - 1 : 10 * (k - 1) - 1;
		label[k] = find_room(d, i);
		include(d, label[k].x - 0.6, label[k].y - 0.4);
		include(d, label[k].x + 0.6, label[k].y + 0.4);
		st = rna_nearby_add(&d->taken, label[k].x, label[k].y, 0.6, 0);
	}
	return st;
}

static void
put_labels(struct drawing *d, const struct rna_point *label)
{
	size_t k, n = d->r->n;
	char text[24];

	if (n == 0)
		return;
	rna_text_put(d->o, "<g text-anchor=\"middle\" font-size=\"9\" fill=\"#444444\">\n");
	put_label(d, 0, label[0], "5&#8242;");
	put_label(d, n - 1, label[1], "3&#8242;");
	for (k = 2; k < n / 10 + 2; k++) {
		snprintf(text, sizeof(text), "%zu", 10 * (k - 1));
		put_label(d, 10 * (k - 1) - 1, label[k], text);
	}
	rna_text_put(d->o, "</g>\n");
}

/* What the colours mean, in the last line. */
static void
put_legend(struct drawing *d, double x, double y)
{
	size_t i;
	int k;

	if (d->probs->ij != NULL) {
		rna_picture_scale(d->o, "probability", x, y - 12);
		x += 140;
	} else {
		for (i = 0; i < d->r->n; i++)
			if (d->r->partner[i] > (int32_t)i)
				d->kinds[kind_of(d->r->seq[i], d->r->seq[d->r->partner[i]])]++;
		for (k = 0; k < NKINDS; k++) {
			if (d->kinds[k] == 0)
				continue;
			rna_text_printf(d->o, "<rect x=\"%.1f\" y=\"%.1f\" width=\"10\" height=\"10\" fill=\"%s\"/>\n",
			    x, y - 9, kind_colour[k]);
			rna_text_printf(
			    d->o, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\">%s</text>\n", x + 13, y, kind_name[k]);
			x += k == KIND_OTHER ? 50 : 38;
		}
	}
	if (d->crossing > 0) {
		rna_text_printf(d->o,
		    "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"" CROSSING
		    "\" stroke-width=\"1.5\"/>\n",
		    x, y - 4, x + 12, y - 4);
		rna_text_printf(d->o, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\">pseudoknot</text>\n", x + 16, y);
	}
}

static enum rna_status
draw(struct drawing *d, double *width, double *height, struct rna_err *err)
{
	size_t n = d->r->n, i;
	struct rna_point *label = calloc(n / 10 + 2, sizeof(*label));
	enum rna_status st = label != NULL ? set_nested(d, err) : rna_fail(err, RNA_EMEM, "out of memory");

	if (st == RNA_OK && (st = rna_layout(d->nested, n, d->at, d->away)) != RNA_OK)
		rna_fail(err, st, st == RNA_EMEM ? "out of memory" : "the structure can't be laid out");
	d->left = d->top = n > 0 ? HUGE_VAL : 0;
	d->right = d->bottom = n > 0 ? -HUGE_VAL : 0;
	for (i = 0; i < n && st == RNA_OK; i++)
		include(d, d->at[i].x, d->at[i].y);
	if (st == RNA_OK && (st = find_labels(d, label)) != RNA_OK)
		rna_fail(err, st, "out of memory");
	if (st == RNA_OK) {
		set_probs(d);
		*width = fmax(fmax(260, rna_picture_title_width(d->r)), 2 * MARGIN + (d->right - d->left) * UNIT);
		*height = 2 * MARGIN + (d->bottom - d->top) * UNIT + RNA_PICTURE_TITLE + 20;
		rna_picture_title(d->o, d->r, MARGIN, 16);
		rna_text_printf(d->o, "<g transform=\"translate(0 %d)\">\n", RNA_PICTURE_TITLE);
		if (n > 0)
			put_lines(d);
		put_crossing(d);
		put_bases(d);
		put_labels(d, label);
		rna_text_put(d->o, "</g>\n");
		put_legend(d, MARGIN, *height - 8);
	}
	free(label);
	return st;
}

enum rna_status
rna_picture_structure(struct rna_text_sink *o, const struct rna_folded *r, const struct rna_picture_probs *probs,
    double *width, double *height, struct rna_err *err)
{
	struct drawing d = {.o = o, .r = r, .probs = probs};
	enum rna_status st;

	d.nested = calloc(r->n + 1, sizeof(*d.nested));
	d.p = calloc(r->n + 1, sizeof(*d.p));
	d.at = calloc(r->n + 1, sizeof(*d.at));
	d.away = calloc(r->n + 1, sizeof(*d.away));
	if (d.nested == NULL || d.p == NULL || d.at == NULL || d.away == NULL)
		st = rna_fail(err, RNA_EMEM, "out of memory");
	else
		st = draw(&d, width, height, err);
	free(d.nested);
	free(d.p);
	free(d.at);
	free(d.away);
	rna_nearby_fini(&d.taken);
	return st;
}
