/*
 * cpu_attention.h: RK_ATTENTION.  Keys and values of one head of one sequence are packed once; a block of queries then
 * meets them KEYS at a time, with the running maximum and sum of the softmax, so only a tile of scores exists.
 */
#ifndef CPU_ATTENTION_H
#define CPU_ATTENTION_H

#include "cpu_gemm.h"

enum {
	QUERIES = 8 * MR,       /* rows of a tile of scores */
	KEYS = 192,             /* columns of it: a multiple of MR and of WIDE */
	CHUNK = 5 * QUERIES     /* queries of one piece of work, where heads are too few for the threads */
};

/* One head of one sequence. */
struct head {
	const struct rk_attention *o;
	enum kind kind;
	int first, len, h;      /* first row, tokens, head */
	int dim, hidden, ld;    /* ld: floats from token to token in qkv */
	float scale, scale2;    /* of scores: for e^x and for 2^x */
	struct drop drop;
};

#define LOG2_E 1.44269504f
#define LN_2 0.693147181f

static struct head
head_init(const struct rk_attention *o, int first, int len, int h)
{
	struct head s = { .o = o, .first = first, .len = len, .h = h, .dim = o->dim, .hidden = o->heads * o->dim };

	s.kind = kind_of(o->precision == RK_INT8 ? RK_BF16 : o->precision);
	s.ld = 3 * s.hidden;
	s.scale = 1 / sqrtf((float)o->dim);
	s.scale2 = s.scale * LOG2_E;
	s.drop = drop_init(&o->drop, h);
	return s;
}

/* q, k or v (part 0, 1, 2) of token t of the sequence. */
static inline const float *
head_part(const struct head *s, int part, int t)
{
	return (const float *)s->o->qkv + (size_t)(s->first + t) * s->ld + part * s->hidden + s->h * s->dim;
}

/* Panels of up to WIDE keys each, for products with rows of dim elements: x is one part of the head. */
static void
pack_keys(const struct head *s, int part, float *dst)
{
	const int dg = words_of(s->kind, s->dim);

	for (int j = 0; j < s->len; j += WIDE)
		pack_turned(
		    s->kind, dst + panel_at(dg, j), head_part(s, part, j), s->ld, least(WIDE, s->len - j), s->dim);
}

/* Panels of up to WIDE columns of `rows` tokens from x on, for products that run over tokens. */
static void
pack_tokens(const struct head *s, const float *x, int ld, int rows, float *dst)
{
	const int lg = words_of(s->kind, rows);

	for (int c = 0; c < s->dim; c += WIDE)
		pack_straight(s->kind, dst + panel_at(lg, c), x + c, ld, least(WIDE, s->dim - c), rows);
}

/* Tile of scores [rows][KEYS]: a (rows of dim elements) times keys from j on. */
static void
score_tile(const struct head *s, const float *a, int rows, const float *keys, int j, int n, float *tile)
{
	const int dg = words_of(s->kind, s->dim);

	for (int c = 0; c < n; c += WIDE)
		product(s->kind, rows, least(WIDE, least(n, s->len - j) - c), dg, a, dg, 1, keys + panel_at(dg, j + c),
		    tile + c, KEYS, 0);
}

/* c [rows][dim up to VL] (+)= a (rows of words of tokens from token j on) times panels over lg words of tokens. */
static void
value_tile(const struct head *s, const float *a, long si, long sw, int rows, int j, int n, const float *panels, int lg,
    float *c, int add)
{
	const int jg = j / group_of(s->kind), wide = padded(s->dim, VL);

	for (int p = 0; p < s->dim; p += WIDE) {
		const int pw = least(WIDE, s->dim - p);

		product(s->kind, rows, pw, words_of(s->kind, n), a, si, sw,
		    panels + panel_at(lg, p) + (size_t)jg * padded(pw, VL), c + p, wide, add);
	}
}

/* Scratch of one thread.  words: a tile of weights as words, where these are not floats. */
struct attention_own {
	float *keys, *values, *queries, *tile, *words, *out;
	float top[QUERIES], sum[QUERIES];       /* of 2^score */
	int ahead;              /* the head whose tokens are fetched meanwhile; -1: none */
};

/* The tokens of a head lie far apart: those that the thread comes to next are asked for while it computes. */
INLINE void
fetch_token(const struct head *s, int h, int t)
{
	for (int part = 0; part < 3 && h >= 0; part++)
		for (int c = 0; c < s->dim; c += 64 / sizeof(float))
			__builtin_prefetch(head_part(s, part, t) + (h - s->h) * s->dim + c, 0, 2);
}

/* VL weights from a row of scores, before and after dropout. */
INLINE vf
weight_of(const struct head *s, int drop, const float *x, vf scale, vf shift, uint64_t key, int column, vf *sum)
{
	vf p = vf_exp2(vf_fma(vf_load(x), scale, shift));

	*sum += p;
	return drop ? p * drop_factors(&s->drop, key, column) : p;
}

/* n scores at x (lanes after them are not scores) to weights at `to`, in the words of the product with the values. */
INLINE vf
weights_as(enum kind kind, int drop, const struct head *s, const float *x, float *to, int n, float top, int t, int j)
{
	const vf scale = vf_set1(s->scale2), shift = vf_set1(-top);
	const uint64_t key = drop ? s->o->drop.row_key[s->first + t] : 0;
	vf sum = vf_zero();

	for (int c = 0; c < n; c += VL * group_of(kind)) {
		vf p = weight_of(s, drop, x + c, scale, shift, key, j + c, &sum);
#ifdef SIMD_BF16
		if (kind == BF16) {
			vf q = vf_zero();

			if (c + VL < n)
				q = weight_of(s, drop, x + c + VL, scale, shift, key, j + c + VL, &sum);
			vf_store(to + c / 2, bf16_words(p, q));
			continue;
		}
#endif
		vf_store(to + c, kind == ROUNDED ? vf_to_bf16(p) : p);
	}
	return sum;
}

/* One row of scores to weights: running maximum, sum, dropout; what was summed before is rescaled. */
static void
softmax_row(const struct head *s, struct attention_own *w, int i, int t, int j, int n)
{
	const int wide = padded(n, VL), dwide = padded(s->dim, VL), drop = s->drop.thr != 0;
	float *x = w->tile + (size_t)i * KEYS, *out = w->out + (size_t)i * dwide, top = w->top[i], old = top;
	vf high = vf_set1(-INFINITY), sum;

	if (n < wide)
		vf_store(x + wide - VL, vf_fill_tail(vf_load(x + wide - VL), n - (wide - VL), -INFINITY));
	for (int c = 0; c < wide; c += VL)
		high = vf_max(high, vf_load(x + c));
	top = fmaxf(top, vf_highest(high) * s->scale2);
	w->top[i] = top;
	if (s->kind == F32)
		sum = drop ? weights_as(F32, 1, s, x, x, n, top, t, j) : weights_as(F32, 0, s, x, x, n, top, t, j);
#ifdef SIMD_BF16
	else if (drop)
		sum = weights_as(BF16, 1, s, x, w->words + (size_t)i * (KEYS / 2), n, top, t, j);
	else
		sum = weights_as(BF16, 0, s, x, w->words + (size_t)i * (KEYS / 2), n, top, t, j);
#else
	else if (drop)
		sum = weights_as(ROUNDED, 1, s, x, x, n, top, t, j);
	else
		sum = weights_as(ROUNDED, 0, s, x, x, n, top, t, j);
#endif
	if (j == 0) {
		w->sum[i] = vf_sum(sum);
		fetch_token(s, w->ahead, t);
		return;
	}
	old = vf_exp2(vf_set1(old - top))[0];
	w->sum[i] = w->sum[i] * old + vf_sum(sum);
	for (int c = 0; c < dwide; c += VL)
		vf_store(out + c, vf_load(out + c) * old);
}

static void
attention_store(const struct head *s, const struct attention_own *w, int t, int rows)
{
	const int dwide = padded(s->dim, VL);
	float *lse = s->o->lse;

	for (int i = 0; i < rows; i++) {
		const size_t row = s->first + t + i;
		float *to = (float *)s->o->o + row * s->hidden + s->h * s->dim;

		for (int c = 0; c < s->dim; c += VL)
			vf_store_tail(to + c, vf_load(w->out + (size_t)i * dwide + c) * (1 / w->sum[i]), s->dim - c);
		if (lse != NULL)
			lse[row * s->o->heads + s->h] = w->top[i] * LN_2 + logf(w->sum[i]);
	}
}

/* Queries t .. t+rows of a head whose keys and values are packed. */
static void
attention_block(const struct head *s, struct attention_own *w, int t, int rows)
{
	const int full = padded(rows, MR), lg = words_of(s->kind, s->len), ld = KEYS / group_of(s->kind);
	float *weights = s->kind == BF16 ? w->words : w->tile;

	pack_rows(s->kind, w->queries, head_part(s, 0, t), s->ld, rows, s->dim);
	memset(weights + (size_t)rows * ld, 0, sizeof(float) * (full - rows) * ld);
	for (int i = 0; i < full; i++)
		w->top[i] = -INFINITY;
	for (int j = 0; j < s->len; j += KEYS) {
		const int n = least(KEYS, s->len - j);

		score_tile(s, w->queries, rows, w->keys, j, n, w->tile);
		for (int i = 0; i < rows; i++)
			softmax_row(s, w, i, t + i, j, n);
		value_tile(s, weights, ld, 1, rows, j, n, w->values, lg, w->out, j > 0);
	}
	attention_store(s, w, t, rows);
}

static size_t
attention_keys_size(const struct rk_attention *o)
{
	return (size_t)padded(o->max_len + KEYS, WIDE) * padded(o->dim, VL);
}

static struct rk_need
attention_need(const struct rk_attention *o)
{
	const size_t floats = 2 * attention_keys_size(o) + 2 * (size_t)QUERIES * (padded(o->dim, VL) + KEYS);

	return (struct rk_need){ 0, sizeof(float) * floats };
}

static void
cpu_attention(const struct rk_call *call, const struct rk_env *e)
{
	const struct rk_attention *o = &call->u.attention;
	const int seqs = e->live[RK_LIVE_SEQS];
	const int chunk = seqs * o->heads >= 4 * e->threads ? padded(o->max_len, QUERIES) : CHUNK;
	struct attention_own w;
	int items = 0, b = 0, before = 0;       /* before: pieces of the sequences before b */

	w.keys = e->own;
	w.values = w.keys + attention_keys_size(o);
	w.queries = w.values + attention_keys_size(o);
	w.out = w.queries + QUERIES * padded(o->dim, VL);
	w.tile = w.out + QUERIES * padded(o->dim, VL);
	w.words = w.tile + QUERIES * KEYS;      /* half as large */
	for (int i = 0; i < seqs; i++)
		items += blocks(o->offsets[i + 1] - o->offsets[i], chunk) * o->heads;
#pragma omp for schedule(dynamic)
	for (int i = 0; i < items; i++) {
		struct head s;
		int t, end;

		for (; i >= before + blocks(o->offsets[b + 1] - o->offsets[b], chunk) * o->heads; b++)
			before += blocks(o->offsets[b + 1] - o->offsets[b], chunk) * o->heads;
		t = (i - before) / o->heads * chunk;
		s = head_init(o, o->offsets[b], o->offsets[b + 1] - o->offsets[b], (i - before) % o->heads);
		end = least(s.len, t + chunk);
		w.ahead = s.h + e->threads < o->heads ? s.h + e->threads : -1;
		pack_keys(&s, 1, w.keys);
		pack_tokens(&s, head_part(&s, 2, 0), s.ld, s.len, w.values);
		for (; t < end; t += QUERIES)
			attention_block(&s, &w, t, least(QUERIES, end - t));
	}
}

#endif
