/*
 * unit_gradient.c: gradients of a whole model against central differences in double.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_gradient.h"

/* Weighted cross-entropy of rows of logits, in double, written again from its definition. */
static double
rows_loss(struct bench *x, rna_t logits, const int32_t *target, const float *weight, int rows)
{
	const size_t n = (size_t)rna_tape_columns(x->t, logits);
	double *z = calloc((size_t)rows * n, sizeof(*z)), loss = 0, sum;

	if (rk_download(x->rk, z, rna_tape_data(x->t, logits), (size_t)rows * n * sizeof(*z)) != RK_OK)
		loss = NAN;
	for (int r = 0; r < rows; r++) {
		sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += exp(z[(size_t)r * n + i]);
		if (target[r] >= 0)
			loss += (double)weight[r] * (log(sum) - z[(size_t)r * n + (size_t)target[r]]);
	}
	free(z);
	return loss;
}

/* The loss at parameters `at` (ref64). */
static double
loss_at(struct bench *x, const double *at, const void *arg)
{
	struct rna_err err;
	double loss;

	(void)arg;
	if (rk_upload(x->rk, x->m.params.value, at, x->m.params.total * sizeof(*at)) != RK_OK ||
	    rna_tape_repack(x->t, &err) != RNA_OK || rna_tape_forward(x->t, &err) != RNA_OK)
		return NAN;
	loss = rows_loss(x, x->logits, x->b.target, x->b.weight, x->b.nrows);
	if (x->b.nslots)
		loss += rows_loss(x, x->types, x->b.slot_target, x->b.slot_weight, x->b.nslots);
	return loss;
}

static void
test_gradient(const char *label, enum rk_act act, float dropout)
{
	const struct setup s = {.device = "ref64",
	    .threads = 1,
	    .train = 1,
	    .slots = 1,
	    .nseqs = 3,
	    .len = 14,
	    .act = act,
	    .dropout = dropout,
	    .init = 0.3f,
	    .hidden = 8,
	    .ffn = 16};
	struct gradient g;
	struct bench x;
	double e, worst = 0;

	ok(init(&x, &s), "%s: a model with two losses is recorded", label);
	ok(gradient_init(&g, &x, loss_at, NULL), "%s: forward and backward", label);
	for (uint64_t seed = 1; seed <= 24; seed++) {
		e = gradient_error(&g, 0, x.m.params.total, seed);
		worst = e > worst || isnan(e) ? e : worst;
	}
	ok(worst <= 1e-6, "%s: 24 random directions (largest relative error %.2g)", label, worst);
	worst = gradient_worst(&g, 1e-6);
	ok(worst <= 1e-6, "%s: each of %d tensors (largest relative error %.2g)", label, x.m.params.n, worst);
	gradient_fini(&g);
	fini(&x);
}

/* Gradients add up: twice backward is twice the gradient, and a sum over two batches does not start anew. */
static void
test_accumulate(void)
{
	const struct setup s = {.device = "ref64",
	    .threads = 1,
	    .train = 1,
	    .nseqs = 3,
	    .len = 12,
	    .act = RK_RELU,
	    .init = 0.3f,
	    .hidden = 8,
	    .ffn = 16};
	struct rna_err err;
	struct bench x;
	double *a, *b;
	size_t n;
	int same = 1;

	ok(init(&x, &s), "accumulating: recorded");
	n = x.m.params.total;
	a = malloc(n * sizeof(*a));
	b = malloc(n * sizeof(*b));
	for (int i = 0; i < 2; i++) {
		same &= rna_tape_forward(x.t, &err) == RNA_OK && rna_tape_backward(x.t, &err) == RNA_OK;
		same &= rk_download(x.rk, i ? b : a, x.m.params.grad, n * sizeof(*a)) == RK_OK;
	}
	for (size_t i = 0; i < n; i++)
		same &= fabs(b[i] - 2 * a[i]) <= 1e-12 * (1 + fabs(a[i]));
	ok(same, "gradients of a second batch are added");
	free(a);
	free(b);
	fini(&x);
}

/* A tensor that is input and residual of one op: its two gradients meet. */
static void
test_shared_input(void)
{
	const struct setup s = {.device = "ref64",
	    .threads = 1,
	    .train = 1,
	    .nseqs = 2,
	    .len = 12,
	    .act = RK_RELU,
	    .init = 0.3f,
	    .hidden = 8,
	    .ffn = 16};
	const struct rna_tape_options opts = {.tokens = 24, .seqs = 2, .rows = 24, .max_len = MAX_LEN, .train = 1};
	const struct rna_params *p;
	struct rna_err err = {0};
	struct gradient g;
	struct bench x;
	double e;
	rna_t h;

	ok(init(&x, &s), "shared input: recorded");
	rna_tape_destroy(x.t);
	p = &x.m.params;
	x.t = rna_tape_create(x.rk, &x.m.params, &opts);
	h = rna_encoder_forward(x.t, &x.m, 0, NULL);
	h = rna_tape_norm(x.t, h, -1, h, rna_params_find(p, "layer.0.norm.gamma"),
	    rna_params_find(p, "layer.0.norm.beta"), 1e-5f, 0.2f);
	x.logits = rna_encoder_logits(x.t, &x.m, rna_tape_gather(x.t, h, RNA_AT_MASKED));
	rna_tape_cross_entropy(x.t, x.logits, RNA_AT_MASKED);
	rna_tape_keep(x.t, x.logits);
	ok(rna_tape_finish(x.t, &err) == RNA_OK && fill_batch(&x, &s, &err) && gradient_init(&g, &x, loss_at, NULL),
	    "shared input: forward and backward");
	e = gradient_error(&g, 0, p->total, 11);
	ok(e <= 1e-6, "shared input: gradient (relative error %.2g)", e);
	gradient_fini(&g);
	fini(&x);
}

int
main(void)
{
	test_gradient("relu", RK_RELU, 0.1f);
	test_gradient("gelu", RK_GELU, 0.1f);
	test_gradient("no dropout", RK_GELU, 0);
	test_accumulate();
	test_shared_input();
	return done();
}
