/*
 * logistic.h: multinomial logistic regression with an L2 penalty, fitted to convergence (L-BFGS: Liu & Nocedal 1989).
 *
 *	f(W, b) = sum_i a_i (-log softmax(W x_i + b)[y_i]) / sum_i a_i  +  l2 / 2 |W|^2
 *
 * It is scikit-learn's LogisticRegression with C = 1 / (n l2) when all weights a are 1.  The bias has no penalty.
 */
#ifndef RNA_LOGISTIC_H
#define RNA_LOGISTIC_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

struct rna_logistic {
	size_t n, dims, classes; /* classes: 2 or more */
	const float *x;          /* [n, dims] */
	const int32_t *label;    /* [n], 0 .. classes-1; -1: left out */
	const double *weight;    /* [classes] a of the examples of a class; NULL: 1 */
	int threads;             /* time alone depends on it; below 2: none but the caller's */
};

struct rna_logistic_fit;

/* d and what it points to outlive the fit; labels and weights may change between runs.  NULL and err on failure. */
struct rna_logistic_fit *rna_logistic_open(const struct rna_logistic *d, struct rna_err *err);
/*
 * w is [dims + 1, classes], the last row the bias: where it starts, and the minimum.  *steps: iterations taken.
 * Converged when no derivative is larger than 1e-6, or another step would gain less than 1e-9.  One penalty after
 * another, strongest first, each from the w of the one before, is the fast way to many.
 */
enum rna_status
rna_logistic_run(struct rna_logistic_fit *f, double l2, double *w, int *steps, struct rna_err *err) RNA_CHECK;
void rna_logistic_close(struct rna_logistic_fit *f); /* NULL is fine */
/* f without the penalty, and the share of right calls (first of equals), of the examples that are not left out. */
enum rna_status rna_logistic_score(
    const struct rna_logistic *d, const double *w, double *loss, double *acc, struct rna_err *err) RNA_CHECK;

#endif
