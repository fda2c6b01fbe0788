/*
 * fold_rows.h: the vector loops of the dynamic programme, one row of cells at a time; instantiated for AVX-512, AVX2
 * and plain C from fold_rows_text.h.  Private to lib/fold.
 */
#ifndef RNA_FOLD_ROWS_H
#define RNA_FOLD_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include "fold/energy.h"

#define FOLD_PAD  64 /* cells of RNA_FOLD_INF before and after every row: shifted loads never leave it */
#define FOLD_RING 32 /* inner rows that interior loops reach: i+1 .. i+31 */

/* Cells of a row of n, and of a triangle whose row i holds columns i..n, where a vector may run over its end. */
static inline size_t
fold_row_cells(size_t n)
{
	return n + 2 * FOLD_PAD;
}

static inline size_t
fold_triangle_cells(size_t n)
{
	return n * (n + 1) / 2 + FOLD_PAD;
}

/* From a triangle's first cell to column 0 of row i. */
static inline ptrdiff_t
fold_triangle_row(int n, int i)
{
	const ptrdiff_t r = i;

	return (r - 1) * n - (r - 1) * (r - 2) / 2 - r;
}

/*
 * Minima over the interior loops of row i that need no look at the inner pair's letters, for j in [from, to).  Pointers
 * of rows are to column 0; ring rows are indexed by k % FOLD_RING.
 */
struct fold_interior {
	int i, from, to;
	int32_t *const *cb,
	    *const *c1, *const *cg; /* inner cells with the terms of bulges, 1 x n and generic loops folded in */
	int32_t *const *v, *const *v_inner;           /* [RNA_MAXLOOP + 1] rows i and i+1 of V_s, see mfe.c */
	const int *bulge, *one_n, *generic;           /* by number of unpaired bases: 2..30, 4..30, 6..30 */
	const int *ninio;                             /* by asymmetry */
	int32_t *bulge_min, *one_n_min, *generic_min; /* out, to column 0 */
};

struct fold_rows {
	const char *name;
	void (*interior)(const struct fold_interior *);
	/* dst[j] = min(dst[j], src[j] + c) for j in [from, to) */
	void (*min_add)(int32_t *dst, const int32_t *src, int32_t c, int from, int to);
};

/* The best that this machine has; RILL_CPU names a lesser one, for tests. */
const struct fold_rows *rna_fold_rows(void);

extern const struct fold_rows rna_fold_rows_plain, rna_fold_rows_avx2, rna_fold_rows_avx512;

#endif
