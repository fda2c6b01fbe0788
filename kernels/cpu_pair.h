/*
 * cpu_pair.h: maps of pairs, their dropout keys and merging; lookup, columns, pooling, turn.
 */
#ifndef CPU_PAIR_H
#define CPU_PAIR_H

#include "cpu_rows.h"

/* 1. Rows */

static void
cpu_lookup(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_lookup *o = &c->u.lookup;
	const size_t n = o->columns;

#pragma omp for schedule(static)
	for (int r = 0; r < e->live[RK_LIVE_TOKENS]; r++)
		memcpy((float *)o->y + r * n, (const float *)o->table + o->id[r] * n, n * sizeof(float));
}

/* Each entry has one owner. */
static void
cpu_lookup_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_lookup *o = &c->u.lookup;
	const size_t n = o->columns;

#pragma omp for schedule(static)
	for (int i = 0; i < o->entries; i++)
		for (int r = 0; i != o->pad && r < e->live[RK_LIVE_TOKENS]; r++)
			if (o->id[r] == i)
				add_row((float *)o->dtable + i * n, (const float *)o->dy + r * n, n);
}

static void
cpu_columns(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_columns *o = &c->u.columns;

#pragma omp for schedule(static)
	for (int r = 0; r < e->live[o->rows]; r++) {
		const float *x = (const float *)o->x + (size_t)r * o->x_columns + o->x_at;
		float *y = (float *)o->y + (size_t)r * o->y_columns + o->y_at;

		if (o->accumulate)
			add_row(y, x, (size_t)o->columns);
		else
			memcpy(y, x, sizeof(*y) * o->columns);
	}
}

static void
cpu_turn(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_turn *o = &c->u.turn;
	const size_t n = (size_t)o->rows * o->columns;

#pragma omp for schedule(static)
	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++)
		for (int i = 0; i < o->columns; i++)
			for (int r = 0; r < o->rows; r++)
				((float *)o->y)[b * n + (size_t)i * o->rows + r] =
				    ((const float *)o->x)[b * n + (size_t)r * o->columns + i];
}

static void
cpu_max_pool(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_max_pool *o = &c->u.max_pool;
	const size_t n = o->columns;

#pragma omp for schedule(dynamic)
	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++)
		for (int t = 0; t < o->first[b + 1] - o->first[b]; t++) {
			const float *x = (const float *)o->x + (o->x_first[b] + 2 * (size_t)t) * n;
			float *y = (float *)o->y + (o->first[b] + (size_t)t) * n;

			for (size_t i = 0; i < n; i++)
				y[i] = x[n + i] > x[i] ? x[n + i] : x[i];
		}
}

static void
cpu_max_pool_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_max_pool *o = &c->u.max_pool;
	const size_t n = o->columns;

#pragma omp for schedule(dynamic)
	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++) {
		float *to = (float *)o->dx + o->x_first[b] * n;

		memset(to, 0, sizeof(float) * n * (size_t)(o->x_first[b + 1] - o->x_first[b]));
		for (int t = 0; t < o->first[b + 1] - o->first[b]; t++, to += 2 * n) {
			const float *x = (const float *)o->x + (o->x_first[b] + 2 * (size_t)t) * n;
			const float *dy = (const float *)o->dy + (o->first[b] + (size_t)t) * n;

			for (size_t i = 0; i < n; i++)
				to[x[n + i] > x[i] ? n + i : i] = dy[i];
		}
	}
}

/* 2. Maps */

/* The cells of line i that an image has: from *j on, `n` of them returned. */
static int
pair_span(const struct rk_pair *o, int image, int i, int side, int *j)
{
	*j = image == 1 ? 0 : o->diagonal ? i : i + 1;
	return image == 1 ? i : side - *j;
}

static void
cpu_cell_keys(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_pair *o = &c->u.pair;
	const int images = o->pairs != NULL ? 1 : o->images;

	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++) {
		const int n = o->offsets[b + 1] - o->offsets[b];
		const uint64_t *row = o->row_key + o->offsets[b];

#pragma omp for schedule(static) nowait
		for (int p = 0; p < images * n; p++) {
			const int first = o->pairs != NULL ? o->pairs[b] : o->maps[o->images * b];
			uint64_t *key = o->key + first + (size_t)p * n;

			for (int j = 0; j < n; j++)
				key[j] = rk_cell_key(row[p % n], row[j], p / n);
		}
	}
#pragma omp barrier
}

/* Line i of an image; right [side][columns/2]: what each token gives to the second half of a cell. */
static void
pair_line(const struct rk_pair *o, int image, int i, int side, const float *x, const float *right, float *y)
{
	const int n = o->columns, half = n / 2;
	int from, cells = pair_span(o, image, i, side, &from);

	memset(y, 0, sizeof(*y) * from * n);
	for (int j = from; j < from + cells; j++) {
		float *cell = y + (size_t)j * n;

		if (j == from)
			for (int k = 0; k < half; k++)
				cell[k] = x[(size_t)i * n + 2 * k];
		else
			memcpy(cell, y + (size_t)from * n, sizeof(*y) * half);
		memcpy(cell + half, right + (size_t)j * half, sizeof(*y) * half);
	}
	memset(y + (size_t)(from + cells) * n, 0, sizeof(*y) * (size_t)(side - from - cells) * n);
}

static void
cpu_pair_map(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_pair *o = &c->u.pair;
	const int n = o->columns, half = n / 2;
	float *right = e->shared;

#pragma omp for schedule(static)
	for (int t = 0; t < e->live[RK_LIVE_TOKENS]; t++)
		for (int k = 0; k < half; k++)
			right[(size_t)t * half + k] = ((const float *)o->x)[(size_t)t * n + n - 1 - 2 * k];
	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++) {
		const int first = o->offsets[b], side = o->offsets[b + 1] - first;

#pragma omp for schedule(static) nowait
		for (int p = 0; p < o->images * side; p++)
			pair_line(o, p / side, p % side, side, (const float *)o->x + (size_t)first * n,
			    right + (size_t)first * half,
			    (float *)o->y + ((size_t)o->maps[o->images * b] + (size_t)p * side) * n);
	}
#pragma omp barrier
}

/* dx of token t of a sequence: the first halves of its line, the second halves of its column. */
static void
pair_token_back(const struct rk_pair *o, int b, int t, float *sum)
{
	const int n = o->columns, half = n / 2, side = o->offsets[b + 1] - o->offsets[b];
	float *dx = (float *)o->dx + (size_t)(o->offsets[b] + t) * n;

	memset(sum, 0, sizeof(*sum) * n);
	for (int image = 0; image < o->images; image++) {
		const float *dy = (const float *)o->dy + (size_t)o->maps[o->images * b + image] * n;
		int from, cells = pair_span(o, image, t, side, &from);

		for (int j = from; j < from + cells; j++)
			add_row(sum, dy + ((size_t)t * side + j) * n, (size_t)half);
		for (int i = 0; i < side; i++) {
			cells = pair_span(o, image, i, side, &from);
			if (t >= from && t < from + cells)
				add_row(sum + half, dy + ((size_t)i * side + t) * n + half, (size_t)half);
		}
	}
	for (int k = 0; k < half; k++) {
		dx[2 * k] = sum[k];
		dx[n - 1 - 2 * k] = sum[half + k];
	}
}

static void
cpu_pair_map_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_pair *o = &c->u.pair;

	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++) {
#pragma omp for schedule(static) nowait
		for (int t = 0; t < o->offsets[b + 1] - o->offsets[b]; t++)
			pair_token_back(o, b, t, e->own);
	}
#pragma omp barrier
}

/* Cells between the images (of x or dx) and the merged map (y or dy), line by line. */
static void
pair_merge(const struct rk_pair *o, const struct rk_env *e, int back)
{
	const size_t n = o->columns;

	for (int b = 0; b < e->live[RK_LIVE_SEQS]; b++) {
		const int side = o->offsets[b + 1] - o->offsets[b];

#pragma omp for schedule(static) nowait
		for (int i = 0; i < side; i++) {
			const size_t pair = ((size_t)o->pairs[b] + (size_t)i * side) * n;

			if (!back)
				memset((float *)o->y + pair, 0, sizeof(float) * side * n);
			for (int image = 0; image < o->images; image++) {
				const size_t cell = ((size_t)o->maps[o->images * b + image] + (size_t)i * side) * n;
				int from, cells = pair_span(o, image, i, side, &from);

				if (back)
					memset((float *)o->dx + cell, 0, sizeof(float) * side * n);
				if (back)
					memcpy((float *)o->dx + cell + from * n, (const float *)o->dy + pair + from * n,
					    sizeof(float) * cells * n);
				else
					memcpy((float *)o->y + pair + from * n, (const float *)o->x + cell + from * n,
					    sizeof(float) * cells * n);
			}
		}
	}
#pragma omp barrier
}

static void cpu_pair_merge(const struct rk_call *c, const struct rk_env *e) { pair_merge(&c->u.pair, e, 0); }
static void cpu_pair_merge_back(const struct rk_call *c, const struct rk_env *e) { pair_merge(&c->u.pair, e, 1); }

static struct rk_need
pair_need(const struct rk_pair *o, enum rk_op op)
{
	if (op == RK_PAIR_MAP)
		return (struct rk_need){ sizeof(float) * (size_t)o->cap * (o->columns / 2), 0 };
	return (struct rk_need){ 0, op == RK_PAIR_MAP_BACK ? sizeof(float) * padded(o->columns, VL) : 0 };
}

#endif
