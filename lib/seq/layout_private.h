/*
 * layout_private.h: between layout.c (places) and layout_spread.c (what touches what).
 */
#ifndef RNA_LAYOUT_PRIVATE_H
#define RNA_LAYOUT_PRIVATE_H

#include "seq/layout.h"
#include "seq/nearby.h"

/* The unpaired bases before a stem of a loop, and that stem; of the last gap i = j is the closing base. */
struct gap {
	int bases, i, j;
	double chord;         /* distance of neighbours in the gap */
	double angle;         /* to the stem, falling from 0 at the beginning of the circle */
	struct rna_point out; /* unit vector from the middle of the circle to the stem */
	double foot;          /* distance from there to the middle of its first pair */
	int grow;
};

struct layout {
	const int32_t *pair;
	int n;
	struct rna_point *at;     /* [n] an arm in its own frame, until it is placed */
	struct rna_point *placed; /* [n] arms on the circle that is being tried */
	struct gap *gap;          /* of the loop at hand: its stems and one more */
	unsigned char *inner;     /* [n] 1: the first base of a pair that is no beginning of an arm */
	struct rna_point middle;  /* of the circle at hand */
	double radius;
	int64_t work; /* bases placed so far, over all rounds */
	struct rna_nearby discs;
};

void rna_layout_place(struct layout *l, size_t k);
enum rna_status rna_layout_join(struct layout *l, int first, int a, int b, size_t nstems, double y) RNA_CHECK;
/* Makes the gaps wider that are between parts that touch; *grown says whether there were any. */
enum rna_status
rna_layout_spread(struct layout *l, int first, int a, int b, size_t nstems, int *grown) RNA_CHECK;
/* Stem k below a line, at *x or as far to the right as it must; *x: behind it; *fits 0: it comes up to the line. */
enum rna_status rna_layout_stand(struct layout *l, size_t k, double *x, int *fits) RNA_CHECK;

#endif
