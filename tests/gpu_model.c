/*
 * gpu_model.c: times a device: what it copies and multiplies at best, each kernel of a layer, a training step and the
 * forward pass of a model, on packed batches with the lengths of the pretraining corpus.  Prints TSV.
 *
 *	gpu_model MODEL TOKENS REPEATS [DEVICE]         MODEL: base, small, tiny or toy; DEVICE: default cuda
 *
 * MFU is of real tokens: sum of 3 (2 P + 4 L H n) over tokens, P the weights of the layers, n the length of the token's
 * sequence, without head; its ceiling is the largest product's rate in the same run, so that no table of cards is
 *needed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "nn/batch.h"
#include "nn/optimizer.h"
#include "stream/rng.h"

static struct rk *rk;
static int repeats, tokens, groups = 5; /* groups of repeats, of which the median counts */
static const char *model_name;
static enum rk_precision dtype = RK_BF16; /* of products */

/* Twentieths of the lengths of the pretraining corpus, 347,154 RNAs: mean 215, mean weighted by length 378. */
static const int corpus[] = {
    15, 22, 25, 29, 43, 68, 75, 84, 96, 111, 128, 154, 184, 240, 312, 410, 512, 512, 512, 512, 512};

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "gpu_model: %s: %s\n", what, why);
	exit(1);
}

static void *
memory(size_t bytes)
{
	void *p = rk_alloc(rk, bytes);

	if (p == NULL)
		fail("memory", rk_error(rk));
	return p;
}

static void
row(const char *what, const char *shape, double seconds, double flops, double bytes)
{
	printf("%s\t%s\t%s\t%.4f\t%.1f\t%.0f\n", model_name, what, shape, 1e3 * seconds, 1e-12 * flops / seconds,
	    1e-9 * bytes / seconds);
	fflush(stdout);
}

/* Median seconds of one run of a list of calls, of five groups of runs. */
static double
seconds_of(const struct rk_call *calls, size_t n, const int32_t *live)
{
	struct rk_list *l = rk_list_create(rk, calls, n, live);
	double t[5];

	if (l == NULL || rk_list_run(l) != RK_OK || rk_list_run(l) != RK_OK || rk_sync(rk) != RK_OK)
		fail("a list", rk_error(rk));
	for (int g = 0; g < groups; g++) {
		double t0 = bench_wall(), x;
		int k;

		for (int i = 0; i < repeats; i++)
			if (rk_list_run(l) != RK_OK)
				fail("a list", rk_error(rk));
		if (rk_sync(rk) != RK_OK)
			fail("a list", rk_error(rk));
		x = (bench_wall() - t0) / repeats;
		for (k = g; k > 0 && t[k - 1] > x; k--)
			t[k] = t[k - 1];
		t[k] = x;
	}
	rk_list_destroy(l);
	return t[groups / 2];
}

/* 1. Ceilings */

/* live counts that are all n, on the device */
static int32_t *
counts(int n)
{
	int32_t host[RK_NLIVE], *d = memory(sizeof(host));

	for (int i = 0; i < RK_NLIVE; i++)
		host[i] = n;
	if (rk_upload(rk, d, host, sizeof(host)) != RK_OK)
		fail("an upload", rk_error(rk));
	return d;
}

/* A product x w^T and its gradients, [m, k] by [n, k]; the rate of the first. */
static double
products(const char *name, int m, int n, int k, enum rk_act act, int all)
{
	const size_t size = rk_store_size(rk, dtype);
	struct rk_linear o = {.rows = RK_LIVE_TOKENS, .cap = m, .w = {.n = n, .k = k, .precision = dtype}, .act = act};
	struct rk_call c = {.op = RK_LINEAR, .store = RK_BF16};
	const double flops = 2.0 * m * n * k;
	int32_t *live = counts(m);
	char shape[64];
	double t, rate;

	o.w.w = memory(4 * (size_t)n * k);
	o.w.fwd = memory(rk_pack_size(rk, n, k, dtype, 0));
	o.x = memory(size * m * k);
	o.y = memory(size * m * n);
	o.dy = memory(size * m * n);
	o.dx = memory(size * m * k);
	o.dw = memory(4 * (size_t)n * k);
	o.dbias = memory(4 * (size_t)n);
	o.bias = o.dbias;
	snprintf(shape, sizeof(shape), "%dx%dx%d", m, n, k);
	c.u.linear = o;
	t = seconds_of(&c, 1, live);
	rate = flops / t;
	row(name, shape, t, flops, 0);
	for (int i = 0; all && i < 2; i++) {
		char back[32];

		c.op = i ? RK_LINEAR_BACK_W : RK_LINEAR_BACK_X;
		snprintf(back, sizeof(back), "%s %s", name, i ? "dw" : "dx");
		row(back, shape, seconds_of(&c, 1, live), flops, 0);
	}
	rk_free(rk, (void *)o.w.w, 0), rk_free(rk, o.w.fwd, 0), rk_free(rk, (void *)o.x, 0), rk_free(rk, o.y, 0);
	rk_free(rk, o.dy, 0), rk_free(rk, o.dx, 0), rk_free(rk, o.dw, 0), rk_free(rk, o.dbias, 0), rk_free(rk, live, 0);
	return rate;
}

/* y += x over much more than fits in caches. */
static void
copies(int big)
{
	const int columns = 1024, rows = big ? 256 * 1024 : 256;
	struct rk_call c = {.op = RK_ADD, .u.add = {RK_LIVE_TOKENS, rows, columns, NULL, NULL}};
	const double bytes = 12.0 * rows * columns;
	int32_t *live = counts(rows);
	char shape[32];

	c.u.add.x = memory(4 * (size_t)rows * columns);
	c.u.add.y = memory(4 * (size_t)rows * columns);
	snprintf(shape, sizeof(shape), "%dx%d", rows, columns);
	row("ceiling of memory", shape, seconds_of(&c, 1, live), 0, bytes);
	rk_free(rk, (void *)c.u.add.x, 0), rk_free(rk, c.u.add.y, 0), rk_free(rk, live, 0);
}

/* 2. Batches */

/* Lengths of sequences that fill the batch: drawn from the corpus (fixed 0), or all the same. */
static int
lengths(int *len, int fixed, int longest)
{
	struct rna_rng rng;
	int n = 0, left = tokens;

	rna_rng_init(&rng, 7);
	while (left > 1) {
		const double u = 20 * (double)rna_rng_below(&rng, 1 << 20) / (1 << 20);
		int x =
		    fixed ? fixed : (int)(corpus[(int)u] + (u - (int)u) * (corpus[(int)u + 1] - corpus[(int)u])) + 3;

		x = x > longest ? longest : x;
		x = x > left ? left : x;
		len[n++] = x;
		left -= x;
	}
	return n;
}

/* Floating-point operations of a training step on these lengths: see above; a forward pass has a third. */
static double
step_flops(const struct rna_config *c, const int *len, int n)
{
	const double h = c->hidden, weights = c->layers * (4 * h * h + 2 * h * c->ffn);
	double f = 0;

	for (int i = 0; i < n; i++)
		f += 3.0 * len[i] * (2 * weights + 4.0 * c->layers * h * len[i]);
	return f;
}

static void
fill(struct rna_batch *b, const struct rna_model *m, const int *len, int n)
{
	uint8_t token[4096], target[4096];
	uint32_t masked[4096];
	struct rna_rng rng;
	struct rna_err err;

	rna_rng_init(&rng, 11);
	for (int i = 0; i < n; i++) {
		struct rna_record rec;
		uint64_t k = 0;

		rna_record_init(&rec);
		for (int j = 0; j < len[i]; j++) {
			token[j] = m->vocab.base[rna_rng_below(&rng, 4)];
			if (rna_rng_below(&rng, 100) < 15) {
				masked[k] = (uint32_t)j;
				target[k++] = token[j];
				token[j] = (uint8_t)m->vocab.mask;
			}
		}
		if (rna_record_set_vec(&rec, "tokens", RNA_U8, token, (uint64_t)len[i]) != RNA_OK ||
		    rna_record_set_vec(&rec, "masked", RNA_U32, masked, k) != RNA_OK ||
		    rna_record_set_vec(&rec, "target", RNA_U8, target, k) != RNA_OK ||
		    rna_batch_add(b, m, &rec, (uint64_t)i, &err) != RNA_OK)
			fail("a batch", err.text);
		rna_record_fini(&rec);
	}
	for (int i = 0; i < b->nrows; i++)
		b->weight[i] = 1.0f / (float)b->nrows;
}

/* 3. Attention of one layer, by length */

static void
attention(const struct rna_config *c, int fixed)
{
	const size_t size = rk_store_size(rk, RK_BF16);
	int *len = calloc((size_t)tokens, sizeof(*len)), n = lengths(len, fixed, c->max);
	int32_t *offsets = calloc((size_t)n + 1, sizeof(*offsets)), live[RK_NLIVE];
	struct rk_attention o = {.heads = c->heads,
	    .dim = c->hidden / c->heads,
	    .cap = tokens,
	    .cap_seqs = n,
	    .max_len = c->max,
	    .precision = RK_BF16};
	struct rk_call call = {.op = RK_ATTENTION, .store = RK_BF16};
	int32_t *live_d = counts(tokens), *offsets_d = memory(4 * ((size_t)n + 1));
	double flops = 0;
	char shape[64];

	for (int i = 0; i < n; i++) {
		offsets[i + 1] = offsets[i] + len[i];
		flops += 4.0 * len[i] * len[i] * c->hidden;
	}
	for (int i = 0; i < RK_NLIVE; i++)
		live[i] = offsets[n];
	live[RK_LIVE_SEQS] = n;
	if (rk_upload(rk, live_d, live, sizeof(live)) != RK_OK ||
	    rk_upload(rk, offsets_d, offsets, 4 * ((size_t)n + 1)) != RK_OK)
		fail("an upload", rk_error(rk));
	o.offsets = offsets_d;
	o.qkv = memory(3 * size * tokens * c->hidden);
	o.dqkv = memory(3 * size * tokens * c->hidden);
	o.o = memory(size * tokens * c->hidden);
	o.dout = memory(size * tokens * c->hidden);
	o.lse = memory(4 * (size_t)tokens * c->heads);
	call.u.attention = o;
	snprintf(shape, sizeof(shape), fixed ? "all %d" : "corpus", fixed);
	row("attention", shape, seconds_of(&call, 1, live_d), flops, 8.0 * size * tokens * c->hidden / 2);
	call.op = RK_ATTENTION_BACK;
	row("attention back", shape, seconds_of(&call, 1, live_d), 2.5 * flops, 0);
	rk_free(rk, (void *)o.qkv, 0), rk_free(rk, o.dqkv, 0), rk_free(rk, o.o, 0), rk_free(rk, (void *)o.dout, 0);
	rk_free(rk, o.lse, 0), rk_free(rk, offsets_d, 0), rk_free(rk, live_d, 0);
	free(len);
	free(offsets);
}

/* 4. Norm and the optimiser */

static void
norms(const struct rna_config *c)
{
	const size_t bytes = rk_store_size(rk, RK_BF16) * (size_t)tokens * c->hidden;
	struct rk_norm o = {.rows = RK_LIVE_TOKENS,
	    .cap = tokens,
	    .hidden = c->hidden,
	    .eps = 1e-5f,
	    .drop = {0.1f, 1, memory(8 * (size_t)tokens)}};
	struct rk_call call = {.op = RK_NORM, .store = RK_BF16};
	int32_t *live = counts(tokens);
	float *small = memory(4 * 6 * (size_t)c->hidden);
	char shape[32];

	o.x = memory(bytes), o.residual = memory(bytes), o.z = memory(bytes), o.y = memory(bytes), o.dy = memory(bytes);
	o.dx = memory(bytes), o.dresidual = memory(bytes), o.stats = memory(8 * (size_t)tokens);
	o.bias = small, o.gamma = small + c->hidden, o.beta = small + 2 * c->hidden;
	o.dbias = small + 3 * c->hidden, o.dgamma = small + 4 * c->hidden, o.dbeta = small + 5 * c->hidden;
	call.u.norm = o;
	snprintf(shape, sizeof(shape), "%dx%d", tokens, c->hidden);
	row("norm", shape, seconds_of(&call, 1, live), 0, 4.0 * bytes);
	call.op = RK_NORM_BACK;
	row("norm back", shape, seconds_of(&call, 1, live), 0, 4.0 * bytes);
	rk_free(rk, (void *)o.x, 0), rk_free(rk, (void *)o.residual, 0), rk_free(rk, o.z, 0), rk_free(rk, o.y, 0);
	rk_free(rk, (void *)o.dy, 0), rk_free(rk, o.dx, 0), rk_free(rk, o.dresidual, 0), rk_free(rk, o.stats, 0);
	rk_free(rk, small, 0), rk_free(rk, (void *)o.drop.row_key, 0), rk_free(rk, live, 0);
}

/* 5. The model */

/* pruned: the last layer makes the rows that are read alone, as rna-train and rna-embed do. */
static struct rna_tape *
record(struct rna_model *m, int train, int pruned, int seqs, int rows)
{
	const struct rna_tape_options opts = {.tokens = tokens,
	    .seqs = seqs,
	    .rows = train ? rows : 1,
	    .max_len = m->config.max,
	    .train = train,
	    .precision = dtype};
	struct rna_tape *t = rna_tape_create(rk, &m->params, &opts);
	struct rna_err err = {0};
	const enum rna_tape_index at = train ? RNA_AT_MASKED : RNA_AT_CLS;
	rna_t h = pruned ? rna_encoder_rows(t, m, at) : rna_tape_gather(t, rna_encoder_forward(t, m, -1, NULL), at);

	if (train)
		rna_tape_cross_entropy(t, rna_encoder_logits(t, m, h), at);
	else
		rna_tape_keep(t, h);
	if (rna_tape_finish(t, &err) != RNA_OK)
		fail("a tape", err.text);
	return t;
}

/* One pass of what is timed: its batch is sent, and a step's norm asked for, as rna-train does; nobody waits. */
struct pass {
	struct rna_tape *t;
	struct rna_optimizer *o;
	const struct rna_batch *b;
	struct rk_reply *norm;
};

static void
run(const struct pass *p)
{
	const struct rk_adamw_step s = {1e-4, 0.9, 0.98, 1e-8, 0.01, 1, 1};
	struct rna_err err = {0};

	if (rna_batch_upload(p->b, rk, rna_tape_inputs(p->t), &err) != RNA_OK)
		fail("a batch", err.text);
	if (p->o == NULL ? rna_tape_forward(p->t, &err)
			 : rna_optimizer_zero(p->o, &err) || rna_tape_forward(p->t, &err) ||
			       rna_tape_backward(p->t, &err) || rna_optimizer_ask_norm(p->o, p->norm, &err) ||
			       rna_optimizer_step(p->o, &s, &err) || rna_tape_repack(p->t, &err))
		fail("a pass", err.text);
}

static double
seconds_of_pass(const struct pass *p)
{
	double t[5];

	for (int i = 0; i < (groups > 1 ? 3 : 1); i++)
		run(p);
	for (int g = 0; g < groups; g++) {
		double t0, x;
		int k;

		if (rk_sync(rk) != RK_OK)
			fail("a pass", rk_error(rk));
		t0 = bench_wall();
		for (int i = 0; i < repeats; i++)
			run(p);
		if (rk_sync(rk) != RK_OK)
			fail("a pass", rk_error(rk));
		x = (bench_wall() - t0) / repeats;
		for (k = g; k > 0 && t[k - 1] > x; k--)
			t[k] = t[k - 1];
		t[k] = x;
	}
	return t[groups / 2];
}

static void
result(const char *what, const char *shape, double seconds, double flops, double ceiling)
{
	row(what, shape, seconds, flops, 0);
	printf("%s\t%s, tokens/s\t%s\t%.0f\t\t\n", model_name, what, shape, tokens / seconds);
	printf("%s\t%s, MFU of the ceiling\t%s\t%.3f\t\t\n", model_name, what, shape, flops / seconds / ceiling);
}

/* train 1: steps; 0: forward passes. */
static void
passes(struct rna_model *m, int train, int pruned, int fixed, double ceiling)
{
	int *len = calloc((size_t)tokens, sizeof(*len)), n = lengths(len, fixed, m->config.max);
	const double flops = step_flops(&m->config, len, n);
	struct rna_optimizer o;
	struct rna_batch b;
	struct rna_err err = {0};
	struct pass p = {NULL, train ? &o : NULL, &b, rk_reply_create(rk, sizeof(double))};
	const char *what = train ? "train" : dtype == RK_FP8 ? "embed fp8" : "embed";
	char which[16], shape[64];

	if (rna_batch_init(&b, tokens, n, tokens, 1) != RNA_OK)
		fail("a batch", "no memory");
	fill(&b, m, len, n);
	if (train && rna_optimizer_init(&o, &m->params, &err) != RNA_OK)
		fail("the optimiser", err.text);
	p.t = record(m, train, pruned, n, b.nrows);
	if (!train)
		b.nrows = 0;
	if (p.norm == NULL)
		fail("a reply", rk_error(rk));
	snprintf(which, sizeof(which), fixed ? "all %d" : "corpus", fixed);
	snprintf(shape, sizeof(shape), "%d tokens, %s%s", tokens, which, pruned ? "" : ", whole last layer");
	result(what, shape, seconds_of_pass(&p), train ? flops : flops / 3, ceiling);
	printf("%s\t%s, memory of the tape, MiB\t%s\t%.0f\t\t\n", model_name, what, shape,
	    (double)rna_tape_bytes(p.t) / (1 << 20));
	rk_reply_destroy(p.norm);
	rna_tape_destroy(p.t);
	if (train)
		rna_optimizer_fini(&o);
	rna_batch_fini(&b);
	free(len);
}

static void
make_model(struct rna_model *m)
{
	const int toy = strcmp(model_name, "toy") == 0;
	struct rna_config c;
	struct rna_vocab v;
	struct rna_err err = {0};

	if (rna_vocab_init(&v) != RNA_OK || rna_config_preset(&c, toy ? "tiny" : model_name, &err) != RNA_OK)
		fail(model_name, err.text);
	if (toy) {
		c.layers = c.heads = 1;
		c.hidden = 64;
		c.ffn = 128;
	}
	c.hidden_dropout = 0.1f;
	c.attention_dropout = 0;
	if (rna_model_create(m, &c, &v, rk, 1, &err) != RNA_OK)
		fail(model_name, err.text);
	rna_config_fini(&c);
	rna_vocab_fini(&v);
}

int
main(int argc, char **argv)
{
	static const int fixed[] = {0, 32, 64, 128, 256, 512};
	const struct rna_config *c;
	struct rna_model m;
	char err[256] = "";
	double ceiling;
	int big, h;

	if (argc < 4) {
		fprintf(stderr, "usage: gpu_model base|small|tiny|toy TOKENS REPEATS [DEVICE]\n");
		return 2;
	}
	model_name = argv[1];
	tokens = bench_int("TOKENS", argv[2], 1024, 1 << 24);
	repeats = bench_int("REPEATS", argv[3], 1, 1 << 20);
	if ((rk = rk_open(argc > 4 ? argv[4] : "cuda", 1, err, sizeof(err))) == NULL)
		fail("device", err);
	big = strcmp(model_name, "toy") != 0;
	groups = big ? 5 : 1;
	make_model(&m);
	c = &m.config;
	h = c->hidden;
	printf("model\twhat\tshape\tmilliseconds (or as said)\tTFLOP/s\tGB/s\n");
	copies(big);
	ceiling = products("ceiling of products", big ? 8192 : 64, big ? 8192 : 64, big ? 8192 : 64, RK_NONE, 0);
	products("qkv", tokens, 3 * h, h, RK_NONE, 1);
	products("attention out", tokens, h, h, RK_NONE, 1);
	products("ffn 1", tokens, c->ffn, h, RK_RELU, 1);
	products("ffn 2", tokens, h, c->ffn, RK_NONE, 1);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (big || i < 2)
			attention(c, fixed[i]);
	norms(c);
	for (int train = 0; train < 2; train++)
		for (int pruned = 0; pruned < 2; pruned++)
			passes(&m, train, pruned, 0, ceiling);
	if (big)
		passes(&m, 1, 1, 512, ceiling);
	if (rk_has(rk, RK_FP8, err, sizeof(err))) {
		dtype = RK_FP8;
		products("ceiling of products, fp8", big ? 8192 : 64, big ? 8192 : 64, big ? 8192 : 64, RK_NONE, 0);
		products("qkv, fp8", tokens, 3 * h, h, RK_NONE, 0);
		products("ffn 1, fp8", tokens, c->ffn, h, RK_RELU, 0);
		products("ffn 2, fp8", tokens, h, c->ffn, RK_NONE, 0);
		passes(&m, 0, 1, 0, ceiling);
	}
	rna_model_fini(&m);
	rk_close(rk);
	return 0;
}
