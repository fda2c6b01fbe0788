/*
 * cpu_group.h: RK_GROUP_NORM and its gradient.  A group is cut into chunks of rows; a chunk's moments, or its column
 * sums, are put together in order, so the partition is the group's own and threads don't matter.
 */
#ifndef CPU_GROUP_H
#define CPU_GROUP_H

#include "cpu_linear.h"
#include "cpu_norm.h"

enum { GROUP_ROWS = 128 };      /* of a chunk */

/* Chunks before group g, at most: where its partial results lie. */
static inline size_t
group_chunk(const struct rk_group_norm *o, int g)
{
	return (size_t)o->first[g] / GROUP_ROWS + (size_t)g;
}

/* Sum, and sum of squares about the mean, of n floats. */
static void
moments(const float *x, size_t n, double m[2])
{
	vf sum = vf_zero(), square = sum, mean;

	for (size_t i = 0; i < n; i += VL)
		sum += vf_load_tail(x + i, n - i < VL ? (int)(n - i) : VL);
	m[0] = vf_sum(sum);
	mean = vf_set1((float)(m[0] / (double)n));
	for (size_t i = 0; i < n; i += VL) {
		const int left = n - i < VL ? (int)(n - i) : VL;
		vf d = vf_load_tail(x + i, left) - mean;

		if (left < VL)
			d = vf_fill_tail(d, left, 0);
		square = vf_fma(d, d, square);
	}
	m[1] = vf_sum(square);
}

/* Mean and 1/std of a group of n floats from its chunks. */
static void
group_stats(const double *m, size_t n, size_t chunk, float eps, float *stats)
{
	const size_t chunks = (n + chunk - 1) / chunk;
	double mean = 0, square = 0;

	for (size_t i = 0; i < chunks; i++)
		mean += m[2 * i] / (double)n;
	for (size_t i = 0; i < chunks; i++) {
		const double size = (double)(i + 1 < chunks ? chunk : n - i * chunk), d = m[2 * i] / size - mean;

		square += m[2 * i + 1] + size * d * d;
	}
	stats[0] = (float)mean;
	stats[1] = (float)(1 / sqrt(square / (double)n + eps));
}

/* y of rows from .. to. */
INLINE void
group_rows(enum rk_act act, const struct rk_group_norm *o, const struct drop *drop, const float *stats, size_t from,
    size_t to)
{
	const int n = o->columns;
	const vf mean = vf_set1(stats[0]), rstd = vf_set1(stats[1]);
	const float *x = o->x, *gamma = o->gamma, *beta = o->beta, *residual = o->residual;
	float *y = o->y;

	for (size_t r = from; r < to; r++)
		for (int i = 0; i < n; i += VL) {
			const int left = n - i;
			vf v = (vf_load_tail(x + r * n + i, left) - mean) * rstd;

			v = activate(vf_fma(v, vf_load_tail(gamma + i, left), vf_load_tail(beta + i, left)), act);
			if (drop->thr != 0)
				v *= drop_factors(drop, o->drop.row_key[r], i);
			if (residual != NULL)
				v += vf_load_tail(residual + r * n + i, left);
			vf_store_tail(y + r * n + i, v, left);
		}
}

static void
group_finish(const struct rk_group_norm *o, const struct drop *drop, const float *stats, size_t from, size_t to)
{
	if (o->act == RK_CELU)
		group_rows(RK_CELU, o, drop, stats, from, to);
	else if (o->act == RK_RELU)
		group_rows(RK_RELU, o, drop, stats, from, to);
	else
		group_rows(RK_NONE, o, drop, stats, from, to);
}

/* Every row a group. */
static void
group_each_row(const struct rk_group_norm *o, const struct rk_env *e)
{
	const struct drop drop = drop_init(&o->drop, 0);
	const size_t n = o->columns;

#pragma omp for schedule(static)
	for (int r = 0; r < e->live[o->rows]; r++) {
		float *stats = (float *)o->stats + 2 * (size_t)r;
		double m[2];

		moments((const float *)o->x + r * n, n, m);
		group_stats(m, n, n, o->eps, stats);
		group_finish(o, &drop, stats, (size_t)r, (size_t)r + 1);
	}
}

static void
cpu_group_norm(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_group_norm *o = &c->u.group_norm;
	const struct drop drop = drop_init(&o->drop, 0);
	const size_t n = o->columns;
	double *m = e->shared;

	if (o->first == NULL) {
		group_each_row(o, e);
		return;
	}
	for (int g = 0; g < e->live[o->groups]; g++) {
#pragma omp for schedule(static) nowait
		for (int r = o->first[g]; r < o->first[g + 1]; r += GROUP_ROWS)
			moments((const float *)o->x + r * n, n * least(GROUP_ROWS, o->first[g + 1] - r),
			    m + 2 * (group_chunk(o, g) + (size_t)(r - o->first[g]) / GROUP_ROWS));
	}
#pragma omp barrier
#pragma omp for schedule(static)
	for (int g = 0; g < e->live[o->groups]; g++)
		group_stats(m + 2 * group_chunk(o, g), n * (size_t)(o->first[g + 1] - o->first[g]), n * GROUP_ROWS,
		    o->eps, (float *)o->stats + 2 * (size_t)g);
	for (int g = 0; g < e->live[o->groups]; g++) {
#pragma omp for schedule(static) nowait
		for (int r = o->first[g]; r < o->first[g + 1]; r += GROUP_ROWS)
			group_finish(o, &drop, (const float *)o->stats + 2 * (size_t)g, (size_t)r,
			    (size_t)least(r + GROUP_ROWS, o->first[g + 1]));
	}
#pragma omp barrier
}

/* Into dx: dy through dropout and activation.  Column sums of it times zhat, and of it, are added to sums [2][wide]. */
static void
group_back_row(const struct rk_group_norm *o, const struct drop *drop, const float *stats, size_t r, float *sums)
{
	const int n = o->columns, wide = padded(n, VL);
	const vf mean = vf_set1(stats[0]), rstd = vf_set1(stats[1]);
	const float *x = (const float *)o->x + r * n, *dy = (const float *)o->dy + r * n;
	const float *gamma = o->gamma, *beta = o->beta;
	float *dx = (float *)o->dx + r * n, *dresidual = o->dresidual;

	for (int i = 0; i < n; i += VL) {
		const int left = n - i;
		const vf zhat = (vf_load_tail(x + i, left) - mean) * rstd;
		const vf u = vf_fma(zhat, vf_load_tail(gamma + i, left), vf_load_tail(beta + i, left));
		vf d = vf_load_tail(dy + i, left);

		if (dresidual != NULL)
			vf_store_tail(dresidual + r * n + i, d, left);
		if (drop->thr != 0)
			d *= drop_factors(drop, o->drop.row_key[r], i);
		if (o->act == RK_CELU)
			d *= vf_exp(vf_min(vf_zero(), u));
		else if (o->act == RK_RELU)
			d = vf_and(d, u > vf_zero());
		vf_store_tail(dx + i, d, left);
		vf_store(sums + i, vf_fma(d, zhat, vf_load(sums + i)));
		vf_store(sums + wide + i, vf_load(sums + wide + i) + d);
	}
}

/* dx of a row from what group_back_row left there; a, b: means of d gamma and of d gamma zhat over the group. */
static void
group_dx(const struct rk_group_norm *o, const float *stats, size_t r, float a, float b)
{
	const int n = o->columns;
	const vf mean = vf_set1(stats[0]), rstd = vf_set1(stats[1]);
	const float *x = (const float *)o->x + r * n, *gamma = o->gamma;
	float *dx = (float *)o->dx + r * n;

	for (int i = 0; i < n; i += VL) {
		const int left = n - i;
		const vf zhat = (vf_load_tail(x + i, left) - mean) * rstd;
		const vf d = vf_fma(vf_load_tail(dx + i, left), vf_load_tail(gamma + i, left), vf_set1(-a));

		vf_store_tail(dx + i, (d - zhat * b) * rstd, left);
	}
}

/* The two means from column sums [2][wide] over `count` floats. */
static void
group_means(const struct rk_group_norm *o, const float *sums, double count, float *a, float *b)
{
	const int n = o->columns, wide = padded(n, VL);
	const float *gamma = o->gamma;
	double sa = 0, sb = 0;

	for (int i = 0; i < n; i++) {
		sa += (double)gamma[i] * sums[wide + i];
		sb += (double)gamma[i] * sums[i];
	}
	*a = (float)(sa / count);
	*b = (float)(sb / count);
}

/* The rows of a chunk where every row is a group. */
static void
group_back_each(const struct rk_group_norm *o, const struct drop *drop, int from, int to, float *part)
{
	const int n = o->columns, wide = padded(n, VL);
	float *row = part + 2 * wide, a, b;

	for (int r = from; r < to; r++) {
		const float *stats = (const float *)o->stats + 2 * (size_t)r;

		memset(row, 0, sizeof(float) * 2 * wide);
		group_back_row(o, drop, stats, (size_t)r, row);
		group_means(o, row, n, &a, &b);
		group_dx(o, stats, (size_t)r, a, b);
		for (int i = 0; i < 2 * wide; i += VL)
			vf_store(part + i, vf_load(part + i) + vf_load(row + i));
	}
}

/* Column sums of n parts that lie `stride` apart, in order, into the first of them. */
static void
group_add_parts(float *parts, size_t n, size_t stride, int wide)
{
	for (int i = 0; i < 2 * wide; i += VL) {
		vf s = vf_load(parts + i);

		for (size_t p = 1; p < n; p++)
			s += vf_load(parts + p * stride + i);
		vf_store(parts + i, s);
	}
}

/* Column sums [2][wide] to dgamma and dbeta. */
static void
group_give(const struct rk_group_norm *o, const float *sums)
{
	const int n = o->columns, wide = padded(n, VL);
	float *dgamma = o->dgamma, *dbeta = o->dbeta;

	for (int i = 0; i < n; i += VL) {
		vf_store_tail(dgamma + i, vf_load_tail(dgamma + i, n - i) + vf_load(sums + i), n - i);
		vf_store_tail(dbeta + i, vf_load_tail(dbeta + i, n - i) + vf_load(sums + wide + i), n - i);
	}
}

static void
group_back_rows(const struct rk_group_norm *o, const struct rk_env *e)
{
	const struct drop drop = drop_init(&o->drop, 0);
	const int wide = padded(o->columns, VL), rows = e->live[o->rows];
	const size_t stride = 4 * (size_t)wide;
	float *parts = e->shared;

#pragma omp for schedule(static)
	for (int b = 0; b < blocks(rows, GROUP_ROWS); b++) {
		memset(parts + b * stride, 0, sizeof(float) * stride);
		group_back_each(o, &drop, b * GROUP_ROWS, least(rows, (b + 1) * GROUP_ROWS), parts + b * stride);
	}
#pragma omp single
	if (rows > 0) {
		group_add_parts(parts, (size_t)blocks(rows, GROUP_ROWS), stride, wide);
		group_give(o, parts);
	}
}

static void
cpu_group_norm_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_group_norm *o = &c->u.group_norm;
	const struct drop drop = drop_init(&o->drop, 0);
	const int n = o->columns, wide = padded(n, VL), groups = o->first != NULL ? e->live[o->groups] : 0;
	const size_t stride = 4 * (size_t)wide;
	float *parts = e->shared;

	if (o->first == NULL) {
		group_back_rows(o, e);
		return;
	}
	for (int g = 0; g < groups; g++) {
#pragma omp for schedule(static) nowait
		for (int r = o->first[g]; r < o->first[g + 1]; r += GROUP_ROWS) {
			float *part = parts + (group_chunk(o, g) + (size_t)(r - o->first[g]) / GROUP_ROWS) * stride;

			memset(part, 0, sizeof(float) * stride);
			for (int i = r; i < least(r + GROUP_ROWS, o->first[g + 1]); i++)
				group_back_row(o, &drop, (const float *)o->stats + 2 * (size_t)g, (size_t)i, part);
		}
	}
#pragma omp barrier
#pragma omp for schedule(dynamic)
	for (int g = 0; g < groups; g++)
		if (o->first[g + 1] > o->first[g])
			group_add_parts(parts + group_chunk(o, g) * stride,
			    (size_t)blocks(o->first[g + 1] - o->first[g], GROUP_ROWS), stride, wide);
#pragma omp single nowait
	for (int g = 0; g < groups; g++)
		if (o->first[g + 1] > o->first[g])
			group_give(o, parts + group_chunk(o, g) * stride);
	for (int g = 0; g < groups; g++) {
		float a = 0, b = 0;

		if (o->first[g + 1] > o->first[g])
			group_means(o, parts + group_chunk(o, g) * stride,
			    (double)n * (o->first[g + 1] - o->first[g]), &a, &b);
#pragma omp for schedule(static) nowait
		for (int r = o->first[g]; r < o->first[g + 1]; r++)
			group_dx(o, (const float *)o->stats + 2 * (size_t)g, (size_t)r, a, b);
	}
#pragma omp barrier
}

static struct rk_need
group_need(const struct rk_group_norm *o, enum rk_op op)
{
	const size_t chunks = (size_t)o->cap / GROUP_ROWS + (size_t)(o->first != NULL ? o->cap_groups : 0) + 1;

	if (op == RK_GROUP_NORM)
		return (struct rk_need){ 2 * sizeof(double) * chunks, 0 };
	return (struct rk_need){ 4 * sizeof(float) * padded(o->columns, VL) * chunks, 0 };
}

#endif
