/*
 * unit_kernels_levels.c: every level of "cpu" that this processor has, in every precision, against "ref64"; and what no
 * level may let slip: results that depend on threads, on neighbours in the batch, or on rows past the live ones.
 */
#include "kernel_maps.h"

static const char *const levels[] = { "avx512bf16", "avx512", "avx2", "plain" };
static const char *const precisions[] = { "fp32", "bf16", "int8" };
static const double bounds[] = { 1e-5, 1e-2, 3e-2 };

/* Relative distance of two vectors in the 2-norm. */
static double
distance(const double *a, const double *b, size_t n)
{
	double d = 0, s = 0;

	for (size_t i = 0; i < n; i++) {
		d += (a[i] - b[i]) * (a[i] - b[i]);
		s += b[i] * b[i];
	}
	return sqrt(d / fmax(s, 1e-20));
}

/* One problem on every level against ref64; the reference always computes in fp64. */
static void
check(struct problem *s)
{
	const enum rk_precision precision = s->precision;
	/* rounding to bf16 takes values near 0 across the kink of ReLU, and with them whole elements of the gradient */
	const double bound = precision == RK_BF16 && s->op == RK_LINEAR && s->act == RK_RELU ? 6e-2 : bounds[precision];
	double *want[P_BUFS], *got[P_BUFS];

	s->precision = RK_FP32;
	if (!p_run(s, "ref64", 1, precision == RK_INT8, want))
		exit(1);
	s->precision = precision;
	for (size_t l = 0; l < sizeof(levels) / sizeof(*levels); l++) {
		double off = 0;
		int done;

		if (!p_level(levels[l]))
			continue;
		if ((done = p_run(s, "cpu", 2, s->precision == RK_INT8, got)) != 0)
			for (int i = 0; i < s->nbuf; i++) {
				double d = distance(got[i], want[i], s->buf[i].n);

				if (!(d <= bound))
					diag("%s: %.2e", s->buf[i].name, d);
				off = d > off || d != d ? d : off;
			}
		ok(done && off <= bound, "%s, %s, %s: within %.1e of ref64", levels[l], s->name,
		    precisions[s->precision], off);
		p_drop(s, got);
	}
	p_drop(s, want);
}

/* Threads 1, 2, 3 and 5: the same bits. */
static void
check_threads(struct problem *s)
{
	static const int threads[] = { 1, 2, 3, 5 };
	double *want[P_BUFS], *got[P_BUFS];
	int same = 1;

	for (size_t l = 0; l < sizeof(levels) / sizeof(*levels); l++) {
		if (!p_level(levels[l]))
			continue;
		for (size_t t = 0; t < 4; t++) {
			if (!p_run(s, "cpu", threads[t], s->precision == RK_INT8, t == 0 ? want : got))
				exit(1);
			for (int i = 0; t > 0 && i < s->nbuf; i++)
				if (memcmp(got[i], want[i], s->buf[i].n * sizeof(double)) != 0) {
					diag("%s: %s differs with %d threads", levels[l], s->buf[i].name, threads[t]);
					same = 0;
				}
			if (t > 0)
				p_drop(s, got);
		}
		p_drop(s, want);
	}
	ok(same, "%s, %s: the same bits from 1, 2, 3 and 5 threads", s->name, precisions[s->precision]);
}

static void
each(struct problem *s, int lowest)
{
	for (int p = RK_FP32; p <= lowest; p++) {
		s->precision = p;
		check(s);
		check_threads(s);
	}
	p_free(s);
}

/* make check-quick takes every second problem. */
static int
stride(void)
{
	const char *test = getenv("RNA_TEST");

	return test != NULL && strcmp(test, "quick") == 0 ? 2 : 1;
}

static void
linears(void)
{
	static const int shapes[][3] = {
	    {1, 1, 1}, {5, 39, 7}, {97, 128, 128}, {203, 65, 131}, {700, 130, 801}, {64, 39, 320},
	    {1100, 1008, 12}, {1100, 1008, 3}, {13, 512, 128}};         /* two whose y is written past the caches */
	struct problem s;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i += stride()) {
		p_linear(&s, shapes[i][0], shapes[i][1], shapes[i][2], (enum rk_act)(i % 5), i % 3 != 1);
		s.accumulate = i % 2;
		each(&s, RK_INT8);
	}
}

static void
others(void)
{
	static const int lens[][8] = { { 1, 0 }, { 17, 3, 64, 1, 0 }, { 128, 100, 97, 0 }, { 193, 500, 2, 0 } };
	static const int segments[] = { 300, 0, 1, 17, 40, -1 };
	static const int dims[][2] = { { 1, 64 }, { 2, 64 }, { 3, 20 }, { 1, 72 } };
	struct problem s;

	for (int i = 0; i < 8; i += stride()) {
		p_norm(&s, 1 + 45 * i, i & 1 ? 128 : 77, i & 1, i >> 1 & 1, i & 4 ? 0.1f : 0, i & 1 ? 1e-12f : 1e-5f);
		each(&s, RK_FP32);
	}
	for (int i = 0; i < 2; i++) {
		p_embed(&s, 700, i ? 128 : 75, i ? 0.1f : 0);
		each(&s, RK_FP32);
		p_cross_entropy(&s, 111, i ? 39 : 28, i ? 0.1f : 0);
		each(&s, RK_FP32);
	}
	for (int i = 0; i < 3; i++) {
		p_segments(&s, segments, i == 2 ? 1 : i ? 75 : 128, i == 1, i == 2);
		each(&s, RK_FP32);
	}
	for (int i = stride() - 1; i < 4; i += stride())
		for (int j = 0; j < 2; j++) {
			p_attention(&s, lens[i], dims[i][0], dims[i][1], j ? 0.1f : 0);
			each(&s, RK_BF16);
		}
}

static void
maps(void)
{
	static const int lens[][4] = { { 7, 1, 130, 0 }, { 3, 200, 0 }, { 515, 66, 0 } }, sides[] = { 9, 1, 101, 0 };
	static const int channels[][3] = { { 64, 64, 3 }, { 32, 12, 12 }, { 64, 192, 5 }, { 20, 70, 3 } };
	static const enum rk_act acts[] = { RK_CELU, RK_NONE, RK_RELU };
	struct problem s;

	for (int i = 0; i < 8; i += stride()) {
		const int *c = channels[i % 4];

		m_conv(&s, i & 4 ? sides : lens[i % 3], c[0], i & 4 ? c[0] : c[1], i & 4 ? c[2] | 1 : c[2], acts[i % 3],
		    i % 3 != 1, i == 4 || i == 7, i == 1 || i == 5);
		if (s.width % 2 == 1 || s.images) {
			s.accumulate = i & 1;
			each(&s, RK_FP32);
		} else {
			p_free(&s);
		}
		m_group(&s, i & 1 ? sides : lens[i % 3], i & 2 ? 64 : 20, acts[i % 3], i & 2, i & 4 ? 0.5f : 0,
		    i == 6, i & 1);
		each(&s, RK_FP32);
	}
	for (int i = 1; i <= 2; i++) {
		m_lstm(&s, lens[i], i == 1 ? 32 : 19, i);
		each(&s, RK_FP32);
		m_pair(&s, sides, i == 1 ? 64 : 6, i, i == 1, 0);
		each(&s, RK_FP32);
		m_pair(&s, sides, 6, i, i == 2, 1);
		each(&s, RK_FP32);
		m_columns(&s, 60, 70, i - 1);
		each(&s, RK_FP32);
	}
	m_pool(&s, lens[0], 50);
	each(&s, RK_FP32);
	m_turn(&s, 3, 27, 50);
	each(&s, RK_FP32);
	m_lookup(&s, 230, 6, 64);
	each(&s, RK_FP32);
}

int
main(void)
{
	linears();
	others();
	maps();
	return done();
}
