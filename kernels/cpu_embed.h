/*
 * cpu_embed.h: RK_EMBED and its gradient.  Backward goes by blocks of rows: the team makes the gradients of the sums of
 * a block, then each thread adds them, in row order, to its own columns of the tables.
 */
#ifndef CPU_EMBED_H
#define CPU_EMBED_H

#include "cpu_norm.h"

enum { EMBED_ROWS = 512 };

static void
embed_row(const struct rk_embed *o, const struct drop *drop, size_t r)
{
	const int n = o->hidden;
	const float *word = (const float *)o->word + (size_t)o->token[r] * n;
	const float *pos = (const float *)o->pos + (size_t)o->position[r] * n;
	const float *seg = (const float *)o->seg + (size_t)o->segment[r] * n;
	float *y = (float *)o->y + r * n, *z = o->z != NULL ? (float *)o->z + r * n : y, stats[2];

	for (int i = 0; i < n; i += VL) {
		const int left = n - i;

		vf_store_tail(z + i,
		    vf_load_tail(word + i, left) + vf_load_tail(pos + i, left) + vf_load_tail(seg + i, left), left);
	}
	normalize(z, n, o->eps, o->gamma, o->beta, o->stats != NULL ? (float *)o->stats + 2 * r : stats, y);
	for (int i = 0; drop->thr != 0 && i < n; i += VL)
		vf_store_tail(y + i, vf_load_tail(y + i, n - i) * drop_factors(drop, o->drop.row_key[r], i), n - i);
}

static void
cpu_embed(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_embed *o = &c->u.embed;
	const struct drop drop = drop_init(&o->drop, 0);

#pragma omp for schedule(dynamic, 16)
	for (int r = 0; r < e->live[RK_LIVE_TOKENS]; r++)
		embed_row(o, &drop, r);
}

/* dz: gradient of the row's sum; dy: of the norm's output, after dropout was undone.  Both [n up to VL]. */
static void
embed_back_row(const struct rk_embed *o, const struct drop *drop, size_t r, float *dz, float *dy)
{
	const int n = o->hidden;
	const float *z = (const float *)o->z + r * n, *from = (const float *)o->dy + r * n, *gamma = o->gamma;
	const float *stats = (const float *)o->stats + 2 * r;
	const vf mean = vf_set1(stats[0]), rstd = vf_set1(stats[1]);
	float a, b;

	for (int i = 0; i < n; i += VL) {
		vf g = vf_load_tail(from + i, n - i);

		vf_store(dy + i, drop->thr != 0 ? g * drop_factors(drop, o->drop.row_key[r], i) : g);
	}
	norm_means(z, dy, gamma, stats, n, &a, &b);
	for (int i = 0; i < n; i += VL) {
		vf zhat = (vf_load_tail(z + i, n - i) - mean) * rstd, g = vf_load(dy + i);

		vf_store(dz + i, (vf_fma(g, vf_load_tail(gamma + i, n - i), vf_set1(-a)) - zhat * b) * rstd);
	}
}

INLINE void
add_tail(float *to, vf x, int left)
{
	vf_store_tail(to, vf_load_tail(to, left) + x, left);
}

/* VL columns from c on of rows r .. r+rows into the tables' gradients. */
static void
embed_back_columns(const struct rk_embed *o, size_t r, int rows, int c, const float *dz, const float *dy, int wide)
{
	const size_t n = o->hidden;
	const int left = o->hidden - c;
	float *dword = (float *)o->dword + c, *dpos = (float *)o->dpos + c, *dseg = (float *)o->dseg + c;
	vf dgamma = vf_load_tail((float *)o->dgamma + c, left), dbeta = vf_load_tail((float *)o->dbeta + c, left);

	for (size_t i = 0; i < (size_t)rows; i++) {
		const float *stats = (const float *)o->stats + 2 * (r + i);
		vf d = vf_load(dz + i * wide + c), g = vf_load(dy + i * wide + c);

		add_tail(dword + o->token[r + i] * n, d, left);
		add_tail(dpos + o->position[r + i] * n, d, left);
		add_tail(dseg + o->segment[r + i] * n, d, left);
		dgamma = vf_fma(
		    g, (vf_load_tail((const float *)o->z + (r + i) * n + c, left) - stats[0]) * stats[1], dgamma);
		dbeta += g;
	}
	vf_store_tail((float *)o->dgamma + c, dgamma, left);
	vf_store_tail((float *)o->dbeta + c, dbeta, left);
}

static void
cpu_embed_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_embed *o = &c->u.embed;
	const struct drop drop = drop_init(&o->drop, 0);
	const int wide = padded(o->hidden, VL), rows = e->live[RK_LIVE_TOKENS];
	float *dz = e->shared, *dy = dz + (size_t)EMBED_ROWS * wide;

	for (int r = 0; r < rows; r += EMBED_ROWS) {
		const int live = least(EMBED_ROWS, rows - r);

#pragma omp for schedule(dynamic, 16)
		for (int i = 0; i < live; i++)
			embed_back_row(o, &drop, r + i, dz + (size_t)i * wide, dy + (size_t)i * wide);
#pragma omp for schedule(static)
		for (int i = 0; i < wide; i += VL)
			embed_back_columns(o, r, live, i, dz, dy, wide);
	}
}

static struct rk_need
embed_back_need(const struct rk_embed *o)
{
	return (struct rk_need){ sizeof(float) * 2 * EMBED_ROWS * (size_t)padded(o->hidden, VL), 0 };
}

#endif
