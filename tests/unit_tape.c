/*
 * unit_tape.c: gradients of a whole model against central differences in double, overfitting, and what may not depend
 * on what: other RNAs of the batch, threads.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/batch.h"
#include "stream/rng.h"
#include "tap.h"

#define MAX_LEN 24

/* A small model, its tape with an MLM loss (and, with slots, a type loss on [CLS]), and a batch of random RNAs. */
struct bench {
	struct rk *rk;
	struct rna_model m;
	struct rna_tape *t;
	struct rna_batch b;
	rna_t hidden, logits, types;
	int nseqs, len;
};

struct setup {
	const char *device;
	int threads, train, slots, nseqs, len;
	enum rk_act act;
	enum rk_precision precision;
	float dropout, init;
	int hidden, ffn;
};

static void
fini(struct bench *x)
{
	rna_tape_destroy(x->t);
	rna_batch_fini(&x->b);
	rna_model_fini(&x->m);
	rk_close(x->rk);
}

static int
init_model(struct bench *x, const struct setup *s, struct rna_err *err)
{
	struct rna_config c;
	struct rna_vocab v;
	int rc;

	if (rna_vocab_init(&v) != RNA_OK || rna_config_preset(&c, "tiny", err) != RNA_OK)
		return 0;
	c.hidden = s->hidden;
	c.heads = 2;
	c.ffn = s->ffn;
	c.layers = 2;
	c.positions = c.max = MAX_LEN;
	c.act = c.mlm_act = s->act;
	c.eps = c.mlm_eps = 1e-5f;
	c.hidden_dropout = c.attention_dropout = s->dropout;
	c.init_range = s->init;
	c.type_head = s->slots;
	rc = rna_model_create(&x->m, &c, &v, x->rk, 3, err) == RNA_OK;
	rna_config_fini(&c);
	rna_vocab_fini(&v);
	return rc;
}

static int
init_tape(struct bench *x, const struct setup *s, struct rna_err *err)
{
	const int rows = s->nseqs * s->len;
	const struct rna_tape_options opts = {.tokens = rows,
	    .seqs = s->nseqs,
	    .rows = rows,
	    .slots = s->slots ? s->nseqs : 0,
	    .max_len = MAX_LEN,
	    .train = s->train,
	    .precision = s->precision};
	const struct rna_params *p = &x->m.params;

	x->t = rna_tape_create(x->rk, &x->m.params, &opts);
	x->hidden = rna_encoder_forward(x->t, &x->m, -1, NULL);
	x->logits = rna_encoder_logits(x->t, &x->m, rna_tape_gather(x->t, x->hidden, RNA_AT_MASKED));
	rna_tape_cross_entropy(x->t, x->logits, RNA_AT_MASKED);
	rna_tape_keep(x->t, x->hidden);
	rna_tape_keep(x->t, x->logits);
	if (s->slots) {
		x->types = rna_tape_linear(x->t, rna_tape_gather(x->t, x->hidden, RNA_AT_SLOT),
		    rna_params_find(p, "type_head.weight"), rna_params_find(p, "type_head.bias"), RK_NONE);
		rna_tape_cross_entropy(x->t, x->types, RNA_AT_SLOT);
		rna_tape_keep(x->t, x->types);
	}
	return rna_tape_finish(x->t, err) == RNA_OK;
}

/* RNA number i of the batch: random bases, every fifth masked. */
static int
add_rna(struct bench *x, int i, int len, uint64_t seed, struct rna_err *err)
{
	uint8_t tokens[MAX_LEN], target[MAX_LEN];
	uint32_t masked[MAX_LEN], n = 0;
	struct rna_record rec;
	struct rna_rng rng;
	int rc;

	rna_rng_init(&rng, rna_rng_key(seed, 0, (uint64_t)i, 0, RNA_RNG_SAMPLE));
	tokens[0] = (uint8_t)x->m.vocab.cls;
	tokens[len - 1] = (uint8_t)x->m.vocab.sep;
	for (int j = 1; j < len - 1; j++) {
		tokens[j] = x->m.vocab.base[rna_rng_below(&rng, 4)];
		if (j % 5 == 3) {
			masked[n] = (uint32_t)j;
			target[n++] = tokens[j];
			tokens[j] = (uint8_t)x->m.vocab.mask;
		}
	}
	rna_record_init(&rec);
	rc = rna_record_set_vec(&rec, "tokens", RNA_U8, tokens, (uint64_t)len) == RNA_OK &&
	     rna_record_set_vec(&rec, "masked", RNA_U32, masked, n) == RNA_OK &&
	     rna_record_set_vec(&rec, "target", RNA_U8, target, n) == RNA_OK &&
	     rna_batch_add(&x->b, &x->m, &rec, rna_rng_key(1, 0, (uint64_t)i, 0, RNA_RNG_DROPOUT), err) == RNA_OK;
	rna_record_fini(&rec);
	return rc;
}

static int
fill_batch(struct bench *x, const struct setup *s, struct rna_err *err)
{
	struct rna_batch *b = &x->b;

	rna_batch_reuse(b);
	for (int i = 0; i < s->nseqs; i++)
		if (!add_rna(x, i, s->len - (s->nseqs < 16 ? i : 0), 5, err))
			return 0;
	for (int i = 0; i < b->nrows; i++)
		b->weight[i] = (1.0f + (s->nseqs < 16) * 0.25f * (float)(i % 3)) / (float)b->nrows;
	for (b->nslots = 0; s->slots && b->nslots < b->nseqs; b->nslots++) {
		b->slot[b->nslots] = b->cls[b->nslots];
		b->slot_target[b->nslots] = b->nslots % 2 ? -1 : 7 + b->nslots;
		b->slot_weight[b->nslots] = 0.5f / (float)b->nseqs;
	}
	return rna_batch_upload(b, x->rk, rna_tape_inputs(x->t), err) == RNA_OK;
}

static int
init(struct bench *x, const struct setup *s)
{
	struct rna_err err = {0};
	char why[160] = "";

	memset(x, 0, sizeof(*x));
	x->rk = rk_open(s->device, s->threads, why, sizeof(why));
	if (x->rk && rk_has(x->rk, s->precision, why, sizeof(why)) && init_model(x, s, &err) && init_tape(x, s, &err) &&
	    rna_batch_init(&x->b, s->nseqs * s->len, s->nseqs, s->nseqs * s->len, s->slots ? s->nseqs : 0) == RNA_OK &&
	    fill_batch(x, s, &err))
		return 1;
	diag("%s%s", why, err.text);
	return 0;
}

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
loss_at(struct bench *x, const double *at)
{
	struct rna_err err;
	double loss;

	if (rk_upload(x->rk, x->m.params.value, at, x->m.params.total * sizeof(*at)) != RK_OK ||
	    rna_tape_repack(x->t, &err) != RNA_OK || rna_tape_forward(x->t, &err) != RNA_OK)
		return NAN;
	loss = rows_loss(x, x->logits, x->b.target, x->b.weight, x->b.nrows);
	if (x->b.nslots)
		loss += rows_loss(x, x->types, x->b.slot_target, x->b.slot_weight, x->b.nslots);
	return loss;
}

/* Relative error of the derivative along a random direction within elements [first, first + n). */
static double
direction_error(struct bench *x, const double *at, const double *grad, size_t first, size_t n, uint64_t seed)
{
	const double h = 1e-6;
	double *p = calloc(x->m.params.total, sizeof(*p)), along = 0, up, down, d;
	struct rna_rng rng;

	for (int side = 1; side >= -1; side -= 2) {
		memcpy(p, at, x->m.params.total * sizeof(*p));
		rna_rng_init(&rng, seed);
		along = 0;
		for (size_t i = first; i < first + n; i++) {
			d = rna_rng_normal(&rng);
			p[i] += side * h * d;
			along += grad[i] * d;
		}
		if (side > 0)
			up = loss_at(x, p);
		else
			down = loss_at(x, p);
	}
	free(p);
	d = (up - down) / (2 * h);
	return fabs(d - along) / fmax(fmax(fabs(d), fabs(along)), 1e-3);
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
	const struct rna_param *p;
	struct bench x;
	struct rna_err err;
	double *at, *grad, e, worst = 0;
	size_t bytes;

	ok(init(&x, &s), "%s: a model with two losses is recorded", label);
	bytes = x.m.params.total * sizeof(double);
	at = malloc(bytes);
	grad = malloc(bytes);
	ok(rk_download(x.rk, at, x.m.params.value, bytes) == RK_OK && isfinite(loss_at(&x, at)) &&
		rna_tape_backward(x.t, &err) == RNA_OK && rk_download(x.rk, grad, x.m.params.grad, bytes) == RK_OK,
	    "%s: forward and backward", label);
	for (uint64_t seed = 1; seed <= 24; seed++) {
		e = direction_error(&x, at, grad, 0, x.m.params.total, seed);
		worst = e > worst || isnan(e) ? e : worst;
	}
	ok(worst <= 1e-6, "%s: 24 random directions (largest relative error %.2g)", label, worst);
	worst = 0;
	for (int i = 0; i < x.m.params.n; i++) {
		p = &x.m.params.list[i];
		e = direction_error(&x, at, grad, p->offset, p->n, 99 + (uint64_t)i);
		if (!(e <= 1e-6))
			diag("%s: %.3g", p->name, e);
		worst = e > worst || isnan(e) ? e : worst;
	}
	ok(worst <= 1e-6, "%s: each of %d tensors (largest relative error %.2g)", label, x.m.params.n, worst);
	free(at);
	free(grad);
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
	struct bench x;
	double *at, *grad, e;
	size_t bytes;
	rna_t h;

	ok(init(&x, &s), "shared input: recorded");
	rna_tape_destroy(x.t);
	p = &x.m.params;
	bytes = p->total * sizeof(double);
	x.t = rna_tape_create(x.rk, &x.m.params, &opts);
	h = rna_encoder_forward(x.t, &x.m, 0, NULL);
	h = rna_tape_norm(x.t, h, -1, h, rna_params_find(p, "layer.0.norm.gamma"),
	    rna_params_find(p, "layer.0.norm.beta"), 1e-5f, 0.2f);
	x.logits = rna_encoder_logits(x.t, &x.m, rna_tape_gather(x.t, h, RNA_AT_MASKED));
	rna_tape_cross_entropy(x.t, x.logits, RNA_AT_MASKED);
	rna_tape_keep(x.t, x.logits);
	at = malloc(bytes);
	grad = malloc(bytes);
	ok(rna_tape_finish(x.t, &err) == RNA_OK && fill_batch(&x, &s, &err) &&
		rk_download(x.rk, at, p->value, bytes) == RK_OK && isfinite(loss_at(&x, at)) &&
		rna_tape_backward(x.t, &err) == RNA_OK && rk_download(x.rk, grad, p->grad, bytes) == RK_OK,
	    "shared input: forward and backward");
	e = direction_error(&x, at, grad, 0, p->total, 11);
	ok(e <= 1e-6, "shared input: gradient (relative error %.2g)", e);
	free(at);
	free(grad);
	fini(&x);
}

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
	h = rna_encoder_pooled(x.t, &x.m, rna_encoder_forward(x.t, &x.m, -1, NULL));
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
	test_gradient("relu", RK_RELU, 0.1f);
	test_gradient("gelu", RK_GELU, 0.1f);
	test_gradient("no dropout", RK_GELU, 0);
	test_accumulate();
	test_shared_input();
	test_leakage("ref", RK_FP32, "ref fp32");
	test_leakage("cpu", RK_FP32, "cpu fp32");
	test_leakage("cpu", RK_BF16, "cpu bf16");
	test_leakage("cpu", RK_INT8, "cpu int8");
	test_threads(RK_FP32, "fp32");
	test_threads(RK_BF16, "bf16");
	test_overfit("cpu", RK_FP32, "cpu fp32");
	test_overfit("cpu", RK_BF16, "cpu bf16");
	test_refusals();
	return done();
}
