/*
 * picture.c: drawings of records gathered into one SVG, and what both kinds of drawing share.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "seq/picture_private.h"

#define SPACE 20 /* between drawings */
#define NAME 80  /* bytes of a name that are shown */

/* 1. Shared by the drawings */

enum rna_status
rna_picture_probs(const struct rna_record *rec, size_t length, struct rna_picture_probs *probs, struct rna_err *err)
{
	const struct rna_field *ij = rna_record_find(rec, "bpp_ij"), *p = rna_record_find(rec, "bpp_p");
	size_t i;

	*probs = (struct rna_picture_probs){NULL, NULL, 0};
	if (ij == NULL && p == NULL)
		return RNA_OK;
	if (ij == NULL || p == NULL || ij->dtype != RNA_I32 || ij->ndim != 2 || ij->dims[1] != 2 ||
	    p->dtype != RNA_F32 || p->ndim != 1 || p->dims[0] != ij->dims[0])
		return rna_fail(err, RNA_EFORMAT, "bpp_ij and bpp_p are not i32 [P,2] and f32 [P]");
	probs->ij = rna_record_data(rec, ij);
	probs->p = rna_record_data(rec, p);
	probs->n = (size_t)p->dims[0];
	for (i = 0; i < probs->n; i++) {
		int32_t a = probs->ij[2 * i], b = probs->ij[2 * i + 1];

		if (a < 0 || b <= a || (size_t)b >= length || !(probs->p[i] >= 0 && probs->p[i] <= 1))
			return rna_fail(err, RNA_EFORMAT, "bpp_ij: pair %zu is no pair with a probability", i);
	}
	return RNA_OK;
}

/* Bytes of the name that are shown. */
static size_t
shown(const struct rna_folded *r)
{
	size_t n = r->name_length < NAME ? r->name_length : NAME;

	while (n > 0 && n < r->name_length && ((unsigned char)r->name[n] & 0xc0) == 0x80)
		n--; /* not within a letter of several bytes */
	return n;
}

double
rna_picture_title_width(const struct rna_folded *r)
{
	return 28 + 7.4 * (double)(shown(r) + 12 + (r->has_energy ? 17 : 0));
}

void
rna_picture_title(struct rna_text_sink *o, const struct rna_folded *r, double x, double y)
{
	rna_text_printf(o, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"13\">", x, y);
	rna_text_string(o, RNA_TEXT_ESCAPE_XML, r->name, shown(r));
	rna_text_printf(o, "%s%zu nt", shown(r) < r->name_length ? "..., " : r->name_length > 0 ? ", " : "", r->n);
	if (r->has_energy)
		rna_text_printf(o, ", %.2f kcal/mol", r->energy);
	rna_text_put(o, "</text>\n");
}

void
rna_picture_letter(struct rna_text_sink *o, char letter)
{
	char c = letter > ' ' && letter < 0x7f ? letter : 'N';

	rna_text_string(o, RNA_TEXT_ESCAPE_XML, &c, 1);
}

void
rna_picture_colour(double p, char colour[8])
{
	/* from pale to deep, light enough for black letters */
	static const unsigned char stop[5][3] = {
	    {255, 251, 214}, {204, 235, 180}, {140, 212, 186}, {84, 182, 200}, {66, 146, 205}};
	int i = p < 0 ? 0 : p >= 1 ? 3 : (int)(4 * p), k;
	double t = fmin(1, fmax(0, 4 * p - i));
	unsigned c[3];

	for (k = 0; k < 3; k++)
		c[k] = (unsigned)lround(stop[i][k] + t * (stop[i + 1][k] - stop[i][k]));
	snprintf(colour, 8, "#%02x%02x%02x", c[0] & 0xff, c[1] & 0xff, c[2] & 0xff);
}

void
rna_picture_scale(struct rna_text_sink *o, const char *what, double x, double y)
{
	char colour[8];
	int i;

	for (i = 0; i < 20; i++) {
		rna_picture_colour((i + 0.5) / 20, colour);
		rna_text_printf(
		    o, "<rect x=\"%.1f\" y=\"%.1f\" width=\"6\" height=\"10\" fill=\"%s\"/>\n", x + 6 * i, y, colour);
	}
	rna_text_printf(o, "<g font-size=\"9\"><text x=\"%.1f\" y=\"%.1f\">0</text>", x, y + 20);
	rna_text_printf(o, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>", x + 60, y + 20, what);
	rna_text_printf(o, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">1</text></g>\n", x + 120, y + 20);
}

/* 2. The drawings of a stream */

enum rna_status
rna_pictures_add(struct rna_pictures *p, enum rna_picture kind, const struct rna_record *rec, struct rna_err *err)
{
	struct rna_text_sink o = {&p->body, RNA_OK};
	struct rna_picture_frame frame = {0, 0, 0};
	struct rna_picture_probs probs;
	int structure = kind == RNA_PICTURE_STRUCTURE || rna_record_find(rec, "structure") != NULL ||
	                rna_record_find(rec, "pair") != NULL;
	struct rna_folded r;
	enum rna_status st;

	if ((st = rna_folded_get(&r, rec, structure, err)) != RNA_OK ||
	    (st = rna_picture_probs(rec, r.n, &probs, err)) != RNA_OK)
		goto out;
	if (r.n > RNA_PICTURE_MAX)
		st = rna_fail(err, RNA_EFORMAT, "%zu nt are too many to draw (at most %d)", r.n, RNA_PICTURE_MAX);
	else if (kind == RNA_PICTURE_STRUCTURE)
		st = rna_picture_structure(&o, &r, &probs, &frame.width, &frame.height, err);
	else if (probs.ij == NULL)
		st = rna_fail(err, RNA_EFORMAT, "no bpp_ij to plot; rna-fold --partition adds it");
	else
		st = rna_picture_dotplot(&o, &r, &probs, &frame.width, &frame.height, err);
	if (st == RNA_OK)
		st = o.status;
	frame.end = p->body.len;
	if (st == RNA_OK)
		st = rna_buf_add(&p->frames, &frame, sizeof(frame));
	if (st == RNA_EMEM)
		rna_fail(err, st, "out of memory");
out:
	rna_folded_fini(&r);
	return st;
}

/* Drawings from *i on that stand beside each other within width; returns their height. */
static double
row_of(const struct rna_picture_frame *f, size_t n, size_t *i, double width, double *used)
{
	double height = 0;

	*used = 0;
	do {
		height = fmax(height, f[*i].height);
		*used += f[*i].width + SPACE;
		(*i)++;
	} while (*i < n && *used + f[*i].width <= width);
	*used -= SPACE;
	return height;
}

/* The size of all with rows of about the given width. */
static void
measure(const struct rna_picture_frame *f, size_t n, double wanted, double *width, double *height)
{
	double used;
	size_t i = 0;

	*width = *height = 0;
	while (i < n) {
		*height += row_of(f, n, &i, wanted, &used) + (i < n ? SPACE : 0);
		*width = fmax(*width, used);
	}
}

enum rna_status
rna_pictures_write(const struct rna_pictures *p, struct rna_buf *out, struct rna_err *err)
{
	const struct rna_picture_frame *f = (const struct rna_picture_frame *)(const void *)p->frames.data;
	size_t n = p->frames.len / sizeof(*f), i, k, begin = 0;
	double area = 0, width, height, x, y = 0, used, row;
	struct rna_text_sink o = {out, RNA_OK};

	for (i = 0; i < n; i++)
		area += (f[i].width + SPACE) * (f[i].height + SPACE);
	measure(f, n, 1.2 * sqrt(area), &width, &height);
	rna_text_put(&o, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	rna_text_printf(
	    &o, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" ", ceil(width), ceil(height));
	rna_text_printf(
	    &o, "viewBox=\"0 0 %.0f %.0f\" font-family=\"Helvetica, Arial, sans-serif\">\n", ceil(width), ceil(height));
	rna_text_put(&o, "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
	for (i = 0; i < n; y += row + SPACE) {
		k = i;
		row = row_of(f, n, &i, 1.2 * sqrt(area), &used);
		for (x = 0; k < i; begin = f[k].end, x += f[k++].width + SPACE) {
			rna_text_printf(&o, "<g transform=\"translate(%.1f %.1f)\">\n", x, y);
			rna_text_put_bytes(&o, (const char *)p->body.data + begin, f[k].end - begin);
			rna_text_put(&o, "</g>\n");
		}
	}
	rna_text_put(&o, "</svg>\n");
	return o.status == RNA_OK ? RNA_OK : rna_fail(err, o.status, "out of memory");
}

void
rna_pictures_fini(struct rna_pictures *p)
{
	rna_buf_fini(&p->body);
	rna_buf_fini(&p->frames);
}
