/*
 * cpu_lstm.h: RK_LSTM and its gradient: a sequence and direction is one piece of work, its steps one after the other.
 */
#ifndef CPU_LSTM_H
#define CPU_LSTM_H

#include "simd.h"

INLINE vf vf_sigmoid(vf x) { return 1.0f / (vf_exp(-x) + 1.0f); }

/* One step: z [4n] is the row of gates with what the step before adds; h [n] of the step before comes and goes. */
static void
lstm_step(const struct rk_lstm *o, int d, size_t t, const float *before, const float *turned, float *z, float *h)
{
	const int n = o->hidden, wide = padded(4 * n, VL);
	float *gate = (float *)o->gates[d] + 4 * t * n, *cell = (float *)o->cell[d] + t * n;
	float *y = (float *)o->y + (t * o->directions + d) * n;
	const float *bias = o->b_hh[d];

	for (int i = 0; i < 4 * n; i += VL) {
		vf s = vf_load_tail(gate + i, 4 * n - i) + vf_load_tail(bias + i, 4 * n - i);

		for (int j = 0; before != NULL && j < n; j++)
			s = vf_fma(vf_set1(h[j]), vf_load(turned + (size_t)j * wide + i), s);
		vf_store(z + i, s);
	}
	for (int i = 0; i < n; i += VL) {
		const int left = n - i;
		const vf in = vf_sigmoid(vf_load_tail(z + i, left)), forget = vf_sigmoid(vf_load_tail(z + n + i, left));
		const vf g = vf_tanh(vf_load_tail(z + 2 * n + i, left));
		const vf out = vf_sigmoid(vf_load_tail(z + 3 * n + i, left));
		vf c = in * g;

		if (before != NULL)
			c = vf_fma(forget, vf_load_tail(before + i, left), c);
		vf_store_tail(gate + i, in, left);
		vf_store_tail(gate + n + i, forget, left);
		vf_store_tail(gate + 2 * n + i, g, left);
		vf_store_tail(gate + 3 * n + i, out, left);
		vf_store_tail(cell + i, c, left);
		vf_store_tail(y + i, out * vf_tanh(c), left);
	}
	memcpy(h, y, sizeof(*h) * n);
}

static void
cpu_lstm(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_lstm *o = &c->u.lstm;
	const int n = o->hidden, wide = padded(4 * n, VL);
	float *z = e->own, *h = z + wide, *turned = h + padded(n, VL);

#pragma omp for schedule(dynamic)
	for (int p = 0; p < e->live[RK_LIVE_SEQS] * o->directions; p++) {
		const int b = p / o->directions, d = p % o->directions, len = o->first[b + 1] - o->first[b];
		const float *w = o->w_hh[d], *before = NULL;

		memset(turned, 0, sizeof(*turned) * n * wide);
		for (int i = 0; i < 4 * n; i++)
			for (int j = 0; j < n; j++)
				turned[(size_t)j * wide + i] = w[(size_t)i * n + j];
		for (int s = 0; s < len; s++) {
			const size_t t = (size_t)(d == 0 ? o->first[b] + s : o->first[b + 1] - 1 - s);

			lstm_step(o, d, t, before, turned, z, h);
			before = (const float *)o->cell[d] + t * n;
		}
	}
}

/* Backward through row t: dh and dc [n] come from the step after it and go to the step before it. */
static void
lstm_step_back(const struct rk_lstm *o, int d, size_t t, const float *before, float *dh, float *dc)
{
	const int n = o->hidden;
	const float *gate = (const float *)o->gates[d] + 4 * t * n, *cell = (const float *)o->cell[d] + t * n;
	const float *dy = (const float *)o->dy + (t * o->directions + d) * n, *w = o->w_hh[d];
	float *dgate = (float *)o->dgates[d] + 4 * t * n;

	for (int i = 0; i < n; i += VL) {
		const int left = n - i;
		const vf in = vf_load_tail(gate + i, left), forget = vf_load_tail(gate + n + i, left);
		const vf g = vf_load_tail(gate + 2 * n + i, left), out = vf_load_tail(gate + 3 * n + i, left);
		const vf tc = vf_tanh(vf_load_tail(cell + i, left));
		const vf dhi = vf_load_tail(dy + i, left) + vf_load_tail(dh + i, left);
		const vf dci = vf_load_tail(dc + i, left) + dhi * out * (1.0f - tc * tc);
		const vf c = before != NULL ? vf_load_tail(before + i, left) : vf_zero();

		vf_store_tail(dgate + i, dci * g * in * (1.0f - in), left);
		vf_store_tail(dgate + n + i, dci * c * forget * (1.0f - forget), left);
		vf_store_tail(dgate + 2 * n + i, dci * in * (1.0f - g * g), left);
		vf_store_tail(dgate + 3 * n + i, dhi * tc * out * (1.0f - out), left);
		vf_store_tail(dc + i, dci * forget, left);
	}
	for (int i = 0; i < n; i += VL) {
		vf s = vf_zero();

		for (int k = 0; k < 4 * n; k++)
			s = vf_fma(vf_set1(dgate[k]), vf_load_tail(w + (size_t)k * n + i, n - i), s);
		vf_store_tail(dh + i, s, n - i);
	}
}

/* Row k of dw_hh and of db_hh: over all steps in order. */
static void
lstm_sum_row(const struct rk_lstm *o, int d, int k, int seqs)
{
	const int n = o->hidden;
	const float *dgate = (const float *)o->dgates[d] + k, *y = (const float *)o->y + (size_t)d * n;
	const size_t step = (size_t)o->directions * n;
	float *dw = (float *)o->dw_hh[d] + (size_t)k * n, *db = (float *)o->db_hh[d] + k;

	for (int b = 0; b < seqs; b++)
		for (int t = o->first[b]; t < o->first[b + 1]; t++) {
			const int before = d == 0 ? t - 1 : t + 1;
			const float g = dgate[4 * (size_t)t * n];

			*db += g;
			if (before < o->first[b] || before >= o->first[b + 1])
				continue;
			for (int i = 0; i < n; i += VL)
				vf_store_tail(dw + i,
				    vf_fma(vf_set1(g), vf_load_tail(y + before * step + i, n - i),
				        vf_load_tail(dw + i, n - i)),
				    n - i);
		}
}

static void
cpu_lstm_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_lstm *o = &c->u.lstm;
	const int n = o->hidden, seqs = e->live[RK_LIVE_SEQS];
	float *dh = e->own, *dc = dh + padded(n, VL);

#pragma omp for schedule(dynamic)
	for (int p = 0; p < seqs * o->directions; p++) {
		const int b = p / o->directions, d = p % o->directions, len = o->first[b + 1] - o->first[b];

		memset(dh, 0, 2 * sizeof(*dh) * padded(n, VL));
		for (int s = len - 1; s >= 0; s--) {
			const long t = d == 0 ? o->first[b] + s : o->first[b + 1] - 1 - s, back = d == 0 ? -1 : 1;

			lstm_step_back(
			    o, d, (size_t)t, s > 0 ? (const float *)o->cell[d] + (t + back) * n : NULL, dh, dc);
		}
	}
#pragma omp for schedule(static)
	for (int p = 0; p < o->directions * 4 * n; p++)
		lstm_sum_row(o, p / (4 * n), p % (4 * n), seqs);
}

static struct rk_need
lstm_need(const struct rk_lstm *o)
{
	const size_t n = padded(o->hidden, VL), wide = padded(4 * o->hidden, VL);

	return (struct rk_need){ 0, sizeof(float) * (wide + 2 * n + (size_t)o->hidden * wide) };
}

#endif
