/*
 * cpu_segments.h: sums, means and softmax over segments of rows.  A segment is one thread's, its rows in order.
 */
#ifndef CPU_SEGMENTS_H
#define CPU_SEGMENTS_H

#include "simd.h"

INLINE float
segment_weight(const struct rk_segments *o, int b, size_t row)
{
	return o->weight != NULL ? ((const float *)o->weight)[row] : 1.0f / (float)o->count[b];
}

static void
cpu_segment_sum(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_segments *o = &c->u.segments;
	const int n = o->columns;

#pragma omp for schedule(dynamic)
	for (int b = 0; b < e->live[o->rows]; b++) {
		for (int i = 0; i < n; i += VL) {
			vf s = vf_zero();

			for (int k = 0; k < o->count[b]; k++) {
				const size_t r = (size_t)o->first[b] + (size_t)k;

				s += vf_load_tail((const float *)o->x + r * (size_t)n + i, n - i) *
				     segment_weight(o, b, r);
			}
			vf_store_tail((float *)o->y + (size_t)b * (size_t)n + i, s, n - i);
		}
	}
}

static void
cpu_segment_sum_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_segments *o = &c->u.segments;
	const int n = o->columns;

#pragma omp for schedule(dynamic)
	for (int b = 0; b < e->live[o->rows]; b++) {
		const float *dy = (const float *)o->dy + (size_t)b * (size_t)n;

		for (int k = 0; k < o->count[b]; k++) {
			const size_t r = (size_t)o->first[b] + (size_t)k;
			const float *x = (const float *)o->x + r * (size_t)n, w = segment_weight(o, b, r);
			float *dx = (float *)o->dx + r * (size_t)n;
			vf dot = vf_zero();

			for (int i = 0; i < n; i += VL) {
				vf g = vf_load_tail(dy + i, n - i);

				vf_store_tail(dx + i, vf_load_tail(dx + i, n - i) + g * w, n - i);
				if (o->dweight != NULL)
					dot += g * vf_load_tail(x + i, n - i);
			}
			if (o->dweight != NULL)
				((float *)o->dweight)[r] += vf_sum(dot);
		}
	}
}

static void
cpu_segment_softmax(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_segments *o = &c->u.segments;

#pragma omp for schedule(dynamic)
	for (int b = 0; b < e->live[o->rows]; b++) {
		const float *x = (const float *)o->x + o->first[b];
		float *y = (float *)o->y + o->first[b], top = -INFINITY;
		const int n = o->count[b];
		vf sum = vf_zero();

		for (int r = 0; r < n; r++)
			top = x[r] > top ? x[r] : top;
		for (int r = 0; r < n; r += VL) {
			vf v = vf_load_tail(x + r, n - r);

			v = vf_exp((n - r < VL ? vf_fill_tail(v, n - r, -INFINITY) : v) - top);
			vf_store_tail(y + r, v, n - r);
			sum += v;
		}
		for (int r = 0; r < n; r += VL)
			vf_store_tail(y + r, vf_load_tail(y + r, n - r) * (1.0f / vf_sum(sum)), n - r);
	}
}

static void
cpu_segment_softmax_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_segments *o = &c->u.segments;

#pragma omp for schedule(dynamic)
	for (int b = 0; b < e->live[o->rows]; b++) {
		const float *y = (const float *)o->y + o->first[b], *dy = (const float *)o->dy + o->first[b];
		float *dx = (float *)o->dx + o->first[b], dot;
		const int n = o->count[b];
		vf sum = vf_zero();

		for (int r = 0; r < n; r += VL)
			sum += vf_load_tail(y + r, n - r) * vf_load_tail(dy + r, n - r);
		dot = vf_sum(sum);
		for (int r = 0; r < n; r += VL) {
			vf g = vf_load_tail(y + r, n - r) * (vf_load_tail(dy + r, n - r) - dot);

			vf_store_tail(dx + r, vf_load_tail(dx + r, n - r) + g, n - r);
		}
	}
}

#endif
