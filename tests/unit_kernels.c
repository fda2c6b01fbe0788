/*
 * unit_kernels.c: opening a backend, what lists refuse, AdamW, the small ops, and what must not matter to a result: the
 * other sequences of a batch, a sequence's place in it, and rows past the live ones.
 */
#include "kernel_problem.h"

static const char *const levels[] = { "avx512bf16", "avx512", "avx2", "plain" };
enum { LEVELS = 4 };

static struct rk *
open_level(int level)
{
	char err[160] = "";
	struct rk *rk;

	if (setenv("RILL_CPU", levels[level], 1) != 0)
		abort();
	if ((rk = rk_open("cpu", 2, err, sizeof(err))) == NULL)
		diag("%s", err);
	return rk;
}

/* 1. Opening and refusing */

static void
opening(void)
{
	char err[160] = "";
	struct rk *rk;

	unsetenv("RILL_CPU");
	ok(rk_open("tpu", 1, err, sizeof(err)) == NULL && strstr(err, "tpu") != NULL, "an unknown device: %s", err);
	ok(rk_open("cpu", 0, err, sizeof(err)) == NULL, "no threads: %s", err);
	setenv("RILL_CPU", "mmx", 1);
	ok(rk_open("cpu", 1, err, sizeof(err)) == NULL && strstr(err, "mmx") != NULL, "an unknown level: %s", err);
	setenv("RILL_CPU", "plain", 1);
	rk = rk_open("cpu", 1, err, sizeof(err));
	ok(rk != NULL && strcmp(rk_level(rk), "plain") == 0 && strcmp(rk_name(rk), "cpu plain") == 0,
	    "RILL_CPU forces a level");
	rk_close(rk);
	unsetenv("RILL_CPU");
	rk = rk_open("ref64", 1, err, sizeof(err));
	ok(rk != NULL && rk_real_size(rk) == 8 && !rk_has(rk, RK_BF16, err, sizeof(err)),
	    "ref64 computes in double only: %s", err);
	rk_close(rk);
	rk = rk_open("auto", 1, err, sizeof(err));
	ok(rk != NULL && !rk_has(rk, RK_FP8, err, sizeof(err)), "fp8 is refused: %s", err);
	rk_close(rk);
}

static void
refusing(void)
{
	struct rk *rk = rk_open("cpu", 1, NULL, 0);
	int32_t *live = rk_alloc(rk, RK_NLIVE * sizeof(*live));
	float *x = rk_alloc(rk, 64), *y = rk_alloc(rk, 64);
	struct rk_call c = { .op = RK_ADD, .u.add = { RK_LIVE_TOKENS, 1, 4, x, y } };
	struct rk_list *l = rk_list_create(rk, &c, 1, live);

	live[RK_LIVE_TOKENS] = 2;
	ok(l != NULL && rk_list_run(l) == RK_EINVAL && *rk_error(rk) != '\0', "more rows than a call has room for: %s",
	    rk_error(rk));
	rk_list_destroy(l);
	c = (struct rk_call){ .op = RK_LINEAR_BACK_X, .u.linear.w.precision = RK_INT8 };
	ok(rk_list_create(rk, &c, 1, live) == NULL, "no gradient in int8: %s", rk_error(rk));
	rk_free(rk, x, 64), rk_free(rk, y, 64), rk_free(rk, live, RK_NLIVE * sizeof(*live));
	rk_close(rk);
}

/* What the reference makes of a value in fp8, beside 448, so that the row's scale is 1, and a weight of 1. */
static void
rounding(void)
{
	static const double cases[][2] = {{1.0625, 1}, {1.1875, 1.25}, {-1.0624, -1}, {-1.0626, -1.125}, {17, 16},
	    {19, 20}, {447, 448}, {432, 448}, {431, 416}, {400, 384}, {0.0009765625, 0}, {0.0009765626, 0.001953125},
	    {0.0029296875, 0.00390625}, {-0.0087890625, -0.0078125}, {0.0146484375, 0.015625}, {0, 0}};
	struct rk *rk = rk_open("ref64", 1, NULL, 0);
	double *x = rk_alloc(rk, 16 * 17 * 8), *w = x + 16, *y = rk_alloc(rk, 16 * 8);
	int32_t *live = rk_alloc(rk, RK_NLIVE * sizeof(*live));
	struct rk_call c = { .op = RK_LINEAR, .store = RK_BF16,
		.u.linear = { .rows = RK_LIVE_TOKENS, .cap = 1, .w = { .w = w, .n = 16, .k = 16,
		.precision = RK_FP8 }, .x = x, .y = y } };
	struct rk_list *l = rk_list_create(rk, &c, 1, live);
	int good = 1;

	live[RK_LIVE_TOKENS] = 1;
	w[1] = 1;
	w[16] = INFINITY;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		x[0] = 448;
		x[1] = cases[i][0];
		if (l == NULL || rk_list_run(l) != RK_OK || y[0] != cases[i][1]) {
			diag("%g: %g, not %g", cases[i][0], y[0], cases[i][1]);
			good = 0;
		}
	}
	ok(good, "fp8 rounds to the nearest of e4m3, ties to even");
	ok(isnan(y[1]), "infinity makes NaN");
	rk_list_destroy(l);
	rk_free(rk, x, 16 * 17 * 8), rk_free(rk, y, 16 * 8), rk_free(rk, live, RK_NLIVE * sizeof(*live));
	rk_close(rk);
}

/* 2. AdamW and the gradient norm against their definition in double, 20 steps */

enum { ADAM_N = 64 * 37 + 5, ADAM_STEPS = 20 };

static void
adam_reference(
    double *p, double *m, double *v, const float *g, const uint8_t *decay, const struct rk_adamw_step *s, double norm2)
{
	double clip = s->clip > 0 ? fmin(1, s->clip / (sqrt(norm2) + 1e-6)) : 1;

	for (int i = 0; i < ADAM_N; i++) {
		double gi = g[i] * clip;

		if (decay[i / 64])
			p[i] -= s->lr * s->weight_decay * p[i];
		m[i] = s->beta1 * m[i] + (1 - s->beta1) * gi;
		v[i] = s->beta2 * v[i] + (1 - s->beta2) * gi * gi;
		p[i] -=
		    s->lr / (1 - pow(s->beta1, s->t)) * m[i] / (sqrt(v[i]) / sqrt(1 - pow(s->beta2, s->t)) + s->eps);
	}
}

static void
adam(int level)
{
	struct rk *rk = open_level(level);
	float *p = rk_alloc(rk, 4 * ADAM_N), *g = rk_alloc(rk, 4 * ADAM_N);
	void *m = rk_alloc(rk, 4 * ADAM_N), *v = rk_alloc(rk, 4 * ADAM_N);
	double *sums = rk_alloc(rk, (1 + rk_sum_scratch(ADAM_N)) * sizeof(*sums)),
	       *want = p_calloc(3 * ADAM_N, sizeof(*want));
	struct rk_adamw_step step = { 1e-2, 0.9, 0.98, 1e-8, 0.1, 5, 0 };
	struct rk_call calls[] = { { .op = RK_SUM_SQUARES, .u.sum_squares = { g, ADAM_N, sums, sums + 1 } },
		{ .op = RK_ADAMW, .u.adamw = { ADAM_N, p, g, m, v, NULL, sums, &step } } };
	uint8_t decay[ADAM_N / 64 + 1];
	struct rk_list *l;
	int32_t live[RK_NLIVE] = { 0 };
	double off = 0, norm_off = 0;

	for (int i = 0; i <= ADAM_N / 64; i++)
		decay[i] = i % 2;
	calls[1].u.adamw.decay = decay;
	for (int i = 0; i < ADAM_N; i++)
		want[i] = p[i] = (float)p_uniform();
	l = rk_list_create(rk, calls, 2, live);
	for (step.t = 1; step.t <= ADAM_STEPS; step.t++) {
		double norm2 = 0;

		step.clip = step.t % 3 == 0 ? 0 : step.t % 3 == 1 ? 5 : 500;
		for (int i = 0; i < ADAM_N; i++) {
			g[i] = (float)p_uniform();
			norm2 += (double)g[i] * g[i];
		}
		if (rk_list_run(l) != RK_OK)
			exit(1);
		adam_reference(want, want + ADAM_N, want + 2 * ADAM_N, g, decay, &step, norm2);
		norm_off = fmax(norm_off, fabs(*sums / norm2 - 1));
	}
	for (int i = 0; i < ADAM_N; i++)
		off = fmax(off, fabs(p[i] - want[i]));
	ok(norm_off < 1e-12, "%s: sum of squares to %.1e", levels[level], norm_off);
	ok(off < 2e-6, "%s: 20 steps of AdamW to %.1e", levels[level], off);
	rk_list_destroy(l);
	rk_free(rk, p, 0), rk_free(rk, g, 0), rk_free(rk, m, 0), rk_free(rk, v, 0), rk_free(rk, sums, 0);
	free(want);
	rk_close(rk);
}

/* 3. Row ops */

static void
rows(int level)
{
	enum { ROWS = 9, N = 37 };
	struct rk *rk = open_level(level);
	float *x = rk_alloc(rk, 4 * ROWS * N), *y = rk_alloc(rk, 4 * ROWS * N), *mean = rk_alloc(rk, 4 * 3 * N);
	int32_t index[] = { 5, 0, 8, 2 }, first[] = { 1, 4, 0 }, count[] = { 3, 5, 0 }, live[RK_NLIVE];
	struct rk_call calls[] = {
		{ .op = RK_GATHER, .u.rows = { RK_LIVE_ROWS, ROWS, N, index, x, y } },
		{ .op = RK_SCATTER_ADD, .u.rows = { RK_LIVE_ROWS, ROWS, N, index, x, y } },
		{ .op = RK_ADD, .u.add = { RK_LIVE_ROWS, ROWS, N, x, y } },
		{ .op = RK_SEGMENT_SUM,
		    .u.segments = { RK_LIVE_SEQS, 3, N, first, count, NULL, x, mean, NULL, NULL, NULL } },
		{ .op = RK_ZERO, .u.bytes = { y + 2 * N, 3 * N } },
	};
	struct rk_list *l;
	int good = 1;

	live[RK_LIVE_TOKENS] = ROWS, live[RK_LIVE_SEQS] = 3, live[RK_LIVE_ROWS] = 4, live[RK_LIVE_SLOTS] = 0;
	for (int i = 0; i < ROWS * N; i++)
		x[i] = y[i] = (float)i;
	l = rk_list_create(rk, calls, 5, live);
	good = rk_list_run(l) == RK_OK;
	/* x rows 5 0 8 2 doubled; y rows 0..3 gathered plus x rows 0..3 as they are then; the rest as it was */
	for (int r = 0; r < ROWS; r++)
		for (int i = 0; i < N; i++) {
			const int twice = r == 5 || r == 0 || r == 8 || r == 2;
			float here = (float)(r * N + i), want = here;

			good &= x[r * N + i] == here * (1 + twice);
			if (r < 4)
				want = (float)(index[r] * N + i) + here * (1 + twice);
			if (r * N + i >= 2 * N && (r * N + i - 2 * N) * 4 < 3 * N - 3)
				want = 0;
			if ((r * N + i - 2 * N) * 4 != 3 * N - 3)       /* the float that the zeroed bytes end in */
				good &= y[r * N + i] == want;
		}
	for (int b = 0; b < 3; b++)
		for (int i = 0; i < N; i++) {
			float s = 0;

			for (int r = 0; r < count[b]; r++)
				s += x[(first[b] + r) * N + i];
			good &= fabsf(mean[b * N + i] - s / (count[b] + !count[b])) <= 1e-6f * fabsf(s);
		}
	ok(good, "%s: gather, scatter, add, zero and mean over a sequence", levels[level]);
	rk_list_destroy(l);
	rk_free(rk, x, 0), rk_free(rk, y, 0), rk_free(rk, mean, 0);
	rk_close(rk);
}

/* 4. Alone and in company */

enum { HID = 128, HEADS = 2, FFN = 200, ALONE = 133 };

/* A layer: linear to qkv, attention, linear, norm; on rows of x, lens of sequences, from the same random weights. */
struct layer { int rows, seqs, hold; int32_t offsets[8], live[RK_NLIVE]; float *x, *qkv, *o, *h, *y; uint64_t *key; };

static void
layer_init(struct layer *s, struct rk *rk, const int *lens, int hold)
{
	*s = (struct layer){ .hold = hold };
	for (; lens[s->seqs] > 0; s->seqs++)
		s->offsets[s->seqs + 1] = s->rows += lens[s->seqs];
	for (int i = 0; i < RK_NLIVE; i++)
		s->live[i] = s->rows;
	s->live[RK_LIVE_SEQS] = s->seqs;
	s->x = rk_alloc(rk, 4 * (size_t)hold * HID);
	s->qkv = rk_alloc(rk, 4 * (size_t)hold * 3 * HID);
	s->o = rk_alloc(rk, 4 * (size_t)hold * HID);
	s->h = rk_alloc(rk, 4 * (size_t)hold * FFN);
	s->y = rk_alloc(rk, 4 * (size_t)hold * HID);
	s->key = rk_alloc(rk, 8 * (size_t)hold);
}

static void
layer_fini(struct layer *s, struct rk *rk)
{
	rk_free(rk, s->x, 0), rk_free(rk, s->qkv, 0), rk_free(rk, s->o, 0), rk_free(rk, s->h, 0), rk_free(rk, s->y, 0);
	rk_free(rk, s->key, 0);
}

static struct rk_weight
weight(struct rk *rk, const float *w, int n, int k, enum rk_precision p)
{
	return (struct rk_weight){ w, rk_alloc(rk, rk_pack_size(rk, n, k, p, 0)), NULL, n, k, p, 0 };
}

static int
layer_run(struct layer *s, struct rk *rk, const float *w, enum rk_precision p)
{
	const struct rk_dropout drop = { p == RK_INT8 ? 0 : 0.2f, 3, s->key };
	struct rk_weight in = weight(rk, w, 3 * HID, HID, p), up = weight(rk, w, FFN, HID, p),
			 down = weight(rk, w, HID, FFN, p);
	struct rk_call calls[] = {
	    {.op = RK_PACK, .u.pack.w = in},
	    {.op = RK_PACK, .u.pack.w = up},
	    {.op = RK_PACK, .u.pack.w = down},
	    {.op = RK_LINEAR, .u.linear = {.cap = s->hold, .w = in, .x = s->x, .bias = w, .y = s->qkv}},
	    {.op = RK_ATTENTION,
		.u.attention = {.heads = HEADS,
		    .dim = HID / HEADS,
		    .cap = s->hold,
		    .cap_seqs = 8,
		    .max_len = s->hold,
		    .offsets = s->offsets,
		    .qkv = s->qkv,
		    .drop = drop,
		    .o = s->o,
		    .precision = p}},
	    {.op = RK_LINEAR, .u.linear = {.cap = s->hold, .w = up, .x = s->o, .bias = w, .act = RK_GELU, .y = s->h}},
	    {.op = RK_LINEAR, .u.linear = {.cap = s->hold, .w = down, .x = s->h, .y = s->y}},
	    {.op = RK_NORM,
		.u.norm = {.cap = s->hold,
		    .hidden = HID,
		    .x = s->y,
		    .bias = w,
		    .residual = s->o,
		    .gamma = w + 50,
		    .beta = w + 90,
		    .eps = 1e-12f,
		    .drop = drop,
		    .y = s->y}},
	};
	struct rk_list *l = rk_list_create(rk, calls, sizeof(calls) / sizeof(*calls), s->live);
	int good = l != NULL && rk_list_run(l) == RK_OK;

	rk_list_destroy(l);
	rk_free(rk, in.fwd, 0), rk_free(rk, up.fwd, 0), rk_free(rk, down.fwd, 0);
	return good;
}

static void
company(int level, enum rk_precision p)
{
	static const int one[] = { ALONE, 0 }, many[] = { 7, 260, ALONE, 1, 31, 0 };
	const int at = 267;
	struct rk *rk = open_level(level);
	float *w = rk_alloc(rk, 4 * 3 * HID * (FFN + HID));
	struct layer a, b;

	layer_init(&a, rk, one, ALONE);
	layer_init(&b, rk, many, 432);
	for (int i = 0; i < 3 * HID * (FFN + HID); i++)
		w[i] = (float)p_uniform() / 8;
	for (int i = 0; i < b.rows * HID; i++)
		b.x[i] = (float)p_uniform();
	for (int i = 0; i < b.rows; i++)
		b.key[i] = p_bits();
	memcpy(a.x, b.x + at * HID, 4 * ALONE * HID);
	memcpy(a.key, b.key + at, 8 * ALONE);
	ok(layer_run(&a, rk, w, p) && layer_run(&b, rk, w, p) && memcmp(a.y, b.y + at * HID, 4 * ALONE * HID) == 0,
	    "%s, precision %d: a sequence alone and among others has the same bits", levels[level], p);
	layer_fini(&a, rk);
	layer_fini(&b, rk);
	rk_free(rk, w, 0);
	rk_close(rk);
}

/* 5. Rows past the live ones: poisoned before, poisoned after, and nothing else so */

/* Inputs are poisoned by NaN, so that a row read shows; outputs by a number, so that a row written shows. */
static const float poison = 7e7f;

static int
is_poison(const float *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != poison)
			return 0;
	return 1;
}

static int
is_clean(const float *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(p[i]))
			return 0;
	return 1;
}

static void
poison_forward(int level, enum rk_precision p)
{
	static const int lens[] = { 40, 3, 58, 0 };
	enum { LIVE = 101, HOLD = 140 };
	struct rk *rk = open_level(level);
	float *w = rk_alloc(rk, 4 * 3 * HID * (FFN + HID));
	struct layer s;
	int good;

	layer_init(&s, rk, lens, HOLD);
	for (int i = 0; i < 3 * HID * (FFN + HID); i++)
		w[i] = (float)p_uniform() / 8;
	for (int i = 0; i < HOLD * HID; i++)
		s.x[i] = i < LIVE * HID ? (float)p_uniform() : NAN;
	for (int i = LIVE; i < HOLD; i++) {
		for (int j = 0; j < 3 * HID; j++)
			s.qkv[i * 3 * HID + j] = poison;
		for (int j = 0; j < FFN; j++)
			s.h[i * FFN + j] = poison;
		for (int j = 0; j < HID; j++)
			s.o[i * HID + j] = s.y[i * HID + j] = poison;
	}
	good = layer_run(&s, rk, w, p) && is_clean(s.y, LIVE * HID) && is_clean(s.qkv, LIVE * 3 * HID);
	ok(good && is_poison(s.qkv + LIVE * 3 * HID, (HOLD - LIVE) * 3 * HID) &&
		is_poison(s.o + LIVE * HID, (HOLD - LIVE) * HID) && is_poison(s.h + LIVE * FFN, (HOLD - LIVE) * FFN) &&
		is_poison(s.y + LIVE * HID, (HOLD - LIVE) * HID),
	    "%s, precision %d: rows past the live ones are neither read nor written", levels[level], p);
	layer_fini(&s, rk);
	rk_free(rk, w, 0);
	rk_close(rk);
}

/* A problem with fewer live rows than it has room for: every buffer of rows is poisoned past them and must stay so. */
static void
poison_backward(int level, struct problem *s, int lived)
{
	double *out[P_BUFS];
	int good = 1;

	for (int i = 0; i < RK_NLIVE; i++)
		if (s->op != RK_ATTENTION || i != RK_LIVE_SEQS)
			s->live[i] = lived;
	for (int i = 0; i < s->nbuf; i++) {
		struct buf *b = &s->buf[i];
		const int output = b->by >= 0 || b->of >= 0 || (b->n > 0 && b->v[0] == 0);

		for (size_t j = b->n / s->rows * lived; b->rows && j < b->n; j++)
			b->v[j] = output ? poison : NAN;
	}
	setenv("RILL_CPU", levels[level], 1);
	if (!p_run(s, "cpu", 2, 0, out))
		exit(1);
	for (int i = 0; i < s->nbuf; i++)
		for (size_t j = 0; j < s->buf[i].n; j++) {
			const int past = s->buf[i].rows && j >= s->buf[i].n / s->rows * lived;
			const double was = s->buf[i].v[j], is = out[i][j];

			if (past ? is != was && !(isnan(is) && isnan(was)) : isnan(is) || is == poison) {
				diag("%s[%zu] = %g", s->buf[i].name, j, out[i][j]);
				good = 0;
				break;
			}
		}
	ok(good, "%s: gradients of %s with %d live rows touch no others", levels[level], s->name, lived);
	p_drop(s, out);
	p_free(s);
}

static void
poisons(int level)
{
	static const int lens[] = { 61, 30, 40, 0 };
	struct problem s;

	for (int p = RK_FP32; p <= RK_BF16; p++) {
		p_linear(&s, 131, 70, 45, RK_GELU, 1);
		s.precision = p;
		poison_backward(level, &s, 91);
		p_attention(&s, lens, 2, 33, 0.1f);
		s.precision = p;
		s.seqs = 3;
		s.live[RK_LIVE_SEQS] = 2;
		poison_backward(level, &s, 91);
	}
	p_norm(&s, 131, 50, 1, 1, 0.1f, 1e-5f);
	poison_backward(level, &s, 91);
	p_embed(&s, 131, 50, 0.1f);
	poison_backward(level, &s, 91);
	p_cross_entropy(&s, 131, 39, 0.1f);
	poison_backward(level, &s, 91);
}

int
main(void)
{
	opening();
	refusing();
	rounding();
	for (int i = 0; i < LEVELS; i++) {
		if (!p_level(levels[i]))
			continue;
		adam(i);
		rows(i);
		for (int p = RK_FP32; p <= RK_INT8; p++) {
			company(i, p);
			poison_forward(i, p);
		}
		poisons(i);
	}
	return done();
}
