/*
 * unit_model_cuda.c: a whole model on the CUDA backend: its losses and gradients against "ref64", the same bits twice,
 * and no trace of one RNA in another.  In the emulator, or with RNA_GPU=1 on the GPU.
 */
#include <math.h>

#include "cuda_device.h"
#include "model_bench.h"

/* Gradients after one forward and backward pass, and the sum of weighted losses; NULL: it failed. */
static float *
gradients(const struct setup *s, double *loss, struct bench *x)
{
	struct rna_err err = {0};
	float *grad = NULL, *losses;

	*loss = 0;
	if (!init(x, s))
		return NULL;
	losses = calloc((size_t)x->b.nrows, sizeof(*losses));
	grad = calloc(x->m.params.total, sizeof(*grad));
	if (rna_tape_forward(x->t, &err) != RNA_OK || rna_tape_backward(x->t, &err) != RNA_OK ||
	    rna_tape_read_loss(x->t, RNA_AT_MASKED, (size_t)x->b.nrows, losses, NULL, &err) != RNA_OK ||
	    rk_download_f32(x->rk, grad, x->m.params.grad, x->m.params.total) != RK_OK) {
		diag("%s %s", err.text, rk_error(x->rk));
		exit(1);
	}
	for (int i = 0; i < x->b.nrows; i++)
		*loss += (double)x->b.weight[i] * losses[i];
	free(losses);
	return grad;
}

static void
test_gradients(const char *label, enum rk_act act, enum rk_precision precision, float dropout)
{
	const double bound = precision == RK_BF16 ? 3e-2 : 1e-4, cosine = precision == RK_BF16 ? 0.999 : 1 - 1e-7;
	/* bf16: weights as training begins with them; large ones make logits of 10 and more, of which bf16 has few
	 * digits */
	struct setup s = {"ref64", 1, 1, 1, 6, 24, act, RK_FP32, dropout, precision == RK_BF16 ? 0.05f : 0.3f, 64, 128};
	struct bench a, b;
	double loss[2], worst = 0, least = 1;
	float *want = gradients(&s, &loss[0], &a), *got;

	s.device = "cuda";
	s.precision = precision;
	got = gradients(&s, &loss[1], &b);
	ok(want != NULL && got != NULL, "%s: both run", label);
	if (want == NULL || got == NULL)
		exit(1);
	for (int i = 0; i < a.m.params.n; i++) {
		const struct rna_param *p = &a.m.params.list[i];
		double d = 0, ww = 0, gg = 0, wg = 0;

		for (size_t k = p->offset; k < p->offset + p->n; k++) {
			d += ((double)got[k] - want[k]) * ((double)got[k] - want[k]);
			ww += (double)want[k] * want[k];
			gg += (double)got[k] * got[k];
			wg += (double)want[k] * got[k];
		}
		/* the gradient of the keys' bias is 0 but for rounding, and the rest of qkv stands beside it */
		if (ww < 1e-16)
			continue;
		if (sqrt(d / ww) > bound)
			diag("%s: %.2e", p->name, sqrt(d / ww));
		worst = fmax(worst, sqrt(d / ww));
		least = fmin(least, wg / sqrt(ww * gg));
	}
	ok(fabs(loss[0] - loss[1]) <= (precision == RK_BF16 ? 1e-2 : 1e-5) * fabs(loss[0]), "%s: loss %.5f and %.5f",
	    label, loss[0], loss[1]);
	ok(worst <= bound && least >= cosine, "%s: every tensor's gradient within %.1e, cosine %.6f", label, worst,
	    least);
	free(want);
	free(got);
	fini(&a);
	fini(&b);
}

static void
test_twice(enum rk_precision precision)
{
	const struct setup s = {"cuda", 1, 1, 1, 6, 24, RK_GELU, precision, 0.1f, 0.3f, 64, 128};
	struct bench a, b;
	double loss[2];
	float *one = gradients(&s, &loss[0], &a), *two = gradients(&s, &loss[1], &b);

	ok(one != NULL && two != NULL && memcmp(one, two, a.m.params.total * sizeof(*one)) == 0 && loss[0] == loss[1],
	    "precision %d: two runs give the same bits", precision);
	free(one);
	free(two);
	fini(&a);
	fini(&b);
}

/* Another RNA in one place: the rows of all others keep their bits. */
static void
test_leakage(enum rk_precision precision)
{
	const struct setup s = {"cuda", 1, 0, 0, 5, 24, RK_RELU, precision, 0, 0.3f, 64, 128};
	struct rna_err err = {0};
	struct bench x;
	size_t n;
	float *rows[2];
	int same = 1, differs = 0;

	if (!init(&x, &s))
		exit(1);
	n = (size_t)x.b.ntokens * (size_t)s.hidden;
	for (int k = 0; k < 2; k++) {
		rows[k] = calloc(n, sizeof(**rows));
		if (rna_batch_upload(&x.b, x.rk, rna_tape_inputs(x.t), &err) != RNA_OK ||
		    rna_tape_forward(x.t, &err) != RNA_OK ||
		    rna_tape_read(x.t, x.hidden, (size_t)x.b.ntokens, rows[k], &err) != RNA_OK) {
			diag("%s", err.text);
			exit(1);
		}
		for (int i = x.b.offsets[2]; i < x.b.offsets[3]; i++)
			x.b.token[i] = (uint8_t)x.m.vocab.base[i % 4];
	}
	for (int r = 0; r < x.b.ntokens; r++) {
		const int changed = memcmp(rows[0] + (size_t)r * 64, rows[1] + (size_t)r * 64, 64 * sizeof(float)) != 0;

		if (r >= x.b.offsets[2] && r < x.b.offsets[3])
			differs |= changed;
		else
			same &= !changed;
	}
	ok(same && differs, "precision %d: another RNA in the batch changes its own rows alone", precision);
	free(rows[0]);
	free(rows[1]);
	fini(&x);
}

/* More rows than there is room for: told at the next wait, and nothing is computed. */
static void
test_room(void)
{
	struct rk *rk = rk_open("cuda", 1, NULL, 0);
	int32_t live[RK_NLIVE] = {0}, *live_d = rk_alloc(rk, sizeof(live));
	float one[4] = {1, 1, 1, 1}, got[4] = {0}, *x = rk_alloc(rk, 64), *y = rk_alloc(rk, 64);
	struct rk_call c = {.op = RK_ADD, .u.add = {RK_LIVE_TOKENS, 1, 4, x, y}};
	struct rk_list *l = rk_list_create(rk, &c, 1, live_d);
	int good = l != NULL && rk_upload_f32(rk, x, one, 4) == RK_OK;

	live[RK_LIVE_TOKENS] = 2;
	good &= rk_upload(rk, live_d, live, sizeof(live)) == RK_OK && rk_list_run(l) == RK_OK;
	ok(good && rk_sync(rk) == RK_EINVAL, "more rows than a call has room for: %s", rk_error(rk));
	live[RK_LIVE_TOKENS] = 1;
	good &= rk_upload(rk, live_d, live, sizeof(live)) == RK_OK && rk_list_run(l) == RK_OK && rk_sync(rk) == RK_OK &&
	        rk_download_f32(rk, got, y, 4) == RK_OK;
	ok(good && got[0] == 1 && got[3] == 1, "and the list runs when they fit");
	rk_list_destroy(l);
	rk_free(rk, x, 64), rk_free(rk, y, 64), rk_free(rk, live_d, sizeof(live));
	rk_close(rk);
}

int
main(void)
{
	if (!cuda_device())
		return done();
	test_gradients("relu, fp32", RK_RELU, RK_FP32, 0.1f);
	test_gradients("gelu, fp32", RK_GELU, RK_FP32, 0.1f);
	test_gradients("gelu, bf16", RK_GELU, RK_BF16, 0.1f);
	test_gradients("gelu, bf16, no dropout", RK_GELU, RK_BF16, 0);
	for (int p = RK_FP32; p <= RK_BF16; p++) {
		test_twice((enum rk_precision)p);
		test_leakage((enum rk_precision)p);
	}
	test_leakage(RK_FP8);
	test_room();
	return done();
}
