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
	CHUNK = 5 * QUERIES     /* queries of one piece of work */
};

/* One head of one sequence. */
struct head {
	const struct rk_attention *o;
	enum kind kind;
	int first, len, h;      /* first row, tokens, head */
	int dim, hidden, ld;    /* ld: floats from token to token in qkv */
	float scale;
	struct drop drop;
};

static struct head
head_init(const struct rk_attention *o, int first, int len, int h)
{
	struct head s = { .o = o, .first = first, .len = len, .h = h, .dim = o->dim, .hidden = o->heads * o->dim };

	s.kind = kind_of(o->precision == RK_INT8 ? RK_BF16 : o->precision);
	s.ld = 3 * s.hidden;
	s.scale = 1 / sqrtf((float)o->dim);
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

/* c [rows][dim up to VL] += a (rows of words of tokens from token j on) times panels over lg words of tokens. */
static void
value_tile(const struct head *s, const float *a, long si, long sw, int rows, int j, int n, const float *panels, int lg,
    float *c)
{
	const int jg = j / group_of(s->kind), wide = padded(s->dim, VL);

	for (int p = 0; p < s->dim; p += WIDE) {
		const int pw = least(WIDE, s->dim - p);

		product(s->kind, rows, pw, words_of(s->kind, n), a, si, sw,
		    panels + panel_at(lg, p) + (size_t)jg * padded(pw, VL), c + p, wide, 1);
	}
}

/* Scratch of one thread. */
struct attention_own {
	float *keys, *values, *queries, *tile, *words, *out;
	float top[QUERIES], sum[QUERIES];
};

/* One row of scores to weights: running maximum, sum, dropout; what was summed before is rescaled. */
static void
softmax_row(const struct head *s, struct attention_own *w, int i, int t, int j, int n)
{
	const int wide = padded(n, VL), dwide = padded(s->dim, VL);
	float *x = w->tile + (size_t)i * KEYS, *out = w->out + (size_t)i * dwide, top = w->top[i], old = top;
	vf high = vf_set1(-INFINITY), sum = vf_zero(), scale = vf_set1(s->scale), shift;

	if (n < wide)
		vf_store(x + wide - VL, vf_fill_tail(vf_load(x + wide - VL), n - (wide - VL), -INFINITY));
	for (int c = 0; c < wide; c += VL)
		high = vf_max(high, vf_load(x + c));
	top = fmaxf(top, vf_highest(high) * s->scale);
	shift = vf_set1(-top);
	for (int c = 0; c < wide; c += VL) {
		vf p = vf_exp(vf_fma(vf_load(x + c), scale, shift));

		sum += p;
		if (s->drop.thr != 0)
			p *= drop_factors(&s->drop, s->o->drop.row_key[s->first + t], j + c);
		vf_store(x + c, p);
	}
	w->top[i] = top;
	if (j == 0) {
		w->sum[i] = vf_sum(sum);
		return;
	}
	old = vf_exp(vf_set1(old - top))[0];
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
			lse[row * s->o->heads + s->h] = w->top[i] + logf(w->sum[i]);
	}
}

/* Queries t .. t+rows of a head whose keys and values are packed. */
static void
attention_block(const struct head *s, struct attention_own *w, int t, int rows)
{
	const int dwide = padded(s->dim, VL), full = padded(rows, MR), lg = words_of(s->kind, s->len);

	pack_rows(s->kind, w->queries, head_part(s, 0, t), s->ld, rows, s->dim);
	memset(w->out, 0, sizeof(float) * full * dwide);
	for (int i = 0; i < full; i++)
		w->top[i] = -INFINITY;
	for (int j = 0; j < s->len; j += KEYS) {
		const int n = least(KEYS, s->len - j);
		const float *weights = w->tile;
		int ld = KEYS;

		score_tile(s, w->queries, rows, w->keys, j, n, w->tile);
		for (int i = 0; i < rows; i++)
			softmax_row(s, w, i, t + i, j, n);
		if (s->kind != F32) {
			pack_rows(s->kind, w->words, w->tile, KEYS, rows, n);
			weights = w->words;
			ld = words_of(s->kind, n);
		}
		value_tile(s, weights, ld, 1, rows, j, n, w->values, lg, w->out);
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
	struct attention_own w;
	int items = 0, b = 0, before = 0;       /* before: pieces of the sequences before b */

	w.keys = e->own;
	w.values = w.keys + attention_keys_size(o);
	w.queries = w.values + attention_keys_size(o);
	w.out = w.queries + QUERIES * padded(o->dim, VL);
	w.tile = w.out + QUERIES * padded(o->dim, VL);
	w.words = w.tile + QUERIES * KEYS;
	for (int i = 0; i < seqs; i++)
		items += blocks(o->offsets[i + 1] - o->offsets[i], CHUNK) * o->heads;
#pragma omp for schedule(dynamic)
	for (int i = 0; i < items; i++) {
		struct head s;
		int chunk, end;

		for (; i >= before + blocks(o->offsets[b + 1] - o->offsets[b], CHUNK) * o->heads; b++)
			before += blocks(o->offsets[b + 1] - o->offsets[b], CHUNK) * o->heads;
		chunk = (i - before) / o->heads;
		s = head_init(o, o->offsets[b], o->offsets[b + 1] - o->offsets[b], (i - before) % o->heads);
		end = least(s.len, (chunk + 1) * CHUNK);
		pack_keys(&s, 1, w.keys);
		pack_tokens(&s, head_part(&s, 2, 0), s.ld, s.len, w.values);
		for (int t = chunk * CHUNK; t < end; t += QUERIES)
			attention_block(&s, &w, t, least(QUERIES, end - t));
	}
}

#endif
