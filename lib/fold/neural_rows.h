/*
 * neural_rows.h: the vector loops of the neural fold, on rows of cells; instantiated for AVX-512, AVX2 and plain C from
 * neural_rows_text.h, with the same bits.  Private to lib/fold.
 *
 * Cells that hold no structure are -infinity, which no score can change.  Rows are pointers to column 0, with
 * FOLD_PAD such cells before and after.
 */
#ifndef RNA_NEURAL_ROWS_H
#define RNA_NEURAL_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include "fold/fold_rows.h"

#define NEURAL_SIDES (RNA_MAXLOOP + 1) /* unpaired bases on one side of an interior loop: 0 .. RNA_MAXLOOP */
#define NEURAL_BLOCK 8                 /* rows of M that are filled together */
#define NEURAL_TILE 32                 /* columns of T that lie together */

/* T(k,j) is in the tile of its column, whose rows 1, 2, ... follow each other, NEURAL_TILE cells each. */
static inline size_t
neural_tile(int tile)
{
	size_t t = (size_t)tile;

	/* the tiles before have NEURAL_TILE rows, twice, thrice as many ... */
	return NEURAL_TILE * NEURAL_TILE * (t * (t + 1) / 2);
}

/*
 * The best interior loop of each pair (i,j) of a row, among those whose energy needs no look at the letters of both
 * pairs; n1 and n2 are the unpaired bases on the 5' and the 3' side.
 */
struct neural_interior {
	const int32_t *js; /* columns that may pair, ascending */
	int njs;
	const float *const *cb, *const *c1, *const *cg; /* [n1]: row i+1+n1 of inner cells, with the terms of a bulge,
	                                                    a 1 x n and a generic loop */
	const float (*size)[NEURAL_SIDES + 1];          /* [n2][n1]: length terms, and the region of the 5' side */
	const float *const *region3;                    /* [n2]: by j, the region of the 3' side */
	float *bulge, *one_n, *generic;                 /* out */
};

/* M(row r, j) = max over k in [first, n] of region[r][k-1] + T(k,j), for the NEURAL_BLOCK rows of a block. */
struct neural_multi {
	int first, n;
	const float *t;             /* tiles */
	const float *const *region; /* [NEURAL_BLOCK] */
	float *const *m;            /* [NEURAL_BLOCK] out: whole tiles, so that up to NEURAL_TILE - 1 cells before the
	                               first and after the last column become -infinity */
};

struct neural_rows {
	const char *name;
	void (*interior)(const struct neural_interior *);
	void (*multi)(const struct neural_multi *);
	/* dst[j] = max(dst[j], src[j] + c) for j in [from, to) */
	void (*max_add)(float *dst, const float *src, float c, int from, int to);
};

/* The best that this machine has; RILL_CPU names a lesser one, for tests. */
const struct neural_rows *rna_neural_rows(void);

extern const struct neural_rows rna_neural_rows_plain, rna_neural_rows_avx2, rna_neural_rows_avx512;

#endif
