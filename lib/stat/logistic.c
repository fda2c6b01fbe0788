/*
 * logistic.c: multinomial logistic regression by L-BFGS.
 *
 * Features that go together make some directions thousands of times as steep as others, and the steps many.  So where
 * they are few enough, what L-BFGS takes for the curvature before it knows more is mean(u x x^T) + l2 for every class,
 * u how uncertain an example is at the start: of one penalty after another that is where the last one ended, and nearly
 * right.  It is factorised once for each penalty.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/logistic_private.h"

#define HISTORY 20
#define STEPS 2000
#define FACTORED 1024 /* most features that are worth a factorisation */
#define GRAM 8192     /* examples that say what the curvature is like */
#define GAIN 1e-9     /* what makes another step worth it */

struct rna_logistic_fit {
	struct logistic_sums sums;
	double l2;
	size_t n; /* of w */
	double *w, *grad, *next, *ngrad, *dir;
	double *s[HISTORY], *y[HISTORY]; /* steps and differences of gradients, newest at (have - 1) % HISTORY */
	double rho[HISTORY];
	size_t have;
	double *memory;
	double *lower; /* the factor; NULL: too many features */
	int factored;
};

/* Loss with its gradient. */
static double
objective(struct rna_logistic_fit *f, const double *w, double *grad)
{
	struct logistic_sums *s = &f->sums;
	const size_t penalised = s->d->dims * s->cols;
	double total;
	size_t i;

	logistic_sum(s, w, grad);
	total = s->total > 0 ? s->total : 1;
	for (i = 0; i < f->n; i++)
		grad[i] = grad[i] / total + (i < penalised ? f->l2 * w[i] : 0);
	return s->loss / total + f->l2 / 2 * logistic_dot(w, w, penalised);
}

/* x = M^-1 x, M the curvature before anything is known of it. */
static void
solve(const struct rna_logistic_fit *f, double *x)
{
	if (f->factored)
		logistic_solve(f->lower, f->sums.d->dims + 1, f->sums.rows, x, f->sums.cols);
}

/* dir = -H grad, by the two loops over the history.  next is free here. */
static void
direction(struct rna_logistic_fit *f)
{
	size_t first = f->have > HISTORY ? f->have - HISTORY : 0, i, j;
	double alpha[HISTORY] = {0}, beta, scale;

	for (i = 0; i < f->n; i++)
		f->dir[i] = -f->grad[i];
	for (j = f->have; j-- > first;) {
		const size_t at = j % HISTORY;

		alpha[at] = f->rho[at] * logistic_dot(f->s[at], f->dir, f->n);
		for (i = 0; i < f->n; i++)
			f->dir[i] -= alpha[at] * f->y[at][i];
	}
	solve(f, f->dir);
	if (f->have > 0) {
		const size_t at = (f->have - 1) % HISTORY;

		memcpy(f->next, f->y[at], f->n * sizeof(*f->next));
		solve(f, f->next);
		scale = 1 / (f->rho[at] * logistic_dot(f->y[at], f->next, f->n));
		for (i = 0; i < f->n; i++)
			f->dir[i] *= scale;
	}
	for (j = first; j < f->have; j++) {
		const size_t at = j % HISTORY;

		beta = f->rho[at] * logistic_dot(f->y[at], f->dir, f->n);
		for (i = 0; i < f->n; i++)
			f->dir[i] += f->s[at][i] * (alpha[at] - beta);
	}
}

/*
 * Goes from w along dir, on which the loss falls by -slope, until it falls as that promises; 1: to next, with ngrad and
 * *loss.
 */
static int
search(struct rna_logistic_fit *f, double slope, double *loss)
{
	double step = 1, now;
	size_t i;
	int tries;

	if (f->have == 0 && !f->factored)
		step = fmin(1, 1 / sqrt(-slope + DBL_MIN));
	for (tries = 0; tries < 40 && slope < 0; tries++) {
		for (i = 0; i < f->n; i++)
			f->next[i] = f->w[i] + step * f->dir[i];
		now = objective(f, f->next, f->ngrad);
		if (isfinite(now) && now <= *loss + 1e-4 * step * slope) {
			*loss = now;
			return 1;
		}
		step /= 2;
	}
	return 0;
}

/* The step just taken goes into the history when the curvature along it is positive. */
static void
remember(struct rna_logistic_fit *f)
{
	const size_t at = f->have % HISTORY;
	double curve;
	size_t i;

	for (i = 0; i < f->n; i++) {
		f->s[at][i] = f->next[i] - f->w[i];
		f->y[at][i] = f->ngrad[i] - f->grad[i];
	}
	curve = logistic_dot(f->s[at], f->y[at], f->n);
	if (curve > 1e-12 * logistic_dot(f->y[at], f->y[at], f->n)) {
		f->rho[at] = 1 / curve;
		f->have++;
	}
}

static double
largest(const double *x, size_t n)
{
	double top = 0;
	size_t i;

	for (i = 0; i < n; i++)
		top = fmax(top, fabs(x[i]));
	return top;
}

static enum rna_status
take_memory(struct rna_logistic_fit *f, struct rna_err *err)
{
	const size_t rows = f->sums.rows;
	size_t i;

	f->n = rows * f->sums.cols;
	f->memory = calloc(f->n, (5 + 2 * HISTORY) * sizeof(*f->memory));
	if (f->sums.d->dims <= FACTORED)
		f->lower = calloc(rows * rows, sizeof(*f->lower));
	if (f->memory == NULL || (f->sums.d->dims <= FACTORED && f->lower == NULL))
		return rna_fail(err, RNA_EMEM, "no memory to fit %zu weights", f->n);
	f->w = f->memory;
	f->grad = f->w + f->n;
	f->next = f->grad + f->n;
	f->ngrad = f->next + f->n;
	f->dir = f->ngrad + f->n;
	for (i = 0; i < HISTORY; i++) {
		f->s[i] = f->dir + f->n * (1 + i);
		f->y[i] = f->dir + f->n * (1 + HISTORY + i);
	}
	return RNA_OK;
}

struct rna_logistic_fit *
rna_logistic_open(const struct rna_logistic *d, struct rna_err *err)
{
	struct rna_logistic_fit *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	if (logistic_sums_init(&f->sums, d, err) != RNA_OK || take_memory(f, err) != RNA_OK) {
		rna_logistic_close(f);
		return NULL;
	}
	return f;
}

/* Between w of struct rna_logistic and that of sums: to, of rows of `wide`, from `from`. */
static void
copy_weights(const struct rna_logistic *d, double *to, size_t wide, const double *from, size_t from_wide)
{
	size_t i;

	for (i = 0; i <= d->dims; i++)
		memcpy(to + i * wide, from + i * from_wide, d->classes * sizeof(*to));
}

/* One step; 0: there is none that is worth it. */
static int
advance(struct rna_logistic_fit *f, double *loss)
{
	double slope;

	if (largest(f->grad, f->n) <= 1e-6)
		return 0;
	direction(f);
	slope = logistic_dot(f->grad, f->dir, f->n);
	if ((f->have > 0 || f->factored) && slope <= 0 && slope > -GAIN)
		return 0;
	if (!search(f, slope, loss)) { /* the history misleads: once more without it */
		f->have = 0;
		direction(f);
		if (!search(f, logistic_dot(f->grad, f->dir, f->n), loss))
			return 0;
	}
	remember(f);
	memcpy(f->w, f->next, f->n * sizeof(*f->w));
	memcpy(f->grad, f->ngrad, f->n * sizeof(*f->w));
	return 1;
}

enum rna_status
rna_logistic_run(struct rna_logistic_fit *f, double l2, double *w, int *steps, struct rna_err *err)
{
	const struct rna_logistic *d = f->sums.d;
	const size_t cols = f->sums.cols;
	double loss;

	*steps = 0;
	f->l2 = l2;
	f->have = 0;
	copy_weights(d, f->w, cols, w, d->classes);
	loss = objective(f, f->w, f->grad);
	if (!isfinite(loss))
		return rna_fail(err, RNA_EINVAL, "the features are too large, or not numbers");
	f->factored = 0;
	if (f->lower != NULL) {
		logistic_gram(&f->sums, GRAM, f->lower);
		f->factored = logistic_factor(f->lower, d->dims + 1, f->sums.rows, l2);
	}
	while (*steps < STEPS && advance(f, &loss))
		(*steps)++;
	copy_weights(d, w, d->classes, f->w, cols);
	return RNA_OK;
}

void
rna_logistic_close(struct rna_logistic_fit *f)
{
	if (f == NULL)
		return;
	logistic_sums_fini(&f->sums);
	free(f->memory);
	free(f->lower);
	free(f);
}

enum rna_status
rna_logistic_score(const struct rna_logistic *d, const double *w, double *loss, double *acc, struct rna_err *err)
{
	struct logistic_sums s;
	enum rna_status st;
	double *wide;

	if ((st = logistic_sums_init(&s, d, err)) != RNA_OK)
		return st;
	if ((wide = calloc(s.rows * s.cols, sizeof(*wide))) == NULL) {
		logistic_sums_fini(&s);
		return rna_fail(err, RNA_EMEM, "out of memory");
	}
	copy_weights(d, wide, s.cols, w, d->classes);
	logistic_sum(&s, wide, NULL);
	*loss = s.loss / (s.total > 0 ? s.total : 1);
	*acc = s.n > 0 ? (double)s.hits / (double)s.n : 0;
	free(wide);
	logistic_sums_fini(&s);
	return RNA_OK;
}
