/*
 * cpu_attention_back.h: RK_ATTENTION_BACK.  Probabilities are made again from the log-sums, a tile at a time.  One
 * thread owns a head of a sequence: dk and dv are sums over its blocks of queries in order.
 */
#ifndef CPU_ATTENTION_BACK_H
#define CPU_ATTENTION_BACK_H

#include "cpu_attention.h"

enum { BACK_QUERIES = 16 * MR };

struct attention_back_own {
	float *keys, *values;           /* panels of keys and values, by token */
	float *key_rows;                /* panels of k, products run over keys */
	float *q, *dout;                /* a block's rows as A operand */
	float *q_rows, *dout_rows;      /* the same as panels, products run over queries */
	float *p, *ds;                  /* tiles: probabilities after dropout; gradient of the scores */
	float *words, *p_pairs, *ds_pairs;      /* the tiles as operands when words are not floats */
	float *dq, *dk, *dv;            /* sums */
};

/* Tile row i: p from scores to kept probabilities, ds from dp to the scores' gradient; zeros from n to wide. */
static void
attention_back_row(const struct head *s, struct attention_back_own *w, int i, int t, int j, int n, int wide)
{
	const struct rk_attention *o = s->o;
	const size_t row = s->first + t;
	const float *out = (const float *)o->o + row * s->hidden + s->h * s->dim;
	const float *dout = (const float *)o->dout + row * s->hidden + s->h * s->dim;
	float *p = w->p + (size_t)i * KEYS, *ds = w->ds + (size_t)i * KEYS;
	const vf scale = vf_set1(s->scale2), lse = vf_set1(-((const float *)o->lse)[row * o->heads + s->h] * LOG2_E);
	vf delta = vf_zero();
	float d;

	for (int c = 0; c < s->dim; c += VL)
		delta = vf_fma(vf_load_tail(out + c, s->dim - c), vf_load_tail(dout + c, s->dim - c), delta);
	d = vf_sum(delta);
	for (int c = n / VL * VL; c < wide; c += VL) {
		vf_store(p + c, vf_fill_tail(vf_load(p + c), n - c, -INFINITY));
		vf_store(ds + c, vf_fill_tail(vf_load(ds + c), n - c, 0));
	}
	for (int c = 0; c < wide; c += VL) {
		vf x = vf_exp2(vf_fma(vf_load(p + c), scale, lse)), dp = vf_load(ds + c), kept = x;

		if (s->drop.thr != 0) {
			vf f = drop_factors(&s->drop, o->drop.row_key[row], j + c);

			dp *= f;
			kept *= f;
		}
		vf_store(p + c, kept);
		vf_store(ds + c, x * (dp - d) * s->scale);
	}
}

/* Tile [rows][KEYS] as words of two rows: [words][KEYS]. */
static void
pair_tile(enum kind kind, float *dst, const float *tile, int rows, int wide)
{
	for (int r = 0; r < rows; r += group_of(kind))
		for (int c = 0; c < wide; c += VL)
			vf_store(dst + c + r / group_of(kind) * KEYS, pair_words(kind, tile + (size_t)r * KEYS + c,
			    r + 1 < rows ? tile + (size_t)(r + 1) * KEYS + c : NULL, VL));
}

/* Queries t .. t+rows against keys j .. j+n. */
static void
attention_back_tile(const struct head *s, struct attention_back_own *w, int t, int rows, int j, int n)
{
	const int dwide = padded(s->dim, VL), wide = least(KEYS, padded(n + MR - 1, VL)), qg = words_of(s->kind, rows);
	const int lg = words_of(s->kind, s->len);
	const float *a = w->ds, *p_pairs = w->p, *ds_pairs = w->ds;
	int ld = KEYS;

	score_tile(s, w->q, rows, w->keys, j, n, w->p);
	score_tile(s, w->dout, rows, w->values, j, n, w->ds);
	for (int i = 0; i < rows; i++)
		attention_back_row(s, w, i, t + i, j, n, wide);
	if (s->kind != F32) {
		pack_rows(s->kind, w->words, w->ds, KEYS, rows, n);
		pair_tile(s->kind, w->p_pairs, w->p, rows, wide);
		pair_tile(s->kind, w->ds_pairs, w->ds, rows, wide);
		a = w->words;
		ld = words_of(s->kind, n);
		p_pairs = w->p_pairs;
		ds_pairs = w->ds_pairs;
	}
	value_tile(s, a, ld, 1, rows, j, n, w->key_rows, lg, w->dq, 1);
	value_tile(s, ds_pairs, 1, KEYS, n, 0, rows, w->q_rows, qg, w->dk + (size_t)j * dwide, 1);
	value_tile(s, p_pairs, 1, KEYS, n, 0, rows, w->dout_rows, qg, w->dv + (size_t)j * dwide, 1);
}

/* rows x dim sums to part 0, 1 or 2 of dqkv. */
static void
store_part(const struct head *s, int part, int t, int rows, const float *sums)
{
	float *to = (float *)s->o->dqkv + (size_t)(s->first + t) * s->ld + part * s->hidden + s->h * s->dim;

	for (int i = 0; i < rows; i++)
		for (int c = 0; c < s->dim; c += VL)
			vf_store_tail(
			    to + (size_t)i * s->ld + c, vf_load(sums + (size_t)i * padded(s->dim, VL) + c), s->dim - c);
}

static void
attention_back_head(const struct head *s, struct attention_back_own *w)
{
	const int dwide = padded(s->dim, VL);
	const float *douts = (const float *)s->o->dout + (size_t)s->first * s->hidden + s->h * s->dim;

	pack_keys(s, 1, w->keys);
	pack_keys(s, 2, w->values);
	pack_tokens(s, head_part(s, 1, 0), s->ld, s->len, w->key_rows);
	memset(w->dk, 0, sizeof(float) * padded(s->len, MR) * dwide);
	memset(w->dv, 0, sizeof(float) * padded(s->len, MR) * dwide);
	for (int t = 0; t < s->len; t += BACK_QUERIES) {
		const int rows = least(BACK_QUERIES, s->len - t);
		const float *dout = douts + (size_t)t * s->hidden;

		pack_rows(s->kind, w->q, head_part(s, 0, t), s->ld, rows, s->dim);
		pack_rows(s->kind, w->dout, dout, s->hidden, rows, s->dim);
		pack_tokens(s, head_part(s, 0, t), s->ld, rows, w->q_rows);
		pack_tokens(s, dout, s->hidden, rows, w->dout_rows);
		memset(w->dq, 0, sizeof(float) * padded(rows, MR) * dwide);
		for (int j = 0; j < s->len; j += KEYS)
			attention_back_tile(s, w, t, rows, j, least(KEYS, s->len - j));
		store_part(s, 0, t, rows, w->dq);
	}
	store_part(s, 1, 0, s->len, w->dk);
	store_part(s, 2, 0, s->len, w->dv);
}

/* Lays out a thread's scratch at p; the number of floats it takes. */
static size_t
attention_back_own(const struct rk_attention *o, struct attention_back_own *w, float *p)
{
	const size_t keys = attention_keys_size(o), block = (size_t)BACK_QUERIES * padded(o->dim, VL);
	const size_t tile = (size_t)BACK_QUERIES * KEYS;
	const struct { float **at; size_t n; } list[] = {
		{ &w->keys, keys }, { &w->values, keys }, { &w->key_rows, keys }, { &w->dk, keys }, { &w->dv, keys },
		{ &w->q, block }, { &w->dout, block }, { &w->q_rows, block }, { &w->dout_rows, block },
		{ &w->dq, block }, { &w->p, tile }, { &w->ds, tile }, { &w->words, tile }, { &w->p_pairs, tile },
		{ &w->ds_pairs, tile },
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		*list[i].at = p != NULL ? p + n : NULL;
		n += (list[i].n + 15) / 16 * 16;
	}
	return n;
}

static struct rk_need
attention_back_need(const struct rk_attention *o)
{
	struct attention_back_own w;

	return (struct rk_need){ 0, sizeof(float) * attention_back_own(o, &w, NULL) };
}

static void
cpu_attention_back(const struct rk_call *call, const struct rk_env *e)
{
	const struct rk_attention *o = &call->u.attention;
	struct attention_back_own w;

	attention_back_own(o, &w, e->own);
#pragma omp for schedule(dynamic)
	for (int i = 0; i < e->live[RK_LIVE_SEQS] * o->heads; i++) {
		const int b = i / o->heads;
		const struct head s = head_init(o, o->offsets[b], o->offsets[b + 1] - o->offsets[b], i % o->heads);

		attention_back_head(&s, &w);
	}
}

#endif
