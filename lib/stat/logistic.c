/*
 * logistic.c: multinomial logistic regression.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/logistic.h"

#define HISTORY 10
#define STEPS 2000

/* Everything of one fit, in one piece of memory. */
struct fit {
	const struct rna_logistic *d;
	double l2;
	size_t n;                         /* of w */
	double *w, *grad, *next, *ngrad, *dir;
	double *s[HISTORY], *y[HISTORY];  /* steps and differences of gradients, newest at (have - 1) % HISTORY */
	double rho[HISTORY];
	size_t have;
	double *memory;
};

static double
dot(const double *a, const double *b, size_t n)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* z[classes] = logits of x; returns log of the sum of their exp, and z becomes the probabilities. */
static double
probabilities(const struct rna_logistic *d, const double *w, const float *x, double *z)
{
	const size_t c = d->classes;
	double top, sum = 0;
	size_t j, k;

	memcpy(z, w + d->dims * c, c * sizeof(*z));
	for (j = 0; j < d->dims; j++)
		for (k = 0; k < c; k++)
			z[k] += (double)x[j] * w[j * c + k];
	top = z[0];
	for (k = 1; k < c; k++)
		top = z[k] > top ? z[k] : top;
	for (k = 0; k < c; k++)
		sum += exp(z[k] - top);
	sum = top + log(sum);
	for (k = 0; k < c; k++)
		z[k] = exp(z[k] - sum);
	return sum;
}

/* Loss and, with grad, its gradient; z: [classes]. */
static double
objective(const struct fit *f, const double *w, double *grad, double *z)
{
	const struct rna_logistic *d = f->d;
	const size_t c = d->classes, m = d->dims * c;
	double loss = 0, total = 0, a;
	size_t i, j, k;

	memset(grad, 0, f->n * sizeof(*grad));
	for (i = 0; i < d->n; i++) {
		const float *x = d->x + i * d->dims;

		if (d->label[i] < 0)
			continue;
		a = d->weight != NULL ? d->weight[d->label[i]] : 1;
		(void)probabilities(d, w, x, z);
		loss -= a * log(fmax(z[d->label[i]], DBL_MIN));
		total += a;
		z[d->label[i]] -= 1;
		for (k = 0; k < c; k++)
			z[k] *= a;
		for (j = 0; j < d->dims; j++)
			for (k = 0; k < c; k++)
				grad[j * c + k] += (double)x[j] * z[k];
		for (k = 0; k < c; k++)
			grad[m + k] += z[k];
	}
	total = total > 0 ? total : 1;
	for (i = 0; i < f->n; i++)
		grad[i] = grad[i] / total + (i < m ? f->l2 * w[i] : 0);
	return loss / total + f->l2 / 2 * dot(w, w, m);
}

/* dir = -H grad, by the two loops over the history. */
static void
direction(struct fit *f)
{
	size_t first = f->have > HISTORY ? f->have - HISTORY : 0, i, j;
	double alpha[HISTORY] = {0}, beta, scale;

	for (i = 0; i < f->n; i++)
		f->dir[i] = -f->grad[i];
	for (j = f->have; j-- > first;) {
		const size_t at = j % HISTORY;

		alpha[at] = f->rho[at] * dot(f->s[at], f->dir, f->n);
		for (i = 0; i < f->n; i++)
			f->dir[i] -= alpha[at] * f->y[at][i];
	}
	if (f->have > 0) {
		const size_t at = (f->have - 1) % HISTORY;

		scale = 1 / (f->rho[at] * dot(f->y[at], f->y[at], f->n));
		for (i = 0; i < f->n; i++)
			f->dir[i] *= scale;
	}
	for (j = first; j < f->have; j++) {
		const size_t at = j % HISTORY;

		beta = f->rho[at] * dot(f->y[at], f->dir, f->n);
		for (i = 0; i < f->n; i++)
			f->dir[i] += f->s[at][i] * (alpha[at] - beta);
	}
}

/* Goes from w along dir until the loss falls as its slope promises; 1: to next, with ngrad and *loss. */
static int
search(struct fit *f, double *loss, double *z)
{
	double slope = dot(f->grad, f->dir, f->n), step = f->have > 0 ? 1 : fmin(1, 1 / sqrt(-slope + DBL_MIN)), now;
	size_t i;
	int tries;

	for (tries = 0; tries < 40 && slope < 0; tries++) {
		for (i = 0; i < f->n; i++)
			f->next[i] = f->w[i] + step * f->dir[i];
		now = objective(f, f->next, f->ngrad, z);
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
remember(struct fit *f)
{
	const size_t at = f->have % HISTORY;
	double curve;
	size_t i;

	for (i = 0; i < f->n; i++) {
		f->s[at][i] = f->next[i] - f->w[i];
		f->y[at][i] = f->ngrad[i] - f->grad[i];
	}
	curve = dot(f->s[at], f->y[at], f->n);
	if (curve > 1e-12 * dot(f->y[at], f->y[at], f->n)) {
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
take_memory(struct fit *f, struct rna_err *err)
{
	size_t i;

	f->n = (f->d->dims + 1) * f->d->classes;
	if ((f->memory = calloc(f->n * (4 + 2 * HISTORY) + f->d->classes, sizeof(*f->memory))) == NULL)
		return rna_fail(err, RNA_EMEM, "no memory to fit %zu weights", f->n);
	f->grad = f->memory;
	f->next = f->grad + f->n;
	f->ngrad = f->next + f->n;
	f->dir = f->ngrad + f->n;
	for (i = 0; i < HISTORY; i++) {
		f->s[i] = f->dir + f->n * (1 + i);
		f->y[i] = f->dir + f->n * (1 + HISTORY + i);
	}
	return RNA_OK;
}

enum rna_status
rna_logistic_fit(const struct rna_logistic *d, double l2, double *w, int *steps, struct rna_err *err)
{
	struct fit f = {.d = d, .l2 = l2, .w = w};
	double loss, before, *z;
	enum rna_status s;

	*steps = 0;
	if ((s = take_memory(&f, err)) != RNA_OK)
		return s;
	z = f.memory + f.n * (4 + 2 * HISTORY);
	loss = objective(&f, w, f.grad, z);
	if (!isfinite(loss))
		s = rna_fail(err, RNA_EINVAL, "the features are too large, or not numbers");
	while (s == RNA_OK && *steps < STEPS && largest(f.grad, f.n) > 1e-6) {
		before = loss;
		direction(&f);
		if (!search(&f, &loss, z)) { /* the history misleads: once more, along the gradient */
			f.have = 0;
			direction(&f);
			if (!search(&f, &loss, z))
				break;
		}
		remember(&f);
		memcpy(w, f.next, f.n * sizeof(*w));
		memcpy(f.grad, f.ngrad, f.n * sizeof(*w));
		(*steps)++;
		if (before - loss <= 1e-12 * fabs(loss))
			break;
	}
	free(f.memory);
	return s;
}

enum rna_status
rna_logistic_score(const struct rna_logistic *d, const double *w, double *loss, double *acc, struct rna_err *err)
{
	double *z = calloc(d->classes + 1, sizeof(*z)), a, total = 0;
	size_t i, k, best, hits = 0, n = 0;

	if (z == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	*loss = 0;
	for (i = 0; i < d->n; i++) {
		if (d->label[i] < 0)
			continue;
		(void)probabilities(d, w, d->x + i * d->dims, z);
		for (best = 0, k = 1; k < d->classes; k++)
			best = z[k] > z[best] ? k : best;
		a = d->weight != NULL ? d->weight[d->label[i]] : 1;
		*loss -= a * log(fmax(z[d->label[i]], DBL_MIN));
		total += a;
		hits += best == (size_t)d->label[i];
		n++;
	}
	*loss /= total > 0 ? total : 1;
	*acc = n > 0 ? (double)hits / (double)n : 0;
	free(z);
	return RNA_OK;
}
