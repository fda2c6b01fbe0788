/*
 * unit_kernels_cuda.c: every op of the CUDA backend against "ref64", in fp32 and bf16; two runs, and a run with blocks
 * and threads in the other order, give the same bits.  On a machine without a GPU the kernels' text runs in the
 * emulator (tests/emu); RNA_GPU=1 asks for the GPU.
 *
 * make check takes lengths to 65 and one head, check-deep all lengths of 1 to 512 that meet an edge of a tile.
 */
#include "cuda_device.h"
#include "kernel_maps.h"

enum { QUICK, CHECK, DEEP };

static int effort = CHECK;

/* Relative distance of two vectors in the 2-norm; a reference counts as 0.1 in the mean at least. */
static double
distance(const double *a, const double *b, size_t n)
{
	double d = 0, s = 0;

	for (size_t i = 0; i < n; i++) {
		d += (a[i] - b[i]) * (a[i] - b[i]);
		s += b[i] * b[i];
	}
	return sqrt(d / fmax(s, 0.01 * fmax((double)n, 1)));
}

/* Activations that kernel_maps.h does not lay out by rows. */
static void
mark(struct problem *s)
{
	static const char *const names[] = {"x", "y", "dy", "dx"};

	for (int i = 0; s->make != NULL && i < s->nbuf; i++)
		for (int k = 0; k < 4; k++)
			if (strcmp(s->buf[i].name, names[k]) == 0 && !(s->op == RK_LOOKUP && k != 1 && k != 2))
				s->buf[i].stored = 1;
}

/* Values that bf16 can hold, so that both sides start from the same. */
static void
round_inputs(struct problem *s)
{
	for (int i = 0; i < s->nbuf; i++)
		for (size_t j = 0; (s->buf[i].rows || s->buf[i].stored || (i == L_W && s->op == RK_LINEAR)) &&
				   !s->buf[i].real && j < s->buf[i].n;
		     j++) {
			float f = (float)s->buf[i].v[j];
			uint32_t u;

			memcpy(&u, &f, 4);
			u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000u;
			memcpy(&f, &u, 4);
			s->buf[i].v[j] = f;
		}
}

/* Elements of a buffer that belong to live rows. */
static size_t
live_of(const struct problem *s, const struct buf *b)
{
	return b->rows && s->rows > 0 ? b->n / s->rows * s->live[RK_LIVE_TOKENS] : b->n;
}

/* How far a buffer may be from ref64: fp32, and bf16 by what the output is stored in and the steps before it. */
static double
bound_of(const struct problem *s, const struct buf *b)
{
	if (s->precision == RK_FP32) /* a GPU's tensor cores cut the sums of wide convolutions off, they do not round */
		return s->op == RK_CONV2D && s->n >= 48 && s->classes >= 48 ? 3e-5 : 1e-5;
	if (s->precision == RK_FP8)
		return 5e-3;
	if (s->op == RK_LINEAR && s->act == RK_RELU && (b->of >= 0 || b == &s->buf[L_DY]))
		return 8e-2; /* rounding takes values near 0 across the kink, and whole elements of the gradient with
		                them */
	return s->op == RK_ATTENTION || s->op == RK_LINEAR || b->of >= 0 ? 1e-2 : 4e-3;
}

static const char *
precision_name(enum rk_precision p)
{
	return p == RK_FP8 ? "fp8" : p == RK_BF16 ? "bf16" : "fp32";
}

/* Against ref64 in double, or rounding as RK_FP8 says. */
static void
check(struct problem *s)
{
	static const char *const orders[] = {"forward", "reverse"};
	double *want[P_BUFS], *got[2][P_BUFS], worst = 0;
	const enum rk_precision precision = s->precision;
	int good = 1, same = 1;

	if (precision != RK_FP32)
		round_inputs(s);
	s->precision = precision == RK_FP8 ? RK_FP8 : RK_FP32;
	if (!p_run(s, "ref64", 1, 0, want))
		exit(1);
	s->precision = precision;
	for (int k = 0; k < 2; k++) {
		setenv("EMU_ORDER", orders[k], 1);
		if (!p_run(s, "cuda", 1, 0, got[k])) {
			ok(0, "%s, %s", s->name, precision_name(precision));
			exit(1);
		}
	}
	for (int i = 0; i < s->nbuf; i++) {
		const size_t n = live_of(s, &s->buf[i]);
		const double d = distance(got[0][i], want[i], n);

		if (!(d <= bound_of(s, &s->buf[i]))) {
			diag("%s: %.2e", s->buf[i].name, d);
			good = 0;
		}
		worst = d > worst || d != d ? d : worst;
		same &= n == 0 || memcmp(got[0][i], got[1][i], n * sizeof(double)) == 0;
	}
	ok(good && same, "%s, %s: within %.1e of ref64%s", s->name, precision_name(precision), worst,
	    same ? ", the same bits in another order" : "; OTHER BITS in another order");
	p_drop(s, want);
	p_drop(s, got[0]);
	p_drop(s, got[1]);
}

static void
each(struct problem *s)
{
	mark(s);
	for (int p = RK_FP32; p <= RK_BF16; p++) {
		s->precision = p;
		check(s);
	}
	p_free(s);
}

static void
attentions(void)
{
	static const int few[][8] = {{1, 0}, {17, 2, 16, 1, 0}, {64, 65, 31, 0}, {63, 33, 15, 0}};
	static const int many[][20] = {{127, 128, 129, 0}, {255, 256, 257, 0}, {511, 512, 0},
	    {1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 0}};
	static const int dims[][2] = {{1, 64}, {1, 32}, {1, 20}, {2, 64}};
	struct problem s;

	for (int i = 0; i < (effort == QUICK ? 2 : 4); i++)
		for (int j = 0; j < 2; j++) {
			p_attention(&s, few[i], dims[i][0], dims[i][1], j ? 0.1f : 0);
			each(&s);
			p_attention(&s, few[i], 1, 64, j ? 0.1f : 0);
			each(&s);
		}
	for (int i = 0; effort == DEEP && i < 4; i++)
		for (int j = 0; j < 2; j++) {
			p_attention(&s, many[i], 1, j ? 32 : 64, j ? 0.1f : 0);
			each(&s);
			p_attention(&s, many[i], 2, j ? 33 : 64, j ? 0 : 0.1f);
			each(&s);
		}
}

static void
linears(void)
{
	static const int shapes[][3] = {
	    {1, 1, 1}, {5, 39, 7}, {97, 128, 128}, {203, 65, 131}, {64, 39, 320}, {13, 512, 128}, {300, 300, 40}};
	struct problem s;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		for (int act = RK_NONE; act <= RK_TANH; act++) {
			if (effort == QUICK && (i + act) % 3 != 0)
				continue;
			p_linear(&s, shapes[i][0], shapes[i][1], shapes[i][2], (enum rk_act)act, i % 3 != 1);
			s.accumulate = i % 2;
			if (i == 2) /* rows past the live ones do not count */
				for (int k = 0; k < RK_NLIVE; k++)
					s.live[k] = 61;
			each(&s);
		}
}

static void
rows(void)
{
	static const int widths[] = {77, 128, 320, 768, 1000, 1800};
	struct problem s;

	for (int i = 0; i < 8; i++) {
		p_norm(&s, 1 + 45 * i, widths[i % 6], i & 1, i >> 1 & 1, i & 4 ? 0.1f : 0, i & 1 ? 1e-12f : 1e-5f);
		each(&s);
	}
	for (int i = 0; i < 3; i++) {
		p_embed(&s, i == 2 ? 1500 : 100, i ? 128 : 75, i ? 0.1f : 0);
		each(&s);
		p_cross_entropy(&s, 111, i ? 39 : 28, i ? 0.1f : 0);
		each(&s);
	}
}

/* The ops over segments, channels, steps and maps. */
static void
maps(void)
{
	static const int lens[] = {7, 1, 12, 0}, sides[] = {5, 1, 6, 0}, segments[] = {5, 0, 1, 23, -1};
	static const int tiled[][4] = {{19, 1, 9, 0}, {61, 3, 0}, {8, 16, 17, 0}, {19, 1, 9, 0}, {17, 3, 0},
	    {66, 0}};
	static const int shapes[][3] = {{70, 20, 3}, {5, 18, 5}, {64, 16, 5}, {70, 50, 3}, {64, 64, 5},
	    {70, 50, 3}};
	static const int many[] = {250, 0};
	static const enum rk_act acts[] = {RK_NONE, RK_CELU, RK_RELU, RK_TANH};
	struct problem s;

	for (int i = 0; i < 3; i++) {
		p_segments(&s, segments, i == 2 ? 1 : 11, i == 1, i == 2);
		each(&s);
	}
	for (int i = 0; i < 8; i++) {
		m_conv(&s, i & 4 ? sides : lens, 5, 3, i & 1 ? 3 : 5, acts[i % 4], i % 3 != 0, i >> 2, i == 1);
		s.accumulate = i & 1;
		each(&s);
	}
	/* more than a tile of cells, channels and a line; on tensor cores from 48 channels on */
	for (int i = 0; i < (effort == QUICK ? 4 : effort == CHECK ? 5 : 6); i++) {
		m_conv(&s, tiled[i], shapes[i][0], shapes[i][1], shapes[i][2], acts[i % 2], i != 1, 1, 0);
		s.accumulate = i % 3 == 1;
		each(&s);
	}
	for (int i = 0; i < 8; i++) {
		m_group(&s, i & 1 ? sides : lens, 6, acts[i % 3], i & 2, i & 4 ? 0.3f : 0, i == 6, i & 1);
		each(&s);
	}
	for (int i = 0; i < (effort == QUICK ? 1 : 2); i++) { /* groups of several parts, and of the most there are */
		m_group(&s, i ? many : tiled[1], 9, RK_CELU, 1, 0.3f, 0, 1);
		each(&s);
	}
	for (int i = 0; i < 4; i++) { /* weights in registers, and more of them than that */
		static const int units[] = {32, 63, 64, 70};

		m_lstm(&s, lens, units[i], 1 + i % 2);
		each(&s);
	}
	for (int i = 1; i <= 2; i++) {
		m_lstm(&s, lens, 5, i);
		each(&s);
		m_pair(&s, sides, 6, i, i == 1, 0);
		each(&s);
		m_pair(&s, sides, 6, i, i == 2, 1);
		each(&s);
		m_columns(&s, 6, 7, i - 1);
		each(&s);
	}
	m_pool(&s, lens, 5);
	each(&s);
	m_turn(&s, 3, 4, 5);
	each(&s);
	m_lookup(&s, 23, 6, 7);
	each(&s);
}

/*
 * Products in e4m3: scaled and finished by Hopper's product, and by a kernel where there is no such product; rows of
 * zeros, of the smallest values and of many magnitudes, and matrices that are no multiples of 16, which are bf16.
 */
static void
fp8(const char *gpu)
{
	static const int shapes[][3] = {{1, 16, 16}, {97, 128, 320}, {203, 64, 128}, {64, 39, 320}, {300, 304, 1040}};
	struct problem s;

	setenv("EMU_GPU", gpu, 1);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		for (int act = RK_NONE; act <= RK_TANH; act++) {
			p_linear(&s, shapes[i][0], shapes[i][1], shapes[i][2], (enum rk_act)act, i % 3 != 2);
			s.precision = RK_FP8;
			s.buf[L_PRE].n = 0; /* inference */
			for (int k = 0; i == 1 && k < s.k; k++) {
				s.buf[L_X].v[k] = 0;
				s.buf[L_X].v[s.k + k] *= ldexp(1, -140);
				s.buf[L_X].v[2 * s.k + k] *= ldexp(1, -k % 20);
				s.buf[L_X].v[3 * s.k + k] = k == 5 ? 448 : (k % 29 - 14) / 64.0; /* ties */
				s.buf[L_W].v[s.k + k] *= ldexp(1, -60 - k % 30);
			}
			if (i == 1)
				for (int k = 0; k < RK_NLIVE; k++)
					s.live[k] = 61;
			check(&s);
			p_free(&s);
		}
	unsetenv("EMU_GPU");
}

/* Without epilogues the bias and the activation are a kernel of their own. */
static void
plain_products(void)
{
	struct problem s;

	setenv("EMU_CUBLASLT", "plain", 1);
	for (int act = RK_NONE; act <= RK_TANH; act++) {
		p_linear(&s, 37, 40, 24, (enum rk_act)act, 1);
		each(&s);
	}
	unsetenv("EMU_CUBLASLT");
}

int
main(void)
{
	const char *test = getenv("RNA_TEST");

	effort = test != NULL && strcmp(test, "quick") == 0  ? QUICK
	         : test != NULL && strcmp(test, "deep") == 0 ? DEEP
	                                                     : CHECK;
	if (!cuda_device())
		return done();
	rows();
	linears();
	plain_products();
	fp8("");
	if (getenv("RNA_GPU") == NULL)
		fp8("ada");
	maps();
	attentions();
	return done();
}
