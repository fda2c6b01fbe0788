/*
 * simd.h: what the kernels use beside the vectors of their level: tails, elementary functions, dropout, transposition.
 * Included after one of simd_avx512.h, simd_avx2.h, simd_plain.h.
 */
#ifndef SIMD_MORE_H
#define SIMD_MORE_H

#include <math.h>
#include <string.h>

#include "rk_backend.h"

static inline int least(int a, int b) { return a < b ? a : b; }
static inline int most(int a, int b) { return a > b ? a : b; }
static inline int blocks(int n, int of) { return (n + of - 1) / of; }
static inline int padded(int n, int to) { return blocks(n, to) * to; }

/* Lanes 0 .. left-1 of a row's tail; all of them when left >= VL. */
INLINE vf vf_load_tail(const float *p, int left) { return left >= VL ? vf_load(p) : vf_load_some(p, left); }

INLINE void
vf_store_tail(float *p, vf x, int left)
{
	if (left >= VL)
		vf_store(p, x);
	else
		vf_store_some(p, x, left);
}

INLINE vf vf_zero(void) { return (vf){ 0 }; }
INLINE vf vf_and(vf a, vi mask) { return (vf)((vi)a & mask); }

INLINE vu
vu_set1(uint32_t x)
{
	return (vu){ 0 } + x;
}

/* 0, 1, 2 ... plus base. */
INLINE vu
vu_count(uint32_t base)
{
	vu v = { 0 };

	for (int i = 0; i < VL; i++)
		v[i] = i;
	return v + base;
}

/* x where lane < n, else fill. */
INLINE vf
vf_fill_tail(vf x, int n, float fill)
{
	vi in = (vi)vu_count(0) < n;

	return (vf)(((vi)x & in) | ((vi)vf_set1(fill) & ~in));
}

/* e^x to 1e-7 relative; 0 below e^-87.3, huge but finite above e^88.7; NaN stays NaN. */
INLINE vf
vf_exp(vf x)
{
	vf y = vf_max(vf_set1(-87.3f), vf_min(vf_set1(88.72f), x));
	vf n = vf_round(y * 1.44269504f);
	vf f = vf_fma(n, vf_set1(-0.693359375f), y), q;

	f = vf_fma(n, vf_set1(2.12194440e-4f), f);
	q = vf_fma(vf_set1(0.00138131424f), f, vf_set1(0.00836941904f));
	q = vf_fma(q, f, vf_set1(0.0416684568f));
	q = vf_fma(q, f, vf_set1(0.166665148f));
	q = vf_fma(q, f, vf_set1(0.499999931f));
	q = vf_fma(q * f, f, f) + 1.0f;
	q = (vf)((vi)q + (vi_round(n) << 23));
	return vf_and(q, ~(x < vf_set1(-87.3f)));
}

/* 2^x to 1e-7 relative for x below 127; 2^-126 for whatever is below that; NaN stays NaN. */
INLINE vf
vf_exp2(vf x)
{
	vf y = vf_max(vf_set1(-126.0f), x), n = vf_round(y), f = y - n, q;

	q = vf_fma(vf_set1(0.000153533605f), f, vf_set1(0.0013398875f));
	q = vf_fma(q, f, vf_set1(0.00961843692f));
	q = vf_fma(q, f, vf_set1(0.0555033237f));
	q = vf_fma(q, f, vf_set1(0.240226477f));
	q = vf_fma(q, f, vf_set1(0.693147182f));
	return vf_scale(vf_fma(q, f, vf_set1(1.0f)), n);
}

/* Near zero a polynomial in x^2, further out 1 - exp(polynomial); absolute error below 1e-7. */
INLINE vf
vf_erf(vf x)
{
	vf s = x * x, t = vf_min(vf_set1(4.0f), (vf)((vi)x & 0x7fffffff)), p, q;
	vi near = t < vf_set1(1.0f), sign = (vi)x & (vi)vu_set1(0x80000000u);

	p = vf_fma(vf_set1(7.85385769e-05f), s, vf_set1(-0.000801019252f));
	p = vf_fma(p, s, vf_set1(0.00518832756f));
	p = vf_fma(p, s, vf_set1(-0.0268538119f));
	p = vf_fma(p, s, vf_set1(0.112835851f));
	p = vf_fma(p, s, vf_set1(-0.376126258f));
	p = vf_fma(p, s, vf_set1(1.12837917f)) * x;
	q = vf_fma(vf_set1(0.000191505033f), t, vf_set1(-0.00299954905f));
	q = vf_fma(q, t, vf_set1(0.0220520291f));
	q = vf_fma(q, t, vf_set1(-0.103566955f));
	q = vf_fma(q, t, vf_set1(-0.637599971f));
	q = vf_fma(q, t, vf_set1(-1.12742613f));
	q = 1.0f - vf_exp(vf_fma(q, t, vf_set1(-0.000256436639f)));
	q = (vf)((vi)q | sign);
	return (vf)(((vi)p & near) | ((vi)q & ~near));
}

INLINE vf vf_normal_cdf(vf x) { return vf_erf(x * 0.707106781f) * 0.5f + 0.5f; }

INLINE vf
vf_tanh(vf x)
{
	vf s = x * x, p, q = 1.0f - 2.0f / (vf_exp(vf_min(vf_set1(40.0f), (vf)((vi)x & 0x7fffffff)) * 2.0f) + 1.0f);
	vi near = s < vf_set1(0.390625f), sign = (vi)x & (vi)vu_set1(0x80000000u);

	p = vf_fma(vf_set1(-0.00571703655f), s, vf_set1(0.020650579f));
	p = vf_fma(p, s, vf_set1(-0.0537434953f));
	p = vf_fma(p, s, vf_set1(0.133314912f));
	p = vf_fma(p, s, vf_set1(-0.333332839f));
	p = vf_fma(p * s, x, x);
	return (vf)(((vi)p & near) | (((vi)q | sign) & ~near));
}

/* e^x - 1 below 0: near zero by its series, so that no digits are lost. */
INLINE vf
vf_celu(vf x)
{
	vf y = vf_min(vf_zero(), x), p;
	vi near = y > vf_set1(-0.25f);

	p = vf_fma(vf_set1(0.00833333333f), y, vf_set1(0.0416666667f));
	p = vf_fma(p, y, vf_set1(0.166666667f));
	p = vf_fma(p, y, vf_set1(0.5f));
	p = vf_fma(p * y, y, y);
	p = (vf)(((vi)p & near) | ((vi)(vf_exp(y) - 1.0f) & ~near));
	return vf_max(vf_zero(), x) + p;
}

/* A dropout site made ready: bits below thr are dropped; thr 0: no dropout. */
struct drop { uint32_t thr, site; float scale; };

static inline struct drop
drop_init(const struct rk_dropout *d, uint32_t head)
{
	struct drop s = { 0, (d->site + head) * 0x9e3779b9u, 1 };

	if (d->p > 0) {
		s.thr = (uint32_t)ceil((double)d->p * 4294967296.0);
		s.scale = 1 / (1 - d->p);
	}
	return s;
}

/* Factors of VL columns from column on: 0 or scale.  The vector form of rk_drop_bits. */
INLINE vf
drop_factors(const struct drop *s, uint64_t key, uint32_t column)
{
	vu h = (vu_count(column) * 0x85ebca6bu ^ ((uint32_t)key ^ s->site)) * 0xcc9e2d51u;

	h ^= h >> 15;
	h = (h ^ (uint32_t)(key >> 32)) * 0x1b873593u;
	h ^= h >> 13;
	h *= 0xc2b2ae35u;
	h ^= h >> 16;
	return vf_and(vf_set1(s->scale), (vi)(h >= vu_set1(s->thr)));
}

/* Turns VL vectors of VL words on their side: log VL rounds of a perfect shuffle. */
INLINE void
vf_transpose(vf v[VL])
{
	vf t[VL];

#pragma GCC unroll 4
	for (int round = 0; round < LOG_VL; round++) {
#pragma GCC unroll 16
		for (int i = 0; i < VL / 2; i++) {
			t[2 * i] = vf_mix_low(v[i], v[i + VL / 2]);
			t[2 * i + 1] = vf_mix_high(v[i], v[i + VL / 2]);
		}
#pragma GCC unroll 16
		for (int i = 0; i < VL; i++)
			v[i] = t[i];
	}
}

/* The nearest bf16, ties to even, as a float; NaN stays NaN. */
INLINE vf
vf_to_bf16(vf x)
{
	vu u = (vu)x, r = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000u, nan = (vu)(x != x);

	return (vf)((r & ~nan) | ((u | 0x00400000u) & nan & 0xffff0000u));
}

#endif
