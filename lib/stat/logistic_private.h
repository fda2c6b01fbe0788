/*
 * logistic_private.h: sums over the examples of a logistic regression, between its files.
 */
#ifndef RNA_LOGISTIC_PRIVATE_H
#define RNA_LOGISTIC_PRIVATE_H

#include "stat/logistic.h"
#include "stream/pool.h"

/* Rows and columns of w are filled with zeros to a multiple of it. */
#define LOGISTIC_TILE 4
/* Parts of the examples, each summed on its own: the same bits for every number of threads. */
#define LOGISTIC_SLICES 16

struct logistic_slice;

/*
 * Weights here are [rows, cols]: those of struct rna_logistic with zeros behind each row and below the bias, so that
 * products come in whole tiles.
 */
struct logistic_sums {
	const struct rna_logistic *d;
	size_t rows, cols;
	struct logistic_slice *slice; /* [LOGISTIC_SLICES] */
	double *memory;
	struct rna_pool *pool;
	/* what logistic_sum found */
	double loss;  /* weighted sum of -log p of the labels */
	double total; /* weights */
	size_t n, hits;
	double *curve; /* [n] weight * sum_k p_k (1 - p_k) / (classes - 1): how uncertain each example is */
};

enum rna_status
logistic_sums_init(struct logistic_sums *s, const struct rna_logistic *d, struct rna_err *err) RNA_CHECK;
void logistic_sums_fini(struct logistic_sums *s); /* of zeros: fine */
/* The sums with weights w; grad [rows, cols], unless NULL: derivatives of the loss. */
void logistic_sum(struct logistic_sums *s, const double *w, double *grad);
/*
 * gram [rows, rows], its lower triangle: the mean of curve * x x^T, x with a 1 for the bias, over about `most` of the
 * examples, curve as the last logistic_sum left it.
 */
void logistic_gram(struct logistic_sums *s, size_t most, double *gram);

/*
 * The lower triangle of gram [n, n], in rows of `wide`, becomes the Cholesky factor L of gram + l2 (but for the last
 * row, the bias).  0: that is not positive definite.
 */
int logistic_factor(double *gram, size_t n, size_t wide, double l2);
/* x [n, cols] becomes y of L L^T y = x. */
void logistic_solve(const double *lower, size_t n, size_t wide, double *x, size_t cols);

double logistic_dot(const double *a, const double *b, size_t n);

#endif
