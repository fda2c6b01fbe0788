/*
 * kernel_maps.h: problems of kernel_problem.h for the ops over channels, steps and maps.
 */
#ifndef KERNEL_MAPS_H
#define KERNEL_MAPS_H

#include "kernel_problem.h"

/* What the buffers of each problem are. */
enum { V_X, V_W, V_BIAS, V_Y, V_DY, V_DX, V_DW, V_DBIAS };
enum { GN_X, GN_GAMMA, GN_BETA, GN_RES, GN_STATS, GN_Y, GN_DY, GN_DX, GN_DRES, GN_DGAMMA, GN_DBETA };
enum { T_GATES, T_GATES1, T_W, T_W1, T_B, T_B1, T_CELL, T_CELL1, T_Y, T_DY, T_DGATES, T_DGATES1, T_DW, T_DW1, T_DB,
	T_DB1 };
enum { O_X, O_Y, O_DY, O_DX };          /* ops without parameters; a lookup's x is its table */

static void *
m_at(const struct problem *s, int i)
{
	return s->buf[i].n > 0 ? s->buf[i].d : NULL;
}

/* The gradient of a buffer; fresh: written, not added to. */
static void
m_of(struct problem *s, int grad, int of, int fresh)
{
	s->buf[grad].of = of;
	s->buf[grad].fresh = fresh;
}

/* The rows of sequences of these lengths, or of maps of these sides (two); lens ends with 0. */
static int
m_rows(struct problem *s, const int *lens, int two)
{
	int rows = 0, longest = 0;

	for (; lens[s->seqs] > 0; s->seqs++) {
		const int n = lens[s->seqs];

		s->lens[s->seqs] = s->side[s->seqs] = n;
		rows += two ? n * n : n;
		s->offsets[s->seqs + 1] = s->x_first[s->seqs + 1] = rows;
		longest = n > longest ? n : longest;
	}
	p_keys(s, rows);
	s->live[RK_LIVE_SEQS] = s->live[RK_LIVE_MAPS] = s->seqs;
	s->rows = rows;
	s->k = longest;
	return rows;
}

static void
m_add(struct problem *s, enum rk_op op, const struct rk_call *c)
{
	s->calls[s->ncalls] = *c;
	s->calls[s->ncalls].store = s->precision == RK_BF16 ? RK_BF16 : RK_FP32;
	s->calls[s->ncalls++].op = op;
}

/* 1. Convolutions.  n, k: channels of y and x */

static void
m_conv_calls(struct problem *s, struct rk *rk, void **packed)
{
	const int taps = s->two ? s->width * s->width : s->width, k = s->classes;
	struct rk_call c = {0}, act = {0};

	s->packed[0] = rk_pack_size(rk, s->n, k * taps, RK_FP32, 0);
	s->packed[1] = rk_pack_size(rk, k, s->n * taps, RK_FP32, 0);
	packed[0] = rk_alloc(rk, s->packed[0]);
	packed[1] = rk_alloc(rk, s->packed[1]);
	c.u.conv = (struct rk_conv){.rows = RK_LIVE_CELLS, .cap = s->rows, .seqs = RK_LIVE_MAPS, .cap_seqs = s->seqs,
	    .max_len = s->k, .w = {m_at(s, V_W), packed[0], packed[1], s->n, k * taps, RK_FP32, taps},
	    .width = s->width, .pad = s->images ? 0 : s->width / 2, .x_first = s->x_first_d,
	    .first = s->offsets_d, .side = s->side_d,
	    .x = m_at(s, V_X), .bias = m_at(s, V_BIAS), .act = s->act, .y = m_at(s, V_Y), .dy = m_at(s, V_DY),
	    .dx = m_at(s, V_DX), .accumulate = s->accumulate, .dw = m_at(s, V_DW), .dbias = m_at(s, V_DBIAS)};
	act.u.linear = (struct rk_linear){.rows = RK_LIVE_CELLS, .cap = s->rows, .w = c.u.conv.w, .act = s->act,
	    .y = m_at(s, V_Y), .dy = m_at(s, V_DY)};
	s->calls[s->ncalls++] = (struct rk_call){ .op = RK_PACK, .u.pack.w = c.u.conv.w };
	m_add(s, s->two ? RK_CONV2D : RK_CONV1D, &c);
	s->nforward = s->ncalls;
	m_add(s, RK_ACT_BACK, &act);
	m_add(s, s->two ? RK_CONV2D_BACK_X : RK_CONV1D_BACK_X, &c);
	m_add(s, s->two ? RK_CONV2D_BACK_W : RK_CONV1D_BACK_W, &c);
}

__attribute__((unused)) static void
m_conv(struct problem *s, const int *lens, int n, int k, int width, enum rk_act act, int bias, int two, int valid)
{
	const double wide = 2 / sqrt(k * width * (two ? width : 1));
	const size_t taps = two ? width * width : width;
	size_t rows, x_rows;

	*s = (struct problem){ .op = two ? RK_CONV2D : RK_CONV1D, .n = n, .classes = k, .width = width, .act = act,
		.two = two, .images = valid, .make = m_conv_calls };
	x_rows = rows = m_rows(s, lens, two);
	for (int b = 0; valid && b < s->seqs; b++)
		s->offsets[b + 1] = s->offsets[b] + (s->lens[b] < width ? 0 : s->lens[b] - width + 1);
	if (valid)
		s->rows = s->live[RK_LIVE_CELLS] = s->offsets[s->seqs], rows = s->rows;
	snprintf(s->name, sizeof(s->name), "conv%dd%s %d->%d, width %d, longest %d, act %d", two + 1,
	    valid ? " valid" : "", k, n, width, s->k, act);
	p_buf(s, "x", !valid, x_rows * k, 0, 1);
	p_buf(s, "w", 0, (size_t)n * k * taps, 0, wide);
	p_buf(s, "bias", 0, bias ? n : 0, 0, 1);
	p_buf(s, "y", !valid, rows * n, 0, 0);
	p_buf(s, "dy", !valid, rows * n, 0, 1);
	p_buf(s, "dx", !valid, x_rows * k, 0, 1);
	p_buf(s, "dw", 0, (size_t)n * k * taps, 0, 1);
	p_buf(s, "dbias", 0, bias ? n : 0, 0, 1);
	s->buf[V_Y].by = V_DY;
	m_of(s, V_DX, V_X, 1);
	m_of(s, V_DW, V_W, 0);
	m_of(s, V_DBIAS, V_BIAS, 0);
}

/* 2. Group norm */

static void
m_group_calls(struct problem *s, struct rk *rk, void **packed)
{
	struct rk_call c = {0};

	(void)rk, (void)packed;
	c.u.group_norm = (struct rk_group_norm){.rows = RK_LIVE_CELLS, .cap = s->rows, .groups = RK_LIVE_MAPS,
	    .cap_groups = s->seqs, .columns = s->n, .first = s->by_row ? NULL : s->offsets_d, .x = m_at(s, GN_X),
	    .gamma = m_at(s, GN_GAMMA), .beta = m_at(s, GN_BETA), .eps = s->eps, .act = s->act,
	    .drop = { s->p, 5, s->row_key }, .residual = m_at(s, GN_RES), .stats = m_at(s, GN_STATS),
	    .y = m_at(s, GN_Y),
	    .dy = m_at(s, GN_DY), .dx = m_at(s, GN_DX), .dresidual = m_at(s, GN_DRES), .dgamma = m_at(s, GN_DGAMMA),
	    .dbeta = m_at(s, GN_DBETA)};
	m_add(s, RK_GROUP_NORM, &c);
	s->nforward = s->ncalls;
	m_add(s, RK_GROUP_NORM_BACK, &c);
}

__attribute__((unused)) static void
m_group(struct problem *s, const int *lens, int n, enum rk_act act, int residual, float p, int by_row, int two)
{
	size_t size;

	*s = (struct problem){ .op = RK_GROUP_NORM, .n = n, .act = act, .p = p, .eps = 1e-5f, .by_row = by_row,
		.two = two, .make = m_group_calls };
	size = (size_t)m_rows(s, lens, two) * n;
	snprintf(s->name, sizeof(s->name), "group norm of %s, %d columns, act %d%s, dropout %g",
	    by_row ? "rows" : two ? "maps" : "sequences", n, act, residual ? ", residual" : "", p);
	p_buf(s, "x", 1, size, 0.5, 1);
	p_buf(s, "gamma", 0, n, 1, 0.5);
	p_buf(s, "beta", 0, n, 0, 0.5);
	p_buf(s, "residual", 1, residual ? size : 0, 0, 1);
	p_buf(s, "stats", by_row, 2 * (size_t)(by_row ? s->rows : s->seqs), 0, 0);
	s->buf[GN_STATS].real = 1;
	p_buf(s, "y", 1, size, 0, 0);
	p_buf(s, "dy", 1, size, 0, 1);
	p_buf(s, "dx", 1, size, 0, 1);
	p_buf(s, "dresidual", 1, residual ? size : 0, 0, 1);
	p_buf(s, "dgamma", 0, n, 0, 1);
	p_buf(s, "dbeta", 0, n, 0, 1);
	s->buf[GN_Y].by = GN_DY;
	m_of(s, GN_DX, GN_X, 1);
	m_of(s, GN_DRES, GN_RES, 1);
	m_of(s, GN_DGAMMA, GN_GAMMA, 0);
	m_of(s, GN_DBETA, GN_BETA, 0);
}

/* 3. LSTM */

static void
m_lstm_calls(struct problem *s, struct rk *rk, void **packed)
{
	struct rk_call c = {0};

	(void)rk, (void)packed;
	c.u.lstm = (struct rk_lstm){.rows = RK_LIVE_TOKENS, .cap = s->rows, .cap_seqs = s->seqs, .max_len = s->k,
	    .hidden = s->n, .directions = s->two, .first = s->offsets_d, .gates = { m_at(s,
	    T_GATES), m_at(s, T_GATES1) },
	    .w_hh = { m_at(s, T_W), m_at(s, T_W1) }, .b_hh = { m_at(s, T_B), m_at(s, T_B1) },
	    .cell = { m_at(s, T_CELL), m_at(s, T_CELL1) }, .y = m_at(s, T_Y), .dy = m_at(s, T_DY),
	    .dgates = { m_at(s, T_DGATES), m_at(s, T_DGATES1) }, .dw_hh = { m_at(s, T_DW), m_at(s, T_DW1) },
	    .db_hh = { m_at(s, T_DB), m_at(s, T_DB1) }};
	m_add(s, RK_LSTM, &c);
	s->nforward = s->ncalls;
	m_add(s, RK_LSTM_BACK, &c);
}

__attribute__((unused)) static void
m_lstm(struct problem *s, const int *lens, int hidden, int directions)
{
	static const char *const names[] = { "gates", "w_hh", "b_hh", "cell", "y", "dy", "dgates", "dw_hh", "db_hh" };
	size_t rows, n = hidden, size[9];

	*s = (struct problem){ .op = RK_LSTM, .n = hidden, .two = directions, .make = m_lstm_calls };
	rows = m_rows(s, lens, 0);
	snprintf(s->name, sizeof(s->name), "lstm %d steps at most, hidden %d, %d directions", s->k, hidden, directions);
	size[0] = size[6] = 4 * n * rows, size[1] = size[7] = 4 * n * n, size[2] = size[8] = 4 * n, size[3] = n * rows;
	size[4] = size[5] = directions * n * rows;
	for (int i = 0; i < 9; i++)
		for (int d = 0; d < (i == 4 || i == 5 ? 1 : 2); d++) {
			const int own = i == 3 || i == 4;

			p_buf(s, names[i], i != 1 && i != 2 && i < 7, d < directions ? size[i] : 0, 0,
			    own ? 0 : i == 1 ? 1 / sqrt(hidden) : 1);
		}
	s->buf[T_Y].by = T_DY;
	for (int d = 0; d < 2; d++) {
		m_of(s, T_DGATES + d, T_GATES + d, 1);
		m_of(s, T_DW + d, T_W + d, 0);
		m_of(s, T_DB + d, T_B + d, 0);
	}
}

/* 4. Ops without parameters */

static void
m_plain(struct problem *s, size_t x, size_t y, int accumulate)
{
	p_buf(s, "x", 0, x, 0, 1);
	p_buf(s, "y", 0, y, 0, 0);
	p_buf(s, "dy", 0, y, 0, 1);
	p_buf(s, "dx", 0, x, 0, 1);
	s->buf[O_Y].by = O_DY;
	m_of(s, O_DX, O_X, !accumulate);
}

static void
m_pair_calls(struct problem *s, struct rk *rk, void **packed)
{
	const int merge = s->op == RK_PAIR_MERGE;
	struct rk_call c = {0};

	(void)rk, (void)packed;
	c.u.pair = (struct rk_pair){.cap = s->rows, .cap_cells = s->live[RK_LIVE_CELLS], .cap_seqs = s->seqs,
	    .columns = s->n, .images = s->images, .diagonal = s->diagonal, .offsets = s->offsets_d,
	    .maps = s->x_first_d,
	    .pairs = merge ? s->side_d : NULL, .x = m_at(s, O_X), .y = m_at(s, O_Y), .dy = m_at(s, O_DY),
	    .dx = m_at(s, O_DX)};
	m_add(s, merge ? RK_PAIR_MERGE : RK_PAIR_MAP, &c);
	s->nforward = s->ncalls;
	m_add(s, merge ? RK_PAIR_MERGE_BACK : RK_PAIR_MAP_BACK, &c);
}

/* Maps of sequences of these lengths, or their merging; s->side holds where the merged maps begin. */
__attribute__((unused)) static void
m_pair(struct problem *s, const int *lens, int n, int images, int diagonal, int merge)
{
	int cells = 0, pairs = 0;

	*s = (struct problem){ .op = merge ? RK_PAIR_MERGE : RK_PAIR_MAP, .n = n, .images = images,
		.diagonal = diagonal, .make = m_pair_calls };
	m_rows(s, lens, 0);
	for (int b = 0; b < s->seqs; b++) {
		for (int i = 0; i < images; i++)
			s->x_first[b * images + i + 1] = cells += s->lens[b] * s->lens[b];
		s->side[b] = pairs;
		pairs += s->lens[b] * s->lens[b];
	}
	s->side[s->seqs] = pairs;
	s->live[RK_LIVE_CELLS] = cells;
	snprintf(s->name, sizeof(s->name), "pair %s, %d images%s, longest %d", merge ? "merge" : "map", images,
	    diagonal ? " with diagonal" : "", s->k);
	m_plain(s, (size_t)(merge ? cells : s->rows) * n, (size_t)(merge ? pairs : cells) * n, 0);
}

static void
m_pool_calls(struct problem *s, struct rk *rk, void **packed)
{
	struct rk_call c = {0};

	(void)rk, (void)packed;
	c.u.max_pool = (struct rk_max_pool){RK_LIVE_POOLED, s->offsets[s->seqs], s->seqs, s->n,
	    s->x_first_d, s->offsets_d,
	    m_at(s, O_X), m_at(s, O_Y), m_at(s, O_DY), m_at(s, O_DX)};
	m_add(s, RK_MAX_POOL, &c);
	s->nforward = s->ncalls;
	m_add(s, RK_MAX_POOL_BACK, &c);
}

__attribute__((unused)) static void
m_pool(struct problem *s, const int *lens, int n)
{
	*s = (struct problem){ .op = RK_MAX_POOL, .n = n, .make = m_pool_calls };
	m_rows(s, lens, 0);
	for (int b = 0; b < s->seqs; b++)
		s->offsets[b + 1] = s->offsets[b] + s->lens[b] / 2;
	s->live[RK_LIVE_POOLED] = s->offsets[s->seqs];
	snprintf(s->name, sizeof(s->name), "max pool, longest %d, %d columns", s->k, n);
	m_plain(s, (size_t)s->rows * n, (size_t)s->offsets[s->seqs] * n, 0);
}

static void
m_turn_calls(struct problem *s, struct rk *rk, void **packed)
{
	struct rk_call c = {0};

	(void)rk, (void)packed;
	c.u.turn = (struct rk_turn){s->rows, s->k, s->n, m_at(s, O_X), m_at(s, O_Y)};
	m_add(s, RK_TURN, &c);
	s->nforward = s->ncalls;
	c.u.turn = (struct rk_turn){s->rows, s->n, s->k, m_at(s, O_DY), m_at(s, O_DX)};
	m_add(s, RK_TURN, &c);
}

__attribute__((unused)) static void
m_turn(struct problem *s, int seqs, int rows, int n)
{
	*s = (struct problem){ .op = RK_TURN, .rows = seqs, .k = rows, .n = n, .make = m_turn_calls };
	snprintf(s->name, sizeof(s->name), "turn of %d times %dx%d", seqs, rows, n);
	p_keys(s, seqs);
	m_plain(s, (size_t)seqs * rows * n, (size_t)seqs * rows * n, 0);
}

static void
m_lookup_calls(struct problem *s, struct rk *rk, void **packed)
{
	struct rk_call c = {0};

	(void)rk, (void)packed;
	c.u.lookup = (struct rk_lookup){s->rows, s->k, s->n, -1, s->token, m_at(s, O_X), m_at(s, O_Y), m_at(s, O_DY),
	    m_at(s, O_DX)};
	m_add(s, RK_LOOKUP, &c);
	s->nforward = s->ncalls;
	m_add(s, RK_LOOKUP_BACK, &c);
}

__attribute__((unused)) static void
m_lookup(struct problem *s, int rows, int entries, int n)
{
	*s = (struct problem){ .op = RK_LOOKUP, .rows = rows, .k = entries, .n = n, .make = m_lookup_calls };
	snprintf(s->name, sizeof(s->name), "lookup %d of %dx%d", rows, entries, n);
	p_keys(s, rows);
	s->token = p_calloc(rows, 1);
	for (int i = 0; i < rows; i++)
		s->token[i] = p_bits() % entries;
	m_plain(s, (size_t)entries * n, (size_t)rows * n, 1);
}

static void
m_columns_calls(struct problem *s, struct rk *rk, void **packed)
{
	struct rk_call c = {0};

	(void)rk, (void)packed;
	c.u.columns = (struct rk_columns){RK_LIVE_TOKENS, s->rows, s->n - 2, m_at(s, O_X), s->n, 1, m_at(s, O_Y),
	    s->n + 3, 2, s->accumulate};
	m_add(s, RK_COLUMNS, &c);
	s->nforward = s->ncalls;
	c.u.columns = (struct rk_columns){RK_LIVE_TOKENS, s->rows, s->n - 2, m_at(s, O_DY), s->n + 3, 2, m_at(s, O_DX),
	    s->n, 1, 1};
	m_add(s, RK_COLUMNS, &c);
}

/* n - 2 of n columns into n + 3; the gradient is added to. */
__attribute__((unused)) static void
m_columns(struct problem *s, int rows, int n, int accumulate)
{
	*s = (struct problem){ .op = RK_COLUMNS, .rows = rows, .n = n, .accumulate = accumulate,
		.make = m_columns_calls };
	snprintf(s->name, sizeof(s->name), "columns of %dx%d%s", rows, n, accumulate ? ", added" : "");
	p_keys(s, rows);
	m_plain(s, (size_t)rows * n, (size_t)rows * (n + 3), 1);
}

#endif
