/*
 * picture_private.h: what the two kinds of drawing share.
 */
#ifndef RNA_PICTURE_PRIVATE_H
#define RNA_PICTURE_PRIVATE_H

#include "seq/folded.h"
#include "seq/picture.h"
#include "seq/text_value.h"

#define RNA_PICTURE_TITLE 24 /* height of the line with name and energy */

/* Probabilities of a record, checked; n 0 and ij NULL: it has none. */
struct rna_picture_probs {
	const int32_t *ij;
	const float *p;
	size_t n;
};

enum rna_status rna_picture_probs(const struct rna_record *rec, size_t length, struct rna_picture_probs *probs,
    struct rna_err *err) RNA_CHECK;
/* Name, length and energy at x, y; of a long name its beginning. */
void rna_picture_title(struct rna_text_sink *o, const struct rna_folded *r, double x, double y);
double rna_picture_title_width(const struct rna_folded *r); /* about, with a margin */
void rna_picture_letter(struct rna_text_sink *o, char letter);
/* "#rrggbb" of a probability. */
void rna_picture_colour(double p, char colour[8]);
/* The scale of the colours, 120 wide and 24 high, with its top left corner at x, y. */
void rna_picture_scale(struct rna_text_sink *o, const char *what, double x, double y);

/* Append the elements of a drawing and set its size (picture_structure.c, picture_dotplot.c). */
enum rna_status rna_picture_structure(struct rna_text_sink *o, const struct rna_folded *r,
    const struct rna_picture_probs *probs, double *width, double *height, struct rna_err *err) RNA_CHECK;
enum rna_status rna_picture_dotplot(struct rna_text_sink *o, const struct rna_folded *r,
    const struct rna_picture_probs *probs, double *width, double *height, struct rna_err *err) RNA_CHECK;

#endif
