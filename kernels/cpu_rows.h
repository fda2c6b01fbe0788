/*
 * cpu_rows.h: gather, scatter, dropout of rows, sum, zero, and the loss.
 */
#ifndef CPU_ROWS_H
#define CPU_ROWS_H

#include "simd.h"

static void
cpu_gather(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_rows *o = &c->u.rows;
	const size_t n = o->columns;

#pragma omp for schedule(static)
	for (int r = 0; r < e->live[o->rows]; r++)
		memcpy((float *)o->y + r * n, (const float *)o->x + o->index[r] * n, n * sizeof(float));
}

INLINE void
add_row(float *y, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i += VL) {
		const int left = n - i < VL ? (int)(n - i) : VL;

		vf_store_tail(y + i, vf_load_tail(y + i, left) + vf_load_tail(x + i, left), left);
	}
}

static void
cpu_scatter_add(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_rows *o = &c->u.rows;
	const size_t n = o->columns;

#pragma omp for schedule(static)
	for (int r = 0; r < e->live[o->rows]; r++)
		add_row((float *)o->x + o->index[r] * n, (const float *)o->y + r * n, n);
}

static void
cpu_dropout(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_drop_rows *o = &c->u.drop_rows;
	const struct drop drop = drop_init(&o->drop, 0);
	const size_t n = o->columns;

#pragma omp for schedule(static)
	for (int r = 0; r < e->live[o->rows]; r++) {
		const float *x = (const float *)o->x + r * n;
		float *y = (float *)o->y + r * n;

		for (size_t i = 0; i < n; i += VL) {
			const int left = n - i < VL ? (int)(n - i) : VL;
			vf v = vf_load_tail(x + i, left);

			if (drop.thr != 0)
				v *= drop_factors(
				    &drop, o->drop.row_key[o->index != NULL ? o->index[r] : r], (uint32_t)i);
			vf_store_tail(y + i, v, left);
		}
	}
}

static void
cpu_add(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_add *o = &c->u.add;
	const size_t n = o->columns;

#pragma omp for schedule(static)
	for (int r = 0; r < e->live[o->rows]; r++)
		add_row((float *)o->y + r * n, (const float *)o->x + r * n, n);
}

enum { ZERO_CHUNK = 1 << 16 };

static void
cpu_zero(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_bytes *o = &c->u.bytes;

	(void)e;
#pragma omp for schedule(static)
	for (size_t i = 0; i < o->n; i += ZERO_CHUNK)
		memset((char *)o->p + i, 0, o->n - i < ZERO_CHUNK ? o->n - i : ZERO_CHUNK);
}

/* Sum of exp(z - top) and of z over a row. */
INLINE void
row_sums(const float *z, int n, float top, float *exps, float *values)
{
	vf se = vf_zero(), sv = se;

	for (int i = 0; i < n; i += VL) {
		vf v = vf_load_tail(z + i, n - i);

		sv += v;
		se += vf_exp((n - i < VL ? vf_fill_tail(v, n - i, -INFINITY) : v) - top);
	}
	*exps = vf_sum(se);
	*values = vf_sum(sv);
}

static void
cross_entropy_row(const struct rk_cross_entropy *o, size_t r)
{
	const int n = o->classes, target = o->target[r];
	const float *z = (const float *)o->logits + r * n, s = o->smoothing;
	float *dz = o->dlogits != NULL ? (float *)o->dlogits + r * n : NULL, *loss = (float *)o->loss + r;
	float top, sum, total, lse, weight, at;
	int best = 0;

	if (target < 0 || target >= n) {
		*loss = 0;
		o->hit[r] = 0;
		if (dz != NULL)
			memset(dz, 0, n * sizeof(*dz));
		return;
	}
	for (int i = 1; i < n; i++)
		best = z[i] > z[best] ? i : best;
	top = z[best];
	row_sums(z, n, top, &sum, &total);
	lse = top + logf(sum);
	at = z[target];
	*loss = (1 - s) * (lse - at) + s * (lse - total / n);
	o->hit[r] = best == target;
	if (dz == NULL)
		return;
	weight = o->weight[r];
	for (int i = 0; i < n; i += VL) {
		vf p = vf_exp(vf_load_tail(z + i, n - i) - lse);

		vf_store_tail(dz + i, (p - s / n) * weight, n - i);
	}
	dz[target] -= (1 - s) * weight;
}

static void
cpu_cross_entropy(const struct rk_call *c, const struct rk_env *e)
{
#pragma omp for schedule(dynamic, 16)
	for (int r = 0; r < e->live[c->u.cross_entropy.rows]; r++)
		cross_entropy_row(&c->u.cross_entropy, r);
}

#endif
