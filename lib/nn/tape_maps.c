/*
 * tape_maps.c: recording of ops over channels, steps and maps: what convolutional nets, LSTMs and maps of pairs need.
 */
#include <string.h>

#include "nn/tape_private.h"

/* 1. Channels */

rna_t
rna_tape_lookup(struct rna_tape *t, int table, int pad)
{
	struct tape_node *n = rna_tape_node(t, TAPE_LOOKUP, -1);

	if (!n || table < 0 || table >= t->params->n || t->params->list[table].ndim != 2) {
		rna_tape_fail(t, RNA_EINVAL, "the model lacks a table");
		return -1;
	}
	n->weight = table;
	n->entry = pad;
	return rna_tape_made(t, n, rna_tape_tensor(t, RK_LIVE_TOKENS, t->params->list[table].dims[1]));
}

/* A node of two inputs with the same rows. */
static struct tape_node *
two(struct rna_tape *t, enum tape_kind kind, rna_t a, rna_t b)
{
	struct tape_node *n = rna_tape_node(t, kind, a);

	if (!n)
		return NULL;
	if (b < 0 || b >= t->ntensors || t->tensors[b].rows != t->tensors[a].rows || a == b) {
		rna_tape_fail(t, RNA_EINVAL, "tensors of other rows");
		return NULL;
	}
	n->residual = b;
	return n;
}

rna_t
rna_tape_join(struct rna_tape *t, rna_t a, rna_t b)
{
	struct tape_node *n = two(t, TAPE_JOIN, a, b);

	if (!n)
		return -1;
	return rna_tape_made(
	    t, n, rna_tape_tensor(t, t->tensors[a].rows, t->tensors[a].columns + t->tensors[b].columns));
}

rna_t
rna_tape_sum(struct rna_tape *t, rna_t a, rna_t b)
{
	struct tape_node *n = two(t, TAPE_SUM, a, b);

	if (!n)
		return -1;
	if (t->tensors[a].columns != t->tensors[b].columns)
		rna_tape_fail(
		    t, RNA_EINVAL, "a sum of %d and %d columns", t->tensors[a].columns, t->tensors[b].columns);
	return rna_tape_made(t, n, rna_tape_tensor(t, t->tensors[a].rows, t->tensors[a].columns));
}

rna_t
rna_tape_drop(struct rna_tape *t, rna_t x, float p)
{
	struct tape_node *n;

	if (!t->opts.train || !(p > 0))
		return x;
	if (!(n = rna_tape_node(t, TAPE_DROPOUT, x)))
		return -1;
	n->by_row = 1;
	rna_tape_site(t, n, p, 1, t->tensors[x].rows);
	return rna_tape_made(t, n, rna_tape_tensor(t, t->tensors[x].rows, t->tensors[x].columns));
}

/* 2. Convolution, norm, pooling */

/* Rows whose sequences the tape knows. */
static int
has_first(struct rna_tape *t, enum rk_live rows)
{
	if (rows == RK_LIVE_TOKENS || (rows >= RK_LIVE_CELLS && rna_tape_capacity(t, rows) > 0))
		return 1;
	rna_tape_fail(t, RNA_EINVAL, "an op over sequences of rows that have none");
	return 0;
}

static rna_t
convolution(struct rna_tape *t, enum tape_kind kind, rna_t x, int weight, int bias, enum rk_act act, enum rk_live rows)
{
	const int ndim = kind == TAPE_CONV2D ? 4 : 3;
	struct tape_node *n = rna_tape_node(t, kind, x);
	const struct rna_param *p;

	if (!n || !has_first(t, t->tensors[x].rows) || !has_first(t, rows))
		return -1;
	p = weight >= 0 && weight < t->params->n ? &t->params->list[weight] : NULL;
	if (!p || p->ndim != ndim || p->dims[1] != t->tensors[x].columns || p->dims[2] != p->dims[ndim - 1]) {
		rna_tape_fail(t, RNA_EINVAL, "%s is no kernel for %d channels", p ? p->name : "nothing",
		    t->tensors[x].columns);
		return -1;
	}
	if (bias >= 0 && !rna_tape_has_shape(t, bias, p->dims[0], 0))
		return -1;
	if (act == RK_GELU || (rows == t->tensors[x].rows && p->dims[2] % 2 == 0))
		rna_tape_fail(t, RNA_EINVAL, "%s: an even kernel keeps no length; no GELU", p->name);
	n->weight = weight;
	n->bias = bias;
	n->act = act;
	n->width = p->dims[2];
	n->padding = rows == t->tensors[x].rows ? n->width / 2 : 0;
	n->pack = rna_tape_pack(t, weight);
	return rna_tape_made(t, n, rna_tape_tensor(t, rows, p->dims[0]));
}

rna_t
rna_tape_conv1d(struct rna_tape *t, rna_t x, int weight, int bias, enum rk_act act, int valid)
{
	if (x < 0 || x >= t->ntensors)
		return -1;
	return convolution(t, TAPE_CONV1D, x, weight, bias, act, valid ? RK_LIVE_VALID : t->tensors[x].rows);
}

rna_t
rna_tape_conv2d(struct rna_tape *t, rna_t x, int weight, int bias, enum rk_act act)
{
	return convolution(t, TAPE_CONV2D, x, weight, bias, act, RK_LIVE_CELLS);
}

rna_t
rna_tape_group_norm(struct rna_tape *t, rna_t x, rna_t residual, int gamma, int beta, float eps, enum rk_act act,
    float p, int rows)
{
	struct tape_node *n =
	    residual >= 0 ? two(t, TAPE_GROUP_NORM, x, residual) : rna_tape_node(t, TAPE_GROUP_NORM, x);
	enum rk_live kind;
	int columns;

	if (!n)
		return -1;
	kind = t->tensors[x].rows;
	columns = t->tensors[x].columns;
	if ((!rows && !has_first(t, kind)) || !rna_tape_has_shape(t, gamma, columns, 0) ||
	    !rna_tape_has_shape(t, beta, columns, 0))
		return -1;
	if (residual >= 0 && t->tensors[residual].columns != columns)
		rna_tape_fail(t, RNA_EINVAL, "a residual of another shape");
	n->gamma = gamma;
	n->beta = beta;
	n->eps = eps;
	n->act = act;
	n->by_row = 1;
	n->entry = rows;
	rna_tape_site(t, n, p, 1, kind);
	n->stats = rna_tape_statistics(
	    t, rows ? kind : kind == RK_LIVE_CELLS ? RK_LIVE_MAPS : RK_LIVE_SEQS, 2);
	return rna_tape_made(t, n, rna_tape_tensor(t, kind, columns));
}

rna_t
rna_tape_max_pool(struct rna_tape *t, rna_t x)
{
	struct tape_node *n = rna_tape_node(t, TAPE_MAX_POOL, x);

	if (!n || !has_first(t, t->tensors[x].rows) || !has_first(t, RK_LIVE_POOLED))
		return -1;
	return rna_tape_made(t, n, rna_tape_tensor(t, RK_LIVE_POOLED, t->tensors[x].columns));
}

rna_t
rna_tape_ends(struct rna_tape *t, rna_t x, int last)
{
	struct tape_node *n = rna_tape_node(t, TAPE_ENDS, x);

	if (!n || !has_first(t, t->tensors[x].rows))
		return -1;
	n->width = last;
	n->act = RK_RELU;
	n->aux = rna_tape_matrix(t, RK_LIVE_SEQS, t->tensors[x].columns);
	n->stats = rna_tape_matrix(t, RK_LIVE_SEQS, t->tensors[x].columns);
	return rna_tape_made(t, n, rna_tape_tensor(t, RK_LIVE_SEQS, t->tensors[x].columns));
}

rna_t
rna_tape_turn(struct rna_tape *t, rna_t x, int rows)
{
	struct tape_node *n = rna_tape_node(t, TAPE_TURN, x);

	if (!n || !has_first(t, RK_LIVE_STEPS))
		return -1;
	n->width = rows;
	return rna_tape_made(t, n, rna_tape_tensor(t, RK_LIVE_STEPS, rows));
}

/* 3. LSTM */

rna_t
rna_tape_lstm(struct rna_tape *t, rna_t x, const struct rna_lstm_params *p)
{
	struct tape_node *n;
	rna_t gates[2] = {-1, -1};
	int hidden;

	for (int d = 0; d < p->directions; d++)
		gates[d] = rna_tape_linear(t, x, p->w_ih[d], p->b_ih[d], RK_NONE);
	n = p->directions == 2 ? two(t, TAPE_LSTM, gates[0], gates[1]) : rna_tape_node(t, TAPE_LSTM, gates[0]);
	if (!n || !has_first(t, t->tensors[x].rows))
		return -1;
	hidden = t->tensors[gates[0]].columns / 4;
	for (int d = 0; d < p->directions; d++) {
		if (!rna_tape_has_shape(t, p->w_hh[d], 4 * hidden, hidden) ||
		    !rna_tape_has_shape(t, p->b_hh[d], 4 * hidden, 0))
			return -1;
		n->w_hh[d] = p->w_hh[d];
		n->b_hh[d] = p->b_hh[d];
		n->cell[d] = rna_tape_matrix(t, t->tensors[x].rows, hidden);
	}
	n->heads = p->directions;
	return rna_tape_made(t, n, rna_tape_tensor(t, t->tensors[x].rows, p->directions * hidden));
}

/* 4. Maps of pairs */

rna_t
rna_tape_pair_map(struct rna_tape *t, rna_t x, int images, int diagonal)
{
	struct tape_node *n = rna_tape_node(t, TAPE_PAIR_MAP, x);

	if (!n || !has_first(t, RK_LIVE_CELLS))
		return -1;
	if (t->tensors[x].rows != RK_LIVE_TOKENS || t->tensors[x].columns % 2)
		rna_tape_fail(t, RNA_EINVAL, "a map is of pairs of tokens with an even number of columns");
	n->images = images;
	n->diagonal = diagonal;
	return rna_tape_made(t, n, rna_tape_tensor(t, RK_LIVE_CELLS, t->tensors[x].columns));
}

rna_t
rna_tape_pair_merge(struct rna_tape *t, rna_t x, int images, int diagonal)
{
	struct tape_node *n = rna_tape_node(t, TAPE_PAIR_MERGE, x);

	if (!n || !has_first(t, RK_LIVE_PAIRS))
		return -1;
	if (t->tensors[x].rows != RK_LIVE_CELLS)
		rna_tape_fail(t, RNA_EINVAL, "images are merged cell by cell");
	n->images = images;
	n->diagonal = diagonal;
	return rna_tape_made(t, n, rna_tape_tensor(t, RK_LIVE_PAIRS, t->tensors[x].columns));
}
