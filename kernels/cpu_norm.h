/*
 * cpu_norm.h: RK_NORM and its gradient: a row at a time; column sums over fixed blocks of rows, then over blocks in
 * order.
 */
#ifndef CPU_NORM_H
#define CPU_NORM_H

#include "simd.h"

enum { NORM_ROWS = 32, NORM_SUMS = 3 };         /* rows of a partial sum; dgamma, dbeta, dbias */

/* y = (z - mean) / std * gamma + beta; the two moments of the row are returned in stats. */
INLINE void
normalize(const float *z, int n, float eps, const float *gamma, const float *beta, float *stats, float *y)
{
	vf sum = vf_zero(), square = sum, mean, rstd;

	for (int i = 0; i < n; i += VL)
		sum += vf_load_tail(z + i, n - i);
	stats[0] = vf_sum(sum) / n;
	mean = vf_set1(stats[0]);
	for (int i = 0; i < n; i += VL) {
		vf d = vf_load_tail(z + i, n - i) - mean;

		if (n - i < VL)
			d = vf_fill_tail(d, n - i, 0);
		square = vf_fma(d, d, square);
	}
	stats[1] = 1 / sqrtf(vf_sum(square) / n + eps);
	rstd = vf_set1(stats[1]);
	for (int i = 0; i < n; i += VL) {
		vf v = (vf_load_tail(z + i, n - i) - mean) * rstd;

		vf_store_tail(y + i, vf_fma(v, vf_load_tail(gamma + i, n - i), vf_load_tail(beta + i, n - i)), n - i);
	}
}

static void
norm_row(const struct rk_norm *o, const struct drop *drop, size_t r)
{
	const int n = o->hidden;
	const float *x = (const float *)o->x + r * n, *bias = o->bias;
	const float *res = o->residual != NULL ? (const float *)o->residual + r * n : NULL;
	float *y = (float *)o->y + r * n, *z = o->z != NULL ? (float *)o->z + r * n : y, stats[2];

	for (int i = 0; i < n; i += VL) {
		const int left = n - i;
		vf v = vf_load_tail(x + i, left);

		if (bias != NULL)
			v += vf_load_tail(bias + i, left);
		if (drop->thr != 0)
			v *= drop_factors(drop, o->drop.row_key[r], i);
		if (res != NULL)
			v += vf_load_tail(res + i, left);
		vf_store_tail(z + i, v, left);
	}
	normalize(z, n, o->eps, o->gamma, o->beta, o->stats != NULL ? (float *)o->stats + 2 * r : stats, y);
}

static void
cpu_norm(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_norm *o = &c->u.norm;
	const struct drop drop = drop_init(&o->drop, 0);
	const int rows = e->live[o->rows];

#pragma omp for schedule(dynamic, 16)
	for (int r = 0; r < rows; r++)
		norm_row(o, &drop, r);
}

/* Means over a row of dy gamma and of dy gamma zhat. */
INLINE void
norm_means(const float *z, const float *dy, const float *gamma, const float *stats, int n, float *a, float *b)
{
	const vf mean = vf_set1(stats[0]), rstd = vf_set1(stats[1]);
	vf sa = vf_zero(), sb = sa;

	for (int i = 0; i < n; i += VL) {
		vf g = vf_load_tail(dy + i, n - i) * vf_load_tail(gamma + i, n - i);

		sa += g;
		sb = vf_fma(g, (vf_load_tail(z + i, n - i) - mean) * rstd, sb);
	}
	*a = vf_sum(sa) / n;
	*b = vf_sum(sb) / n;
}

/* One row's dx and dresidual, and its share of the block's column sums [NORM_SUMS][n up to VL]. */
static void
norm_back_row(const struct rk_norm *o, const struct drop *drop, size_t r, float *sums)
{
	const int n = o->hidden, wide = padded(n, VL);
	const float *z = (const float *)o->z + r * n, *dy = (const float *)o->dy + r * n, *gamma = o->gamma;
	const float *stats = (const float *)o->stats + 2 * r;
	const vf mean = vf_set1(stats[0]), rstd = vf_set1(stats[1]);
	float *dx = (float *)o->dx + r * n, *dres = o->dresidual != NULL ? (float *)o->dresidual + r * n : NULL, a, b;

	norm_means(z, dy, gamma, stats, n, &a, &b);
	for (int i = 0; i < n; i += VL) {
		const int left = n - i;
		vf zhat = (vf_load_tail(z + i, left) - mean) * rstd, g = vf_load_tail(dy + i, left);
		vf d = (vf_fma(g, vf_load_tail(gamma + i, left), vf_set1(-a)) - zhat * b) * rstd;

		vf_store(sums + i, vf_fma(g, zhat, vf_load(sums + i)));
		vf_store(sums + wide + i, vf_load(sums + wide + i) + g);
		if (dres != NULL)
			vf_store_tail(dres + i, d, left);
		if (drop->thr != 0)
			d *= drop_factors(drop, o->drop.row_key[r], i);
		vf_store_tail(dx + i, d, left);
		if (o->dbias != NULL)
			vf_store(sums + 2 * wide + i, vf_load(sums + 2 * wide + i) + d);
	}
}

static void
cpu_norm_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_norm *o = &c->u.norm;
	const struct drop drop = drop_init(&o->drop, 0);
	const int n = o->hidden, wide = padded(n, VL), rows = e->live[o->rows], nblocks = blocks(rows, NORM_ROWS);
	float *const out[NORM_SUMS] = { o->dgamma, o->dbeta, o->dbias };
	float *sums = e->shared;

#pragma omp for schedule(dynamic)
	for (int b = 0; b < nblocks; b++) {
		float *part = sums + (size_t)b * NORM_SUMS * wide;

		memset(part, 0, sizeof(float) * NORM_SUMS * wide);
		for (int r = b * NORM_ROWS; r < least(rows, (b + 1) * NORM_ROWS); r++)
			norm_back_row(o, &drop, r, part);
	}
#pragma omp for schedule(static)
	for (int i = 0; i < NORM_SUMS * wide; i += VL) {
		float *to = out[i / wide];
		const int left = n - i % wide;
		vf s;

		if (to == NULL)
			continue;
		s = vf_load_tail(to + i % wide, left);
		for (int b = 0; b < nblocks; b++)
			s += vf_load(sums + (size_t)b * NORM_SUMS * wide + i);
		vf_store_tail(to + i % wide, s, left);
	}
}

static struct rk_need
norm_back_need(const struct rk_norm *o)
{
	return (struct rk_need){
	    sizeof(float) * NORM_SUMS * padded(o->hidden, VL) * (size_t)blocks(o->cap, NORM_ROWS), 0};
}

#endif
