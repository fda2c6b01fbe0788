/*
 * cpu_linear.h: RK_PACK, RK_LINEAR and its gradients.
 */
#ifndef CPU_LINEAR_H
#define CPU_LINEAR_H

#include "cpu_gemm.h"
#include "cpu_int8.h"

enum {
	ROW_BLOCK = 96,         /* rows of x whose words stay in cache while the panels pass, multiple of MR */
	K_WORDS = 384,          /* words of k in one visit of a panel */
	W_WORDS = 512,          /* words of rows in one visit of dw = dy^T x */
	STRIP = 8 * MR,         /* columns of dy packed at once */
	SHARE = 4               /* pieces of work a thread */
};

static void conv_pack(const struct rk_weight *w);       /* cpu_conv.h */

static void
cpu_pack(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_weight *w = &c->u.pack.w;
	const enum kind kind = kind_of(w->precision);
	const int n = w->n, k = w->k;

	(void)e;
	if (w->taps > 1) {
		conv_pack(w);
		return;
	}
	if (kind == INT8) {
		int8_pack(w);
		return;
	}
#pragma omp for schedule(dynamic) nowait
	for (int i = 0; i < n; i += WIDE)
		pack_turned(kind, (float *)w->fwd + panel_at(words_of(kind, k), i), (const float *)w->w + (size_t)i * k,
		    k, least(WIDE, n - i), k);
	if (w->bwd != NULL)
#pragma omp for schedule(dynamic) nowait
		for (int j = 0; j < k; j += WIDE)
			pack_straight(kind, (float *)w->bwd + panel_at(words_of(kind, n), j), (const float *)w->w + j,
			    k, least(WIDE, k - j), n);
#pragma omp barrier
}

/* 1. Products whose rows are tokens: y = x w^T and dx = dy w */

struct rows_product {
	enum kind kind;
	int rows, n, k;                 /* live rows, columns of y, columns of x */
	const float *x, *panels;
	float *y;
	const struct rk_linear *epilogue;       /* bias and activation; NULL: none */
	int add;                        /* y += */
};

INLINE vf
activate(vf v, enum rk_act act)
{
	switch (act) {
	case RK_RELU:
		return vf_max(vf_zero(), v);
	case RK_GELU:
		return v * vf_normal_cdf(v);
	case RK_TANH:
		return vf_tanh(v);
	case RK_CELU:
		return vf_celu(v);
	default:
		return v;
	}
}

/* Columns c .. c+wide of `rows` rows from row r on: from sums to y, whatever is asked for. */
static void
finish_any(const struct rows_product *g, const float *sum, const float *scales, int r, int rows, int c, int wide)
{
	const struct rk_linear *l = g->epilogue;
	const enum rk_act act = l != NULL ? l->act : RK_NONE;

	for (int i = 0; i < rows; i++)
		for (int j = 0; j < wide; j += VL) {
			const size_t at = (size_t)(r + i) * g->n + c + j;
			const int left = g->n - c - j;
			vf v = vf_load(sum + i * WIDE + j);

			if (g->kind == INT8)
				v = int8_value(v, scales[i], int8_column(g->panels, g->n, g->k, c + j));
			if (l != NULL && l->bias != NULL)
				v += vf_load_tail((const float *)l->bias + c + j, left);
			if (l != NULL && l->pre != NULL)
				vf_store_tail((float *)l->pre + at, v, left);
			if (g->add)
				v += vf_load_tail(g->y + at, left);
			vf_store_tail(g->y + at, activate(v, act), left);
		}
}

/* The same for a full panel where only bias and activation are asked for: no branch in the loop. */
INLINE void
finish_as(enum rk_act act, int int8, const struct rows_product *g, const float *sum, const float *scales, int r,
    int rows, int c)
{
	const float *bias = g->epilogue != NULL ? g->epilogue->bias : NULL;
	float *y = g->y + (size_t)r * g->n + c;
	struct int8_column column[NV];
	vf b[NV];

#pragma GCC unroll 4
	for (int j = 0; j < NV; j++) {
		b[j] = bias != NULL ? vf_load(bias + c + j * VL) : vf_zero();
		if (int8)
			column[j] = int8_column(g->panels, g->n, g->k, c + j * VL);
	}
	for (int i = 0; i < rows; i++, sum += WIDE, y += g->n)
#pragma GCC unroll 4
		for (int j = 0; j < NV; j++) {
			vf v = vf_load(sum + j * VL);

			if (int8)
				v = int8_value(v, scales[i], column[j]);
			vf_store(y + j * VL, activate(v + b[j], act));
		}
}

static void
finish(const struct rows_product *g, const float *sum, const float *scales, int r, int rows, int c, int wide)
{
	const enum rk_act act = g->epilogue != NULL ? g->epilogue->act : RK_NONE;
	const int pre = g->epilogue != NULL && g->epilogue->pre != NULL, int8 = g->kind == INT8;

	if (g->add || pre || g->n - c < WIDE || act == RK_TANH || act == RK_CELU || (int8 && act == RK_GELU))
		finish_any(g, sum, scales, r, rows, c, wide);
	else if (act == RK_GELU)
		finish_as(RK_GELU, 0, g, sum, scales, r, rows, c);
	else if (act == RK_RELU && int8)
		finish_as(RK_RELU, 1, g, sum, scales, r, rows, c);
	else if (act == RK_RELU)
		finish_as(RK_RELU, 0, g, sum, scales, r, rows, c);
	else if (int8)
		finish_as(RK_NONE, 1, g, sum, scales, r, rows, c);
	else
		finish_as(RK_NONE, 0, g, sum, scales, r, rows, c);
}

/* The words of `rows` rows of x from row r on: x itself where it can be read in place. */
static const float *
rows_words(const struct rows_product *g, int r, int rows, float *words, float *scales)
{
	const float *x = g->x + (size_t)r * g->k;

	if (g->kind == F32 && rows % MR == 0)
		return x;
	if (g->kind == INT8)
		int8_rows(words, scales, x, rows, g->k);
	else
		pack_rows(g->kind, words, x, g->k, rows, g->k);
	return words;
}

/* Rows r .. r+rows of y, panels from column c0 to c1. */
static void
rows_block(const struct rows_product *g, int r, int rows, int c0, int c1, float *own)
{
	const int kg = words_of(g->kind, g->k);
	float *sum = own, *scales = sum + ROW_BLOCK * WIDE, *words = scales + ROW_BLOCK;
	const float *a = rows_words(g, r, rows, words, scales);

	for (int c = c0; c < c1; c += WIDE) {
		const int wide = VL * panel_vectors(g->n, c);
		const float *b = g->panels + panel_at(kg, c);

		for (int w = 0; w < kg; w += K_WORDS) {
			micro_fn *micro = micro_of(g->kind, wide / VL);

			for (int i = 0; i < rows; i += MR)
				micro(least(K_WORDS, kg - w), a + (size_t)i * kg + w, kg, 1, b + (size_t)w * wide,
				    sum + i * WIDE, WIDE, w > 0);
		}
		finish(g, sum, scales, r, rows, c, wide);
	}
}

/* Cut into row blocks, and where these are too few into groups of panels. */
static void
rows_product(const struct rows_product *g, const struct rk_env *e)
{
	const int panels = blocks(g->n, WIDE);
	const int want = e->threads > 1 ? SHARE * e->threads : 1;
	const int block = least(ROW_BLOCK, most(8 * MR, padded(blocks(g->rows, want), MR)));
	const int nblocks = blocks(g->rows, block);
	const int groups = least(panels, blocks(want, most(nblocks, 1)));

#pragma omp for schedule(dynamic)
	for (int i = 0; i < nblocks * groups; i++) {
		const int r = i / groups * block, part = i % groups;

		rows_block(g, r, least(block, g->rows - r), panels * part / groups * WIDE,
		    least(g->n, panels * (part + 1) / groups * WIDE), e->own);
	}
}

static void
cpu_linear(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_linear *l = &c->u.linear;
	const struct rows_product g = {
		.kind = kind_of(l->w.precision), .rows = e->live[l->rows], .n = l->w.n, .k = l->w.k,
		.x = l->x, .panels = l->w.fwd, .y = l->y, .epilogue = l,
	};

	rows_product(&g, e);
}

static void
cpu_linear_back_x(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_linear *l = &c->u.linear;
	const struct rows_product g = {
		.kind = kind_of(l->w.precision), .rows = e->live[l->rows], .n = l->w.k, .k = l->w.n,
		.x = l->dy, .panels = l->w.bwd, .y = l->dx, .add = l->accumulate,
	};

	rows_product(&g, e);
}

/* 2. Products over tokens: dw += dy^T x */

/* Up to STRIP columns of dy from column c on, `rows` rows, as words [words][STRIP]; and the column sums into dbias. */
INLINE void
strip_as(enum kind kind, float *dst, const float *dy, float *dbias, int n, int c, int rows)
{
	const int g = group_of(kind), kg = words_of(kind, rows), wide = least(STRIP, n - c);
	vf sum[STRIP / VL];

#pragma GCC unroll 12
	for (int j = 0; j < STRIP / VL; j++)
		sum[j] = dbias != NULL && j * VL < wide ? vf_load_tail(dbias + c + j * VL, wide - j * VL) : vf_zero();
	for (int w = 0; w < kg; w++) {
		const float *p = dy + (size_t)w * g * n + c, *q = g == 2 && w * g + 1 < rows ? p + n : NULL;

#pragma GCC unroll 12
		for (int j = 0; j < STRIP; j += VL) {
			vf v = vf_zero();

			if (j < wide) {
				v = pair_words(kind, p + j, q != NULL ? q + j : NULL, wide - j);
				sum[j / VL] += vf_load_tail(p + j, wide - j);
				if (q != NULL)
					sum[j / VL] += vf_load_tail(q + j, wide - j);
			}
			vf_store(dst + (size_t)w * STRIP + j, v);
		}
	}
#pragma GCC unroll 12
	for (int j = 0; j < STRIP; j += VL)
		if (dbias != NULL && j < wide)
			vf_store_tail(dbias + c + j, sum[j / VL], wide - j);
}

/* Where the words of tile t of dy begin. */
static inline const float *
strip_tile(const float *left, int kg, int t)
{
	return left + (size_t)(t / (STRIP / MR)) * STRIP * kg + t % (STRIP / MR) * MR;
}

static void
pack_strip(enum kind kind, float *dst, const float *dy, float *dbias, int n, int c, int rows)
{
	if (kind == F32)
		strip_as(F32, dst, dy, dbias, n, c, rows);
	else if (kind == ROUNDED)
		strip_as(ROUNDED, dst, dy, dbias, n, c, rows);
#ifdef SIMD_BF16
	else
		strip_as(BF16, dst, dy, dbias, n, c, rows);
#endif
}

/* Tile of MR rows of dw from row i on and one panel from column j on; at the edges by way of a full tile. */
static void
add_tile(micro_fn *micro, int kg, const float *a, const float *b, float *dw, int n, int k, int i, int j)
{
	const int rows = least(MR, n - i), wide = least(WIDE, k - j), ld = padded(wide, VL);
	float *at = dw + (size_t)i * k + j, tile[MR * WIDE];

	if (rows == MR && wide % VL == 0) {
		micro(kg, a, 1, STRIP, b, at, k, 1);
		return;
	}
	memset(tile, 0, sizeof(tile));
	for (int r = 0; r < rows; r++)
		memcpy(tile + r * ld, at + (size_t)r * k, wide * sizeof(float));
	micro(kg, a, 1, STRIP, b, tile, ld, 1);
	for (int r = 0; r < rows; r++)
		memcpy(at + (size_t)r * k, tile + r * ld, wide * sizeof(float));
}

/* W_WORDS words of rows at a time are packed by the whole team, then multiplied; each tile of dw has one owner. */
static void
cpu_linear_back_w(const struct rk_call *call, const struct rk_env *e)
{
	const struct rk_linear *l = &call->u.linear;
	const enum kind kind = kind_of(l->w.precision);
	const int n = l->w.n, k = l->w.k, rows = e->live[l->rows], step = W_WORDS * group_of(kind);
	const int panels = blocks(k, WIDE), strips = blocks(n, STRIP), tiles = blocks(n, MR);
	const int want = e->threads > 1 ? SHARE * e->threads : 1;
	const int groups = least(tiles, blocks(want, panels));
	float *left = e->shared, *right = left + (size_t)strips * STRIP * W_WORDS;

	for (int r = 0; r < rows; r += step) {
		const int live = least(step, rows - r), kg = words_of(kind, live);
		const float *x = (const float *)l->x + (size_t)r * k, *dy = (const float *)l->dy + (size_t)r * n;

#pragma omp for schedule(dynamic)
		for (int i = 0; i < strips + panels; i++) {
			if (i < strips)
				pack_strip(kind, left + (size_t)i * STRIP * kg, dy, l->dbias, n, i * STRIP, live);
			else
				pack_straight(kind, right + panel_at(kg, (i - strips) * WIDE), x + (i - strips) * WIDE,
				    k, least(WIDE, k - (i - strips) * WIDE), live);
		}
#pragma omp for schedule(dynamic)
		for (int i = 0; i < panels * groups; i++) {
			const int j = i / groups * WIDE, part = i % groups;
			micro_fn *micro = micro_of(kind, panel_vectors(k, j));

			for (int t = tiles * part / groups; t < tiles * (part + 1) / groups; t++)
				add_tile(micro, kg, strip_tile(left, kg, t), right + panel_at(kg, j), l->dw, n, k,
				    t * MR, j);
		}
	}
}

static void
cpu_act_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_linear *l = &c->u.linear;
	const size_t len = (size_t)e->live[l->rows] * l->w.n;
	const float *y = l->y, *pre = l->pre;
	float *dy = l->dy;

	if (l->act == RK_NONE)
		return;
#pragma omp for schedule(dynamic, 64)
	for (size_t b = 0; b < (len + 255) / 256; b++)
		for (size_t i = b * 256; i < len && i < b * 256 + 256; i += VL) {
			const int left = len - i < VL ? (int)(len - i) : VL;
			vf d = vf_load_tail(dy + i, left), v = vf_load_tail((l->act == RK_GELU ? pre : y) + i, left);

			if (l->act == RK_RELU)
				d = vf_and(d, v > vf_zero());
			else if (l->act == RK_TANH)
				d *= 1.0f - v * v;
			else if (l->act == RK_CELU)
				d *= 1.0f + vf_min(vf_zero(), v);
			else
				d *= vf_normal_cdf(v) + v * 0.398942280f * vf_exp(v * v * -0.5f);
			vf_store_tail(dy + i, d, left);
		}
}

/* 3. Sizes */

static size_t
linear_pack_size(int n, int k, enum rk_precision precision, int backward)
{
	const enum kind kind = kind_of(precision);

	if (kind == INT8)
		return backward ? 0 : int8_pack_size(n, k);
	if (backward)
		return sizeof(float) * words_of(kind, n) * (size_t)padded(k, VL);
	return sizeof(float) * words_of(kind, k) * (size_t)padded(n, VL);
}

static struct rk_need
linear_need(const struct rk_linear *l, enum rk_op op)
{
	const enum kind kind = kind_of(l->w.precision);
	const int k = op == RK_LINEAR ? l->w.k : l->w.n;
	struct rk_need need = { 0, 0 };

	if (op == RK_LINEAR_BACK_W)
		need.shared = sizeof(float) * W_WORDS * ((size_t)padded(l->w.n, STRIP) + padded(l->w.k, VL));
	else if (op != RK_ACT_BACK)
		need.own = sizeof(float) * ROW_BLOCK * (WIDE + 1 + (size_t)words_of(kind, k));
	return need;
}

#endif
