/*
 * unit_tape.c: overfitting, and what may not depend on what: other RNAs of the batch, threads.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_bench.h"

static float *
read_rows(struct bench *x, rna_t v, int rows)
{
	float *p = calloc((size_t)rows * (size_t)rna_tape_columns(x->t, v), sizeof(*p));
	struct rna_err err;

	if (rna_tape_read(x->t, v, (size_t)rows, p, &err) != RNA_OK)
		diag("%s", err.text);
	return p;
}

/* Changing one RNA changes its own rows and no bit of the others'. */
static void
test_leakage(const char *device, enum rk_precision precision, const char *label)
{
	const struct setup s = {.device = device,
	    .threads = 2,
	    .nseqs = 5,
	    .len = 20,
	    .act = RK_GELU,
	    .init = 0.3f,
	    .hidden = 32,
	    .ffn = 64,
	    .precision = precision};
	const size_t columns = 32;
	struct rna_err err;
	struct bench x;
	float *before, *after;
	int others = 1, own = 0, lo, hi;

	if (!init(&x, &s)) {
		skip(label, "this machine has no such precision");
		fini(&x);
		return;
	}
	others &= rna_tape_forward(x.t, &err) == RNA_OK;
	before = read_rows(&x, x.hidden, x.b.ntokens);
	lo = x.b.offsets[2];
	hi = x.b.offsets[3];
	for (int i = lo + 1; i < hi - 1; i++)
		x.b.token[i] = x.m.vocab.base[i % 4];
	others &=
	    rna_batch_upload(&x.b, x.rk, rna_tape_inputs(x.t), &err) == RNA_OK && rna_tape_forward(x.t, &err) == RNA_OK;
	after = read_rows(&x, x.hidden, x.b.ntokens);
	for (int i = 0; i < x.b.ntokens; i++) {
		if (i >= lo && i < hi)
			own |= memcmp(before + (size_t)i * columns, after + (size_t)i * columns, columns * 4) != 0;
		else
			others &= memcmp(before + (size_t)i * columns, after + (size_t)i * columns, columns * 4) == 0;
	}
	ok(others && own, "%s: changing one RNA changes no bit of the others", label);
	free(before);
	free(after);
	fini(&x);
}

/* Outputs and gradients with 1 and with 2 threads. */
static void
test_threads(enum rk_precision precision, const char *label)
{
	struct setup s = {.device = "cpu",
	    .train = 1,
	    .nseqs = 40,
	    .len = 22,
	    .act = RK_RELU,
	    .dropout = 0.1f,
	    .init = 0.1f,
	    .hidden = 32,
	    .ffn = 128,
	    .precision = precision};
	float *grad[2] = {0}, *hidden[2] = {0};
	size_t n = 0, rows = 0;
	struct rna_err err;
	struct bench x;
	int good = 1;

	for (int i = 0; i < 2; i++) {
		s.threads = i + 1;
		if (!init(&x, &s)) {
			skip(label, "this machine has no such precision");
			fini(&x);
			free(grad[0]);
			free(hidden[0]);
			return;
		}
		n = x.m.params.total;
		rows = (size_t)x.b.ntokens;
		good &= rna_tape_forward(x.t, &err) == RNA_OK && rna_tape_backward(x.t, &err) == RNA_OK;
		hidden[i] = read_rows(&x, x.hidden, x.b.ntokens);
		grad[i] = calloc(n, sizeof(float));
		good &= rk_download_f32(x.rk, grad[i], x.m.params.grad, n) == RK_OK;
		fini(&x);
	}
	ok(good && memcmp(hidden[0], hidden[1], rows * 32 * sizeof(float)) == 0,
	    "%s: outputs of 1 and 2 threads are equal", label);
	ok(good && memcmp(grad[0], grad[1], n * sizeof(float)) == 0, "%s: gradients of 1 and 2 threads are equal",
	    label);
	for (int i = 0; i < 2; i++) {
		free(grad[i]);
		free(hidden[i]);
	}
}

/* Lists that zero the gradient, and step. */
static struct rk_list *
step_list(struct bench *x, struct rk_adamw_step *step)
{
	struct rna_params *p = &x->m.params;
	struct rk_call c = {.op = RK_ADAMW};

	c.u.adamw = (struct rk_adamw){p->total, p->value, p->grad, p->m, p->v, p->decay, NULL, step};
	return rk_list_create(x->rk, &c, 1, rna_tape_inputs(x->t)->live);
}

static double
mean_loss(struct bench *x)
{
	float *loss = calloc((size_t)x->b.nrows, sizeof(*loss));
	struct rna_err err;
	double sum = 0;

	if (rna_tape_read_loss(x->t, RNA_AT_MASKED, (size_t)x->b.nrows, loss, NULL, &err) != RNA_OK)
		sum = NAN;
	for (int i = 0; i < x->b.nrows; i++)
		sum += (double)loss[i] / x->b.nrows;
	free(loss);
	return sum;
}

static void
test_overfit(const char *device, enum rk_precision precision, const char *label)
{
	const struct setup s = {.device = device,
	    .threads = 1,
	    .train = 1,
	    .nseqs = 64,
	    .len = 20,
	    .act = RK_RELU,
	    .init = 0.05f,
	    .hidden = 32,
	    .ffn = 64,
	    .precision = precision};
	struct rk_adamw_step host = {3e-3, 0.9, 0.999, 1e-8, 0, 0, 0}, *step = NULL;
	struct rk_list *list = NULL;
	struct rna_err err;
	struct rk_call zero = {.op = RK_ZERO};
	struct rk_list *clear = NULL;
	struct bench x;
	double loss = NAN;
	int good;

	good = init(&x, &s);
	if (!good && x.rk && precision != RK_FP32) {
		skip(label, "this machine has no such precision");
		fini(&x);
		return;
	}
	if (good) {
		step = rk_alloc(x.rk, sizeof(*step));
		list = step_list(&x, step);
		zero.u.bytes = (struct rk_bytes){x.m.params.grad, x.m.params.total * rk_real_size(x.rk)};
		clear = rk_list_create(x.rk, &zero, 1, rna_tape_inputs(x.t)->live);
	}
	for (host.t = 1; good && host.t <= 400 && !(loss < 0.05); host.t++) {
		good = rk_list_run(clear) == RK_OK && rna_tape_forward(x.t, &err) == RNA_OK;
		loss = mean_loss(&x);
		good &= rna_tape_backward(x.t, &err) == RNA_OK && rk_upload(x.rk, step, &host, sizeof(host)) == RK_OK &&
		        rk_list_run(list) == RK_OK && rna_tape_repack(x.t, &err) == RNA_OK;
	}
	ok(good && loss < 0.05, "%s: 64 RNAs are learnt by heart (loss %.3f after %d steps)", label, loss,
	    (int)host.t - 1);
	rk_list_destroy(list);
	rk_list_destroy(clear);
	if (step)
		rk_free(x.rk, step, sizeof(*step));
	fini(&x);
}

/* What recording refuses, in a sentence. */
/* Losses of the masked rows and gradients of all parameters after a run of x's tape. */
static int
run_once(struct bench *x, float *loss, float *grad)
{
	const struct rna_params *p = &x->m.params;
	struct rna_err err;

	return rk_upload_f32(x->rk, p->grad, grad, p->total) == RK_OK &&
	    rna_batch_upload(&x->b, x->rk, rna_tape_inputs(x->t), &err) == RNA_OK &&
	    rna_tape_forward(x->t, &err) == RNA_OK && rna_tape_backward(x->t, &err) == RNA_OK &&
	    rna_tape_read_loss(x->t, RNA_AT_MASKED, (size_t)x->b.nrows, loss, NULL, &err) == RNA_OK &&
	    rk_download_f32(x->rk, grad, p->grad, p->total) == RK_OK;
}

/* The last layer of the masked rows alone: the same losses, bit for bit, and gradients to rounding, with dropout. */
static void
test_rows(const char *device, enum rk_precision precision, double bound, const char *label)
{
	const struct setup s = {.device = device, .threads = 2, .train = 1, .nseqs = 5, .len = 20, .act = RK_RELU,
	    .init = 0.3f, .dropout = 0.2f, .hidden = 32, .ffn = 64, .precision = precision};
	const struct rna_tape_options o = {
	    .tokens = 100, .seqs = 5, .rows = 100, .max_len = MAX_LEN, .train = 1, .precision = precision};
	float *loss[2], *grad[2];
	double diff = 0, sum = 0;
	struct rna_err err = {0};
	struct bench x;
	size_t n;
	int fine;

	if (!init(&x, &s)) {
		skip(label, "this machine has no such precision");
		fini(&x);
		return;
	}
	n = x.m.params.total;
	for (int i = 0; i < 2; i++) {
		loss[i] = calloc((size_t)x.b.nrows, sizeof(float));
		grad[i] = calloc(n, sizeof(float));
	}
	fine = run_once(&x, loss[0], grad[0]);
	rna_tape_destroy(x.t);
	x.t = rna_tape_create(x.rk, &x.m.params, &o);
	rna_tape_cross_entropy(
	    x.t, rna_encoder_logits(x.t, &x.m, rna_encoder_rows(x.t, &x.m, RNA_AT_MASKED)), RNA_AT_MASKED);
	fine &= rna_tape_finish(x.t, &err) == RNA_OK && run_once(&x, loss[1], grad[1]);
	for (size_t i = 0; i < n; i++) {
		diff += (grad[0][i] - grad[1][i]) * (double)(grad[0][i] - grad[1][i]);
		sum += grad[0][i] * (double)grad[0][i];
	}
	ok(fine && memcmp(loss[0], loss[1], (size_t)x.b.nrows * sizeof(float)) == 0, "%s: rows alone: equal losses",
	    label);
	ok(fine && sum > 0 && sqrt(diff / sum) <= bound, "%s: rows alone: gradients differ by %.2g", label,
	    sqrt(diff / sum));
	for (int i = 0; i < 2; i++) {
		free(loss[i]);
		free(grad[i]);
	}
	fini(&x);
}

static void
test_refusals(void)
{
	const struct setup s = {
	    .device = "ref", .threads = 1, .nseqs = 2, .len = 10, .act = RK_RELU, .init = 0.1f, .hidden = 8, .ffn = 16};
	const struct rna_tape_options opts = {.tokens = 20, .seqs = 2, .rows = 20, .max_len = 10, .train = 1};
	struct rna_err err = {0};
	struct bench x;
	rna_t h;

	ok(init(&x, &s), "refusals: recorded");
	ok(rna_tape_backward(x.t, &err) == RNA_EINVAL, "an inference tape has no backward pass (%s)", err.text);
	rna_tape_destroy(x.t);
	x.t = rna_tape_create(x.rk, &x.m.params, &opts);
	h = rna_encoder_pooled(x.t, &x.m, rna_encoder_rows(x.t, &x.m, RNA_AT_CLS));
	ok(h == -1 && rna_tape_finish(x.t, &err) == RNA_EINVAL, "a model without a pooler has no pooled output (%s)",
	    err.text);
	rna_tape_destroy(x.t);
	x.t = rna_tape_create(x.rk, &x.m.params, &opts);
	h = rna_encoder_forward(x.t, &x.m, -1, NULL);
	ok(rna_tape_attention(x.t, h, 3, 0) == -1 && rna_tape_finish(x.t, &err) == RNA_EINVAL,
	    "8 columns are not 3 heads (%s)", err.text);
	fini(&x);
}

int
main(void)
{
	test_leakage("ref", RK_FP32, "ref fp32");
	test_leakage("cpu", RK_FP32, "cpu fp32");
	test_leakage("cpu", RK_BF16, "cpu bf16");
	test_leakage("cpu", RK_INT8, "cpu int8");
	test_threads(RK_FP32, "fp32");
	test_threads(RK_BF16, "bf16");
	test_overfit("cpu", RK_FP32, "cpu fp32");
	test_overfit("cpu", RK_BF16, "cpu bf16");
	test_rows("ref64", RK_FP32, 1e-7, "ref64"); /* read as floats */
	test_rows("cpu", RK_FP32, 1e-6, "cpu fp32");
	test_rows("cpu", RK_BF16, 1e-2, "cpu bf16");
	test_refusals();
	return done();
}
