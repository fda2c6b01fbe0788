/*
 * unit_kernels_gradients.c: the gradient of every op of "ref64" against central differences of its forward pass.
 */
#include "kernel_maps.h"

static double worst;

/* Sum of the outputs, each weighted by its cotangent. */
static double
objective(struct problem *s)
{
	double *out[P_BUFS], sum = 0;

	if (!p_run(s, "ref64", 1, 1, out))
		exit(1);
	for (int i = 0; i < s->nbuf; i++)
		for (size_t j = 0; s->buf[i].by >= 0 && j < s->buf[i].n; j++)
			sum += out[i][j] * s->buf[s->buf[i].by].v[j];
	p_drop(s, out);
	return sum;
}

/* Largest difference of a gradient buffer from the differences, over the largest entry; up to 200 entries are tried. */
static double
compare(struct problem *s, int grad, const double *got)
{
	struct buf *x = &s->buf[s->buf[grad].of];
	const int fresh = (s->buf[grad].fresh && !s->accumulate) || s->op == RK_CROSS_ENTROPY ||
	                  s->op == RK_ATTENTION ||
	                  (s->op == RK_LINEAR && grad == L_DX && !s->accumulate) ||
	                  (s->op == RK_NORM && (grad == N_DX || grad == N_DRES));
	const size_t step = x->n / 200 + 1;
	double top = 0, off = 0;

	for (size_t i = 0; i < x->n; i += step) {
		const double h = 1e-5, keep = x->v[i], have = got[i] - (fresh ? 0 : s->buf[grad].v[i]);
		double up, down;

		x->v[i] = keep + h;
		up = objective(s);
		x->v[i] = keep - h;
		down = objective(s);
		x->v[i] = keep;
		off = fmax(off, fabs((up - down) / (2 * h) - have));
		top = fmax(top, fabs(have));
	}
	return off / fmax(top, 1e-3);
}

static void
check(struct problem *s)
{
	double *out[P_BUFS], off = 0;

	if (!p_run(s, "ref64", 1, 0, out))
		exit(1);
	for (int i = 0; i < s->nbuf; i++)
		if (s->buf[i].of >= 0 && s->buf[i].n > 0) {
			double d = compare(s, i, out[i]);

			if (!(d <= 1e-6))
				diag("%s: %.2e", s->buf[i].name, d);
			off = d > off || d != d ? d : off;
		}
	worst = fmax(worst, off);
	ok(off <= 1e-6, "%s: gradients to %.1e", s->name, off);
	p_drop(s, out);
	p_free(s);
}

/* The ops over channels, steps and maps. */
static void
maps(void)
{
	static const int lens[] = { 7, 1, 12, 0 }, sides[] = { 5, 1, 6, 0 };
	static const enum rk_act acts[] = { RK_NONE, RK_CELU, RK_RELU, RK_TANH };
	struct problem s;

	for (int i = 0; i < 8; i++) {
		m_conv(&s, i & 4 ? sides : lens, 5, 3, i & 1 ? 3 : 5, acts[i % 4], i % 3 != 0, i >> 2, i == 1);
		s.accumulate = i & 1;
		check(&s);
	}
	for (int i = 0; i < 8; i++) {
		m_group(&s, i & 1 ? sides : lens, 6, acts[i % 3], i & 2, i & 4 ? 0.3f : 0, i == 6, i & 1);
		check(&s);
	}
	for (int i = 1; i <= 2; i++) {
		m_lstm(&s, lens, 5, i);
		check(&s);
		m_pair(&s, sides, 6, i, i == 1, 0);
		check(&s);
		m_pair(&s, sides, 6, i, i == 2, 1);
		check(&s);
		m_columns(&s, 6, 7, i - 1);
		check(&s);
	}
	m_pool(&s, lens, 5);
	check(&s);
	m_turn(&s, 3, 4, 5);
	check(&s);
	m_lookup(&s, 23, 6, 7);
	check(&s);
}

int
main(void)
{
	static const int lens[] = { 7, 1, 12, 0 }, segments[] = { 5, 0, 1, 23, -1 };
	struct problem s;

	for (int act = RK_NONE; act <= RK_CELU; act++)
		for (int bias = 0; bias < 2; bias++) {
			p_linear(&s, 5, 7, 9, act, bias);
			s.accumulate = bias;
			check(&s);
		}
	for (int i = 0; i < 8; i++) {
		p_norm(&s, 6, 13, i & 1, i >> 1 & 1, i & 4 ? 0.3f : 0, i & 1 ? 1e-12f : 1e-5f);
		check(&s);
	}
	for (int i = 0; i < 3; i++) {
		p_segments(&s, segments, i == 2 ? 1 : 11, i == 1, i == 2);
		check(&s);
	}
	for (int i = 0; i < 2; i++) {
		p_embed(&s, 17, 11, i ? 0.25f : 0);
		check(&s);
		p_attention(&s, lens, 3, 5, i ? 0.2f : 0);
		check(&s);
		p_cross_entropy(&s, 11, 39, i ? 0.1f : 0);
		check(&s);
	}
	maps();
	diag("largest relative error %.2e", worst);
	return done();
}
