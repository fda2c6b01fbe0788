/*
 * sum_rows.h: the vector loops of the partition function, one row of cells at a time; instantiated for AVX-512, AVX2
 * and plain C from sum_rows_text.h, with the same bits.  Private to lib/fold.
 */
#ifndef RNA_SUM_ROWS_H
#define RNA_SUM_ROWS_H

#include "fold/fold_rows.h"

/*
 * Sums over the interior loops of the pairs of a row, (i,j) with j in [from, to), that need no look at the letters of
 * the pair at the other end.  direction 1: over inner pairs, rows i+1 .. i+31 are in the rings; -1: over the pairs
 * outside, rows i-1 .. i-31.  Pointers of rows are to column 0; ring rows are indexed by k % FOLD_RING.
 */
struct sum_interior {
	int i, from, to, direction;
	double *const *cb, *const *c1, *const *cg; /* cells at the other end and their terms */
	double *const *v, *const *v_before;        /* [RNA_MAXLOOP + 1] rows i and i + direction of V_s */
	const double *bulge, *one_n, *generic;     /* weights by number of unpaired bases */
	const double *ninio;                       /* by asymmetry */
	double *bulge_sum, *one_n_sum, *generic_sum; /* out, to column 0 */
};

struct sum_rows {
	const char *name;
	void (*interior)(const struct sum_interior *);
	/* y[j] += sum_k a[k] x[k][j], k = 0..3, for j in [from, to) */
	void (*add4)(double *y, double *const x[4], const double a[4], int from, int to);
	/* sum[k] = sum_j d[j] x[k][j] and y[k][j] += a[k] d[j], for j in [from, to) */
	void (*dot_add4)(const double *d, double *const x[4], double *const y[4], const double a[4], double sum[4],
	    int from, int to);
};

/* The best that this machine has; RILL_CPU names a lesser one, for tests. */
const struct sum_rows *rna_sum_rows(void);

extern const struct sum_rows rna_sum_rows_plain, rna_sum_rows_avx2, rna_sum_rows_avx512;

#endif
