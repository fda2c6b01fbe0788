/*
 * model_gradient.h: a model's gradient, in double, against central differences of its loss.
 */
#ifndef RNA_MODEL_GRADIENT_H
#define RNA_MODEL_GRADIENT_H

#include <math.h>

#include "model_bench.h"

/* The loss with parameters `at`; arg: the test's. */
typedef double gradient_loss(struct bench *x, const double *at, const void *arg);

struct gradient {
	struct bench *x;
	gradient_loss *loss;
	const void *arg;
	double *at, *grad; /* [params.total]; the caller frees them by gradient_fini */
};

/* One pass forward and backward at the parameters in force; 0: it failed. */
static int
gradient_init(struct gradient *g, struct bench *x, gradient_loss *loss, const void *arg)
{
	const size_t bytes = x->m.params.total * sizeof(double);
	struct rna_err err = {0};

	*g = (struct gradient){x, loss, arg, malloc(bytes), malloc(bytes)};
	if (g->at == NULL || g->grad == NULL)
		abort();
	if (rk_download(x->rk, g->at, x->m.params.value, bytes) == RK_OK && isfinite(loss(x, g->at, arg)) &&
	    rna_tape_backward(x->t, &err) == RNA_OK && rk_download(x->rk, g->grad, x->m.params.grad, bytes) == RK_OK)
		return 1;
	diag("%s", err.text);
	return 0;
}

static void
gradient_fini(struct gradient *g)
{
	free(g->at);
	free(g->grad);
}

/* Relative error of the derivative along a random direction within elements [first, first + n). */
static double
gradient_error(const struct gradient *g, size_t first, size_t n, uint64_t seed)
{
	const double h = 1e-6 / sqrt((double)n); /* small enough to cross no kink of ReLU and maximum */
	const size_t total = g->x->m.params.total;
	double *p = calloc(total, sizeof(*p)), along = 0, value[2], d;
	struct rna_rng rng;

	if (p == NULL)
		abort();
	for (int side = 0; side < 2; side++) {
		memcpy(p, g->at, total * sizeof(*p));
		rna_rng_init(&rng, seed);
		along = 0;
		for (size_t i = first; i < first + n; i++) {
			d = rna_rng_normal(&rng);
			p[i] += (side ? -h : h) * d;
			along += g->grad[i] * d;
		}
		value[side] = g->loss(g->x, p, g->arg);
	}
	free(p);
	d = (value[0] - value[1]) / (2 * h);
	return fabs(d - along) / fmax(fmax(fabs(d), fabs(along)), 1e-3);
}

/* The largest error of the tensors, each by itself; those above bound are named. */
__attribute__((unused)) static double
gradient_worst(const struct gradient *g, double bound)
{
	double e, worst = 0;

	for (int i = 0; i < g->x->m.params.n; i++) {
		const struct rna_param *p = &g->x->m.params.list[i];

		e = gradient_error(g, p->offset, p->n, 99 + (uint64_t)i);
		if (!(e <= bound))
			diag("%s: %.3g", p->name, e);
		worst = e > worst || isnan(e) ? e : worst;
	}
	return worst;
}

#endif
