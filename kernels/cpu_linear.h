/*
 * cpu_linear.h: RK_PACK, RK_LINEAR and its gradients.
 */
#ifndef CPU_LINEAR_H
#define CPU_LINEAR_H

#include "cpu_gemm.h"
#include "cpu_int8.h"

enum {
	ROW_BLOCK = 192,        /* rows of x whose words stay in cache while the panels pass, multiple of MR */
	K_WORDS = 384,          /* words of k in one visit of a panel */
	W_WORDS = 512,          /* words of rows in one visit of dw = dy^T x */
	STRIP = 8 * MR,         /* columns of dy packed at once */
	TILES = 32,             /* of MR columns of dy, whose words stay in cache while the panels of x pass */
	SHARE = 4,              /* pieces of work a thread */
	STREAM = 4 << 20        /* bytes of y that no cache keeps until they are read */
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
	int stream;                     /* y is written past the caches: no line of it is read first */
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

/* A vector of y, or of what lies as y does, or its first `left` lanes. */
INLINE void
put(const struct rows_product *g, float *y, vf v, int left)
{
	if (g->stream && left >= VL)
		vf_stream(y, v);
	else
		vf_store_tail(y, v, left);
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
				put(g, (float *)l->pre + at, v, left);
			if (g->add)
				v += vf_load_tail(g->y + at, left);
			put(g, g->y + at, activate(v, act), left);
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
			put(g, y + j * VL, activate(v + b[j], act), VL);
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

/*
 * Rows r .. r+rows of y, panels from column c0 to c1.  Each tile of sums is finished at once: its few stores go to
 * memory while the next tile is computed.
 */
static void
rows_block(const struct rows_product *g, int r, int rows, int c0, int c1, float *own)
{
	const int kg = words_of(g->kind, g->k);
	float *sum = own, *scales = sum + ROW_BLOCK * WIDE, *words = scales + ROW_BLOCK;
	const float *a = rows_words(g, r, rows, words, scales);

	for (int c = c0; c < c1; c += WIDE) {
		const int wide = VL * panel_vectors(g->n, c);
		const float *b = g->panels + panel_at(kg, c);
		micro_fn *micro = micro_of(g->kind, wide / VL);

		for (int w = 0; w < kg; w += K_WORDS)
			for (int i = 0; i < rows; i += MR) {
				micro(least(K_WORDS, kg - w), a + (size_t)i * kg + w, kg, 1, b + (size_t)w * wide,
				    sum + i * WIDE, WIDE, w > 0);
				if (w + K_WORDS >= kg)
					finish(g, sum + i * WIDE, scales + i, r + i, least(MR, rows - i), c, wide);
			}
	}
}

/*
 * Cut into row blocks of as many tiles each, give or take one, a whole number of them for every thread; and where these
 * are too few into groups of panels.
 */
static void
rows_product(struct rows_product *g, const struct rk_env *e)
{
	const int panels = blocks(g->n, WIDE), tiles = blocks(g->rows, MR);
	const int want = e->threads > 1 ? SHARE * e->threads : 1;
	/* fewer tiles than 8 do not pay for a pass of the panels */
	const int whole = padded(most(blocks(g->rows, ROW_BLOCK), want), e->threads);
	const int nblocks = least(most(blocks(tiles, 8), 1), whole);
	const int groups = least(panels, blocks(want, nblocks));

	g->stream = !g->add && g->n % (64 / (int)sizeof(float)) == 0 && sizeof(float) * g->rows * g->n >= STREAM;
#pragma omp for schedule(dynamic)
	for (int i = 0; i < nblocks * groups; i++) {
		const int block = i / groups, part = i % groups;
		const int from = tiles * block / nblocks * MR, to = least(g->rows, tiles * (block + 1) / nblocks * MR);

		if (from < to)
			rows_block(g, from, to - from, panels * part / groups * WIDE,
			    least(g->n, panels * (part + 1) / groups * WIDE), e->own);
		simd_fence();
	}
}

static void
cpu_linear(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_linear *l = &c->u.linear;
	struct rows_product g = {
		.kind = kind_of(l->w.precision), .rows = e->live[l->rows], .n = l->w.n, .k = l->w.k,
		.x = l->x, .panels = l->w.fwd, .y = l->y, .epilogue = l,
	};

	rows_product(&g, e);
}

static void
cpu_linear_back_x(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_linear *l = &c->u.linear;
	struct rows_product g = {
		.kind = kind_of(l->w.precision), .rows = e->live[l->rows], .n = l->w.k, .k = l->w.n,
		.x = l->dy, .panels = l->w.bwd, .y = l->dx, .add = l->accumulate,
	};

	rows_product(&g, e);
}

/* 2. Products over tokens: dw += dy^T x */

/* Floats from one tile of words of dy to the next: its words, and what the last store writes past them. */
static inline size_t tile_stride(int kg) { return (size_t)padded(MR * kg + VL, VL); }

/* Column sums of `rows` rows of STRIP columns of dy from column c on, added to dbias. */
static void
strip_sums(const float *dy, float *dbias, int n, int c, int rows)
{
	const int wide = least(STRIP, n - c);
	vf sum[STRIP / VL];

#pragma GCC unroll 12
	for (int j = 0; j < STRIP / VL; j++)
		sum[j] = j * VL < wide ? vf_load_tail(dbias + c + j * VL, wide - j * VL) : vf_zero();
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 12
		for (int j = 0; j < STRIP; j += VL)
			if (j < wide)
				sum[j / VL] += vf_load_tail(dy + (size_t)r * n + c + j, wide - j);
#pragma GCC unroll 12
	for (int j = 0; j < STRIP; j += VL)
		if (j < wide)
			vf_store_tail(dbias + c + j, sum[j / VL], wide - j);
}

/*
 * Up to STRIP columns of dy from column c on, `rows` rows, as words: tiles of MR columns, [words][MR] each.  Whole
 * vectors are stored: what is not the tile's is written over by the next word, or lies in the tile's margin.
 */
INLINE void
strip_as(enum kind kind, float *dst, const float *dy, int n, int c, int rows)
{
	const int g = group_of(kind), kg = words_of(kind, rows);
	const size_t stride = tile_stride(kg);

	for (int w = 0; w < kg; w++) {
		const float *p = dy + (size_t)w * g * n + c, *q = g == 2 && w * g + 1 < rows ? p + n : NULL;

		fetch_rows(p + (size_t)AHEAD * n, n, g, STRIP);
#pragma GCC unroll 8
		for (int t = 0; t < STRIP / MR; t++)
			if (c + t * MR < n)
				vf_store(dst + t * stride + (size_t)w * MR,
				    pair_words(kind, p + t * MR, q != NULL ? q + t * MR : NULL, n - c - t * MR));
	}
}

static void
pack_strip(enum kind kind, float *dst, const float *dy, int n, int c, int rows)
{
	if (kind == F32)
		strip_as(F32, dst, dy, n, c, rows);
	else if (kind == ROUNDED)
		strip_as(ROUNDED, dst, dy, n, c, rows);
#ifdef SIMD_BF16
	else
		strip_as(BF16, dst, dy, n, c, rows);
#endif
}

/* A product over rows in the making: words of dy by tiles, of x by panels, dw [n][k]. */
struct tiles_product {
	enum kind kind;
	int kg, n, k;
	const float *left, *right;
	float *dw;
};

/* The tile of dw from row i and column j on is asked for while the one before is computed. */
INLINE void
fetch_tile(const struct tiles_product *g, int i, int j)
{
	for (int r = i; r < least(i + MR, g->n); r++)
		for (int c = j; c < least(j + WIDE, g->k); c += 64 / (int)sizeof(float))
			__builtin_prefetch(g->dw + (size_t)r * g->k + c, 1, 3);
}

/* Tile of MR rows of dw from row i on and one panel from column j on; at the edges by way of a full tile. */
static void
add_tile(const struct tiles_product *g, int i, int j)
{
	const int rows = least(MR, g->n - i), wide = least(WIDE, g->k - j), ld = padded(wide, VL);
	const float *a = g->left + i / MR * tile_stride(g->kg), *b = g->right + panel_at(g->kg, j);
	micro_fn *micro = micro_of(g->kind, panel_vectors(g->k, j));
	float *at = g->dw + (size_t)i * g->k + j, tile[MR * WIDE];

	if (rows == MR && wide % VL == 0) {
		micro(g->kg, a, 1, MR, b, at, g->k, 1);
		return;
	}
	memset(tile, 0, sizeof(tile));
	for (int r = 0; r < rows; r++)
		memcpy(tile + r * ld, at + (size_t)r * g->k, wide * sizeof(float));
	micro(g->kg, a, 1, MR, b, tile, ld, 1);
	for (int r = 0; r < rows; r++)
		memcpy(at + (size_t)r * g->k, tile + r * ld, wide * sizeof(float));
}

/* Blocks of tiles by groups of panels; each tile of dw has one owner. */
static void
tiles_product(const struct tiles_product *g, int threads)
{
	const int panels = blocks(g->k, WIDE), tiles = blocks(g->n, MR), want = threads > 1 ? SHARE * threads : 1;
	const int nblocks = least(tiles, padded(blocks(tiles, TILES), threads));
	const int groups = least(panels, blocks(want, nblocks));

#pragma omp for schedule(dynamic)
	for (int i = 0; i < nblocks * groups; i++) {
		const int block = i / groups, part = i % groups;
		const int from = tiles * block / nblocks, to = tiles * (block + 1) / nblocks;

		for (int p = panels * part / groups; p < panels * (part + 1) / groups; p++)
			for (int t = from; t < to; t++) {
				fetch_tile(g, t + 1 < to ? (t + 1) * MR : from * MR, (t + 1 < to ? p : p + 1) * WIDE);
				add_tile(g, t * MR, p * WIDE);
			}
	}
}

/* W_WORDS words of rows at a time are packed by the whole team, then multiplied. */
static void
cpu_linear_back_w(const struct rk_call *call, const struct rk_env *e)
{
	const struct rk_linear *l = &call->u.linear;
	const enum kind kind = kind_of(l->w.precision);
	const int n = l->w.n, k = l->w.k, rows = e->live[l->rows], step = W_WORDS * group_of(kind);
	const int panels = blocks(k, WIDE), strips = blocks(n, STRIP);
	float *left = e->shared, *right = left + strips * (STRIP / MR) * tile_stride(W_WORDS);

	for (int r = 0; r < rows; r += step) {
		const int live = least(step, rows - r), kg = words_of(kind, live);
		const float *x = (const float *)l->x + (size_t)r * k, *dy = (const float *)l->dy + (size_t)r * n;
		const struct tiles_product g = { kind, kg, n, k, left, right, l->dw };

#pragma omp for schedule(dynamic)
		for (int i = 0; i < strips + panels; i++) {
			if (i >= strips) {
				pack_straight(kind, right + panel_at(kg, (i - strips) * WIDE), x + (i - strips) * WIDE,
				    k, least(WIDE, k - (i - strips) * WIDE), live);
				continue;
			}
			pack_strip(kind, left + i * (STRIP / MR) * tile_stride(kg), dy, n, i * STRIP, live);
			if (l->dbias != NULL)
				strip_sums(dy, l->dbias, n, i * STRIP, live);
		}
		tiles_product(&g, e->threads);
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
		need.shared = sizeof(float) * (padded(l->w.n, STRIP) / MR * tile_stride(W_WORDS) +
		    W_WORDS * (size_t)padded(l->w.k, VL));
	else if (op != RK_ACT_BACK)
		need.own = sizeof(float) * ROW_BLOCK * (WIDE + 1 + (size_t)words_of(kind, k));
	return need;
}

#endif
