/*
 * bench_kernels.c: how near the kernels come to what the machine can do.  Prints TSV: one line per kernel and shape
 * with its best time, its rate, and the fraction of the peak of its precision that is measured in the same run, first.
 *
 *	bench_kernels [threads [model [precision [forward]]]]
 *
 * threads: default 0, one and then all; model: tiny, small or base, default all; forward: no gradients
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine_peak.h"

enum { HEAD = 64, LENGTH = 128 };       /* columns of a head; tokens of a sequence */

struct model { const char *name; int rows, hidden, ffn, layers; };

static const struct model models[] = {
	{ "tiny", 2048, 128, 512, 4 }, { "small", 2048, 320, 1280, 6 }, { "base", 4096, 768, 3072, 12 },
};

static const char *const precisions[] = { "fp32", "bf16", "int8" };

/* One thread is timed by the processor, more by the clock on the wall. */
static double
now(int threads)
{
	return threads == 1 ? bench_cpu() : bench_wall();
}

/* 1. Peak: what the fractions are of */

static void
peak_lines(const char *level, int threads)
{
	for (int p = RK_FP32; p <= RK_INT8; p++)
		printf("machine\tpeak\t%s\t%s\t%d\t-\t%.1f\t-\t1\n", precisions[p], level, threads,
		    threads * machine_peak(level, (enum rk_precision)p, threads) / 1e9);
	printf("machine\tmemory, 2 read 1 written\t-\t%s\t%d\t-\t-\t%.1f\t-\n", level, threads,
	    machine_memory(threads) / 1e9);
}

/* 2. A bench: buffers big enough for every op of a model, and the time of a list */

struct bench {
	struct rk *rk;
	const struct model *m;
	int threads;
	enum rk_precision precision;
	float *x, *wide, *wide2, *w, *dw, *bias, *stats;        /* wide: [rows, 3 hidden or ffn] */
	void *fwd, *bwd;
	int32_t *live, *offsets, *index;
	uint8_t *token;
	uint64_t *key;
	float dropout;
};

static void *
take(struct rk *rk, size_t bytes)
{
	void *p = rk_alloc(rk, bytes);

	if (p == NULL) {
		fprintf(stderr, "bench_kernels: %s\n", rk_error(rk));
		exit(1);
	}
	return p;
}

static float *
floats(struct rk *rk, size_t n)
{
	float *p = take(rk, n * sizeof(*p));
	uint32_t s = 1;

	for (size_t i = 0; i < n; i++) {
		s = s * 1664525u + 1013904223u;
		p[i] = (float)(int32_t)s / 2147483648.0f;
	}
	return p;
}

static void
bench_init(struct bench *b, struct rk *rk, const struct model *m, int threads)
{
	const size_t rows = m->rows, most = 3 * m->hidden > m->ffn ? 3 * m->hidden : m->ffn;

	*b = (struct bench){ .rk = rk, .m = m, .threads = threads, .dropout = 0.1f };
	b->x = floats(rk, rows * most);
	b->wide = floats(rk, rows * most);
	b->wide2 = floats(rk, rows * most);
	b->w = floats(rk, most * m->hidden);
	b->dw = floats(rk, most * m->hidden);
	b->bias = floats(rk, most);
	b->stats = floats(rk, 2 * rows);
	b->fwd = take(rk, 4 * (most + 64) * (m->hidden + 64));
	b->bwd = take(rk, 4 * (most + 64) * (m->hidden + 64));
	b->live = take(rk, RK_NLIVE * sizeof(*b->live));
	b->offsets = take(rk, (rows + 1) * sizeof(*b->offsets));
	b->index = take(rk, rows * sizeof(*b->index));
	b->token = take(rk, rows);
	b->key = take(rk, rows * sizeof(*b->key));
	for (int i = 0; i < RK_NLIVE; i++)
		b->live[i] = m->rows;
	b->live[RK_LIVE_SEQS] = m->rows / LENGTH;
	for (int i = 0; i < m->rows; i++) {
		b->offsets[i + 1] = (i + 1) * LENGTH;
		b->index[i] = i % LENGTH;
		b->token[i] = i % 2;
		b->key[i] = i * 0x9e3779b97f4a7c15u;
	}
}

static void
bench_fini(struct bench *b)
{
	void *const all[] = {b->x, b->wide, b->wide2, b->w, b->dw, b->bias, b->stats, b->fwd, b->bwd, b->live,
	    b->offsets, b->index, b->token, b->key};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		rk_free(b->rk, all[i], 0);
}

/* Best seconds of a call. */
static double
seconds(struct bench *b, const struct rk_call *c)
{
	struct rk_list *l = rk_list_create(b->rk, c, 1, b->live);
	double best = 1e9, begin = now(b->threads);

	if (l == NULL) {
		fprintf(stderr, "bench_kernels: %s\n", rk_error(b->rk));
		exit(1);
	}
	for (int i = 0; i < 3 || now(b->threads) - begin < 0.1; i++) {
		double t = now(b->threads);

		if (rk_list_run(l) != RK_OK)
			exit(1);
		t = now(b->threads) - t;
		best = i > 0 && t < best ? t : best;
	}
	rk_list_destroy(l);
	return best;
}

/* ops: arithmetic operations, or 0; bytes: that must move at least. */
static double
line(struct bench *b, const char *what, const struct rk_call *c, double ops, double bytes)
{
	const char *level = rk_level(b->rk);
	double t = seconds(b, c), top = b->threads * machine_peak(level, b->precision, b->threads);

	printf("%s\t%s\t%s\t%s\t%d\t%.1f\t%.1f\t%.1f\t", b->m->name, what, precisions[b->precision], level, b->threads,
	    t * 1e6, ops / t / 1e9, bytes / t / 1e9);
	if (ops > 0 && top > 0)
		printf("%.3f\n", ops / t / top);
	else
		printf("-\n");
	fflush(stdout);
	return t;
}

/* 3. The ops of a model */

static double
linear_lines(struct bench *b, int n, int k, enum rk_act act, int back)
{
	const double rows = b->m->rows, ops = 2 * rows * n * k, bytes = 4 * (rows * n + rows * k + (double)n * k);
	struct rk_call c = { .op = RK_PACK };
	char what[64];
	double t = 0, pack;

	c.u.pack.w = (struct rk_weight){ b->w, b->fwd, b->precision == RK_INT8 ? NULL : b->bwd, n, k, b->precision, 1 };
	snprintf(what, sizeof(what), "pack %dx%d", n, k);
	pack = line(b, what, &c, 0, 8.0 * n * k);
	t += back ? pack : 0;   /* weights are packed once for all batches of an inference */
	c = (struct rk_call){.op = RK_LINEAR,
	    .u.linear = {.rows = RK_LIVE_TOKENS,
		.cap = b->m->rows,
		.w = c.u.pack.w,
		.x = b->x,
		.bias = b->bias,
		.act = act,
		.y = b->wide,
		.dy = b->wide2,
		.dx = b->x,
		.dw = b->dw,
		.dbias = b->bias,
		.pre = act == RK_GELU ? b->wide2 : NULL}};
	snprintf(what, sizeof(what), "linear%s %dx%d", act == RK_RELU ? " relu" : act == RK_GELU ? " gelu" : "", n, k);
	t += line(b, what, &c, ops, bytes);
	if (!back)
		return t;
	c.op = RK_LINEAR_BACK_X;
	snprintf(what, sizeof(what), "linear back x %dx%d", n, k);
	t += line(b, what, &c, ops, bytes);
	c.op = RK_LINEAR_BACK_W;
	snprintf(what, sizeof(what), "linear back w %dx%d", n, k);
	t += line(b, what, &c, ops, bytes);
	if (act != RK_NONE) {
		c.op = RK_ACT_BACK;
		snprintf(what, sizeof(what), "activation back %d", n);
		t += line(b, what, &c, 0, 12 * rows * n);
	}
	return t;
}

static double
attention_lines(struct bench *b, int length, int back)
{
	const int rows = b->m->rows, hidden = b->m->hidden;
	const double ops = 4.0 * rows * length * hidden;
	struct rk_call c = {.op = RK_ATTENTION,
	    .u.attention = {.heads = hidden / HEAD,
		.dim = HEAD,
		.cap = rows,
		.cap_seqs = rows,
		.max_len = length,
		.offsets = b->offsets,
		.qkv = b->wide,
		.drop = {b->dropout, 1, b->key},
		.o = b->x,
		.lse = b->bias,
		.precision = b->precision,
		.dout = b->x,
		.dqkv = b->wide2}};
	char what[64];
	double t;

	c.u.attention.lse = b->dw;
	for (int i = 0; i <= rows / length; i++)
		b->offsets[i] = i * length;
	b->live[RK_LIVE_SEQS] = rows / length;
	snprintf(what, sizeof(what), "attention %d%s", length, b->dropout > 0 ? " dropout" : "");
	t = line(b, what, &c, ops, 16.0 * rows * hidden);
	if (!back)
		return t;
	c.op = RK_ATTENTION_BACK;
	snprintf(what, sizeof(what), "attention back %d%s", length, b->dropout > 0 ? " dropout" : "");
	return t + line(b, what, &c, 2.5 * ops, 32.0 * rows * hidden);
}

static double
norm_lines(struct bench *b, int back)
{
	const int rows = b->m->rows, n = b->m->hidden;
	struct rk_call c = {.op = RK_NORM,
	    .u.norm = {.rows = RK_LIVE_TOKENS,
		.cap = rows,
		.hidden = n,
		.x = b->x,
		.bias = b->bias,
		.residual = b->wide,
		.gamma = b->bias,
		.beta = b->bias,
		.eps = 1e-5f,
		.drop = {b->dropout, 1, b->key},
		.z = back ? b->wide2 : NULL,
		.stats = back ? b->stats : NULL,
		.y = b->x}};
	double t = line(b, "norm", &c, 0, 4.0 * rows * n * (back ? 4 : 3));
	float *grads;

	if (!back)
		return t;
	grads = floats(b->rk, 3 * (size_t)n);
	c.op = RK_NORM_BACK;
	c.u.norm.dy = b->x;
	c.u.norm.dx = b->wide;
	c.u.norm.dresidual = b->wide + (size_t)rows * n;
	c.u.norm.dgamma = grads;
	c.u.norm.dbeta = grads + n;
	c.u.norm.dbias = grads + 2 * n;
	t += line(b, "norm back", &c, 0, 16.0 * rows * n);
	rk_free(b->rk, grads, 0);
	return t;
}

static double
update_lines(struct bench *b, size_t n)
{
	float *p = floats(b->rk, n), *g = floats(b->rk, n), *m = floats(b->rk, n), *v = take(b->rk, n * 4);
	uint8_t *decay = take(b->rk, n / 64 + 1);
	double *sums = take(b->rk, (rk_sum_scratch(n) + 1) * sizeof(*sums));
	struct rk_adamw_step *step = take(b->rk, sizeof(*step));
	struct rk_call c = { .op = RK_SUM_SQUARES, .u.sum_squares = { g, n, sums, sums + 1 } };
	double t = line(b, "sum of squares", &c, 0, 4.0 * n);

	*step = (struct rk_adamw_step){ 1e-4, 0.9, 0.999, 1e-8, 0.01, 1, 1 };
	c = (struct rk_call){ .op = RK_ADAMW, .u.adamw = { n, p, g, m, v, decay, sums, step } };
	t += line(b, "adamw", &c, 0, 28.0 * n);
	rk_free(b->rk, p, 0), rk_free(b->rk, g, 0), rk_free(b->rk, m, 0), rk_free(b->rk, v, 0);
	rk_free(b->rk, decay, 0), rk_free(b->rk, sums, 0), rk_free(b->rk, step, 0);
	return t;
}

/* Every op of a layer, and what a forward pass or training step of all layers takes by their sum. */
static void
layer(struct bench *b, int back)
{
	const int h = b->m->hidden, f = b->m->ffn, rows = b->m->rows;
	double t = 0, ops = 2.0 * rows * (4.0 * h * h + 2.0 * h * f) + 4.0 * rows * LENGTH * h;

	b->dropout = back ? 0.1f : 0;
	t += linear_lines(b, 3 * h, h, RK_NONE, back);
	t += attention_lines(b, LENGTH, back);
	t += linear_lines(b, h, h, RK_NONE, back);
	t += 2 * norm_lines(b, back);
	t += linear_lines(b, f, h, RK_RELU, back);
	t += linear_lines(b, h, f, RK_NONE, back);
	attention_lines(b, 512, back);
	if (back) {
		t += update_lines(b, 4 * (size_t)h * h + 2 * (size_t)h * f);
		ops *= 3;
	}
	printf("%s\t%s\t%s\t%s\t%d\t%.1f\t%.1f\t-\t%.3f\n", b->m->name,
	    back ? "layers: training step" : "layers: forward", precisions[b->precision], rk_level(b->rk), b->threads,
	    t * 1e6 * b->m->layers, ops / t / 1e9,
	    ops / t / (b->threads * machine_peak(rk_level(b->rk), b->precision, b->threads)));
}

static void
bench(int threads, const char *model, const char *precision, int forward)
{
	char err[160];
	struct rk *rk = rk_open("cpu", threads, err, sizeof(err));

	if (rk == NULL) {
		fprintf(stderr, "bench_kernels: %s\n", err);
		exit(1);
	}
	peak_lines(rk_level(rk), threads);
	for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
		struct bench b;

		if (model != NULL && strcmp(model, models[i].name) != 0)
			continue;
		bench_init(&b, rk, &models[i], threads);
		for (int p = RK_FP32; p <= RK_INT8; p++) {
			if (precision != NULL && strcmp(precision, precisions[p]) != 0)
				continue;
			b.precision = p;
			if (p != RK_INT8 && !forward)
				layer(&b, 1);
			layer(&b, 0);
		}
		bench_fini(&b);
	}
	rk_close(rk);
}

int
main(int argc, char **argv)
{
	const int all = omp_get_num_procs(), threads = bench_argument(argc, argv, 1, "threads", 0, 0, 1024);
	const char *model = argc > 2 ? argv[2] : NULL, *precision = argc > 3 ? argv[3] : NULL;

	printf("model\tkernel\tprecision\tlevel\tthreads\tmicroseconds\tGop/s\tGB/s\tof peak\n");
	bench(threads > 0 ? threads : 1, model, precision, argc > 4);
	if (threads <= 0 && all > 1)
		bench(all, model, precision, argc > 4);
	return 0;
}
