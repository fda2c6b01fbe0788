/*
 * tape_maps_calls.c: from the nodes of tape_maps.c to calls of rk.h.
 */
#include "nn/tape_private.h"

static void *
data(const struct rna_tape *t, rna_t x)
{
	return x < 0 ? NULL : rna_tape_buffer_at(t, t->tensors[x].data);
}

static void *
dx(const struct rna_tape *t, const struct tape_node *n)
{
	return rna_tape_target(t, n->x, n->give_x, n->via_x);
}

static void *
dresidual(const struct rna_tape *t, const struct tape_node *n)
{
	return rna_tape_target(t, n->residual, n->give_residual, n->via_residual);
}

/* Sequences that a kind of rows is cut into. */
static enum rk_live
groups_of(enum rk_live rows)
{
	return rows == RK_LIVE_CELLS ? RK_LIVE_MAPS : RK_LIVE_SEQS;
}

/* Longest sequence of a kind of rows: that of the tokens bounds those made of them. */
static int
longest(const struct rna_tape *t, enum rk_live rows)
{
	return rows == RK_LIVE_STEPS ? t->opts.steps : rows == RK_LIVE_CELLS ? t->opts.max_side : t->opts.max_len;
}

/* 1. The arguments of a node, forward and backward in one */

static void
lookup_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	const struct rna_param *p = &t->params->list[n->weight];

	c->u.lookup = (struct rk_lookup){t->tensors[n->y].cap, p->dims[0], p->dims[1], n->entry, t->in.token,
	    rna_tape_value(t, n->weight), data(t, n->y), rna_tape_grad(t, n->y), rna_tape_dvalue(t, n->weight)};
}

static void
conv_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	const struct tape_tensor *x = &t->tensors[n->x], *y = &t->tensors[n->y];

	c->u.conv = (struct rk_conv){
	    .rows = (int)y->rows,
	    .cap = y->cap,
	    .seqs = (int)groups_of(y->rows),
	    .cap_seqs = rna_tape_capacity(t, groups_of(y->rows)),
	    .max_len = longest(t, x->rows),
	    .w = rna_tape_weight(t, n->pack),
	    .width = n->width,
	    .pad = n->padding,
	    .x_first = t->in.first[x->rows],
	    .first = t->in.first[y->rows],
	    .side = n->kind == TAPE_CONV2D ? t->in.side : NULL,
	    .x = data(t, n->x),
	    .bias = rna_tape_value(t, n->bias),
	    .act = n->act,
	    .y = data(t, n->y),
	    .dy = rna_tape_grad(t, n->y),
	    .dx = dx(t, n),
	    .accumulate = n->give_x == TAPE_ADD,
	    .dw = rna_tape_dvalue(t, n->weight),
	    .dbias = rna_tape_dvalue(t, n->bias),
	};
}

static void
group_norm_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	const struct tape_tensor *y = &t->tensors[n->y];

	c->u.group_norm = (struct rk_group_norm){
	    .rows = (int)y->rows,
	    .cap = y->cap,
	    .groups = (int)groups_of(y->rows),
	    .cap_groups = rna_tape_capacity(t, groups_of(y->rows)),
	    .columns = y->columns,
	    .first = n->entry ? NULL : t->in.first[y->rows],
	    .x = data(t, n->x),
	    .gamma = rna_tape_value(t, n->gamma),
	    .beta = rna_tape_value(t, n->beta),
	    .eps = n->eps,
	    .act = n->act,
	    .drop = {n->p, n->site, t->in.key[y->rows]},
	    .residual = data(t, n->residual),
	    .stats = rna_tape_buffer_at(t, n->stats),
	    .y = data(t, n->y),
	    .dy = rna_tape_grad(t, n->y),
	    .dx = dx(t, n),
	    .dresidual = dresidual(t, n),
	    .dgamma = rna_tape_dvalue(t, n->gamma),
	    .dbeta = rna_tape_dvalue(t, n->beta),
	};
}

static void
lstm_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	const struct tape_tensor *y = &t->tensors[n->y];
	struct rk_lstm *o = &c->u.lstm;

	*o = (struct rk_lstm){
	    .rows = (int)y->rows,
	    .cap = y->cap,
	    .cap_seqs = t->opts.seqs,
	    .max_len = longest(t, y->rows),
	    .hidden = y->columns / n->heads,
	    .directions = n->heads,
	    .first = t->in.first[y->rows],
	    .gates = {data(t, n->x), data(t, n->residual)},
	    .y = data(t, n->y),
	    .dy = rna_tape_grad(t, n->y),
	    .dgates = {dx(t, n), dresidual(t, n)},
	};
	for (int d = 0; d < n->heads; d++) {
		o->w_hh[d] = rna_tape_value(t, n->w_hh[d]);
		o->b_hh[d] = rna_tape_value(t, n->b_hh[d]);
		o->cell[d] = rna_tape_buffer_at(t, n->cell[d]);
		o->dw_hh[d] = rna_tape_dvalue(t, n->w_hh[d]);
		o->db_hh[d] = rna_tape_dvalue(t, n->b_hh[d]);
	}
}

static void
max_pool_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	const struct tape_tensor *y = &t->tensors[n->y];

	c->u.max_pool = (struct rk_max_pool){(int)y->rows, y->cap, t->opts.seqs, y->columns,
	    t->in.first[t->tensors[n->x].rows], t->in.first[y->rows], data(t, n->x), data(t, n->y),
	    rna_tape_grad(t, n->y), dx(t, n)};
}

static void
pair_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	const int merge = n->kind == TAPE_PAIR_MERGE;

	c->u.pair = (struct rk_pair){
	    .cap = t->opts.tokens,
	    .cap_cells = t->opts.cells,
	    .cap_seqs = t->opts.seqs,
	    .columns = t->tensors[n->y].columns,
	    .images = n->images,
	    .diagonal = n->diagonal,
	    .offsets = t->in.offsets,
	    .maps = t->in.first[RK_LIVE_CELLS],
	    .pairs = merge ? t->in.first[RK_LIVE_PAIRS] : NULL,
	    .row_key = t->in.row_key,
	    .key = t->in.key[merge ? RK_LIVE_PAIRS : RK_LIVE_CELLS],
	    .x = data(t, n->x),
	    .y = data(t, n->y),
	    .dy = rna_tape_grad(t, n->y),
	    .dx = dx(t, n),
	};
}

/* All columns of x to y from column `at` on. */
static void
columns_call(struct tape_calls *c, const struct tape_tensor *x, const struct tape_tensor *y, const void *from, void *to,
    int at, int accumulate)
{
	struct rk_call k = {0};

	k.u.columns = (struct rk_columns){
	    (int)x->rows, x->cap, x->columns, from, x->columns, 0, to, y->columns, at, accumulate};
	rna_tape_call(c, RK_COLUMNS, &k);
}

/* The same columns back. */
static void
columns_back(struct tape_calls *c, const struct tape_tensor *x, const struct tape_tensor *y, const void *dy, void *to,
    int at, int accumulate)
{
	struct rk_call k = {0};

	k.u.columns = (struct rk_columns){
	    (int)x->rows, x->cap, x->columns, dy, y->columns, at, to, x->columns, 0, accumulate};
	rna_tape_call(c, RK_COLUMNS, &k);
}

/* 2. Forward */

static void
pair_forward(struct tape_calls *c, const struct tape_node *n, enum rk_op op)
{
	struct rk_call k = {0};

	pair_call(c->t, n, &k);
	if (c->t->opts.train)
		rna_tape_call(c, RK_CELL_KEYS, &k);
	rna_tape_call(c, op, &k);
}

static void
two_forward(struct tape_calls *c, const struct tape_node *n)
{
	const struct rna_tape *t = c->t;
	const struct tape_tensor *a = &t->tensors[n->x], *b = &t->tensors[n->residual], *y = &t->tensors[n->y];
	const int join = n->kind == TAPE_JOIN;

	columns_call(c, a, y, data(t, n->x), data(t, n->y), 0, 0);
	columns_call(c, b, y, data(t, n->residual), data(t, n->y), join ? a->columns : 0, !join);
}

/*
 * Rows of y are the first rows of the sequences of x, or the last ones: the row before that of the next sequence, which
 * the rows of x are shifted for.
 */
static void
ends_rows(struct tape_calls *c, const struct tape_node *n, enum rk_op op, void *x, void *y, int last)
{
	const struct rna_tape *t = c->t;
	const int columns = t->tensors[n->y].columns;
	const size_t row = (size_t)columns * rk_store_size(t->rk, t->opts.precision);
	struct rk_call k = {0};

	k.u.rows = (struct rk_rows){RK_LIVE_SEQS, t->opts.seqs, columns, t->in.first[t->tensors[n->x].rows] + last,
	    (char *)x - (last ? row : 0), y};
	rna_tape_call(c, op, &k);
}

/* Columns from..to of rows of sequences. */
static void
ends_columns(struct tape_calls *c, const struct tape_node *n, const void *x, void *y, int from, int to)
{
	const int columns = c->t->tensors[n->y].columns;
	struct rk_call k = {0};

	k.u.columns = (struct rk_columns){
	    RK_LIVE_SEQS, c->t->opts.seqs, to - from, x, columns, from, y, columns, from, 0};
	rna_tape_call(c, RK_COLUMNS, &k);
}

/* rows where y > 0 stay, the others become 0: ReLU where rows is y, its gradient where that is y's */
static void
ends_relu(struct tape_calls *c, const struct tape_node *n, void *rows)
{
	const struct tape_tensor *y = &c->t->tensors[n->y];
	struct rk_call k = {0};

	k.u.linear = (struct rk_linear){.rows = (int)y->rows,
	    .cap = y->cap,
	    .w = {.n = y->columns},
	    .act = n->act,
	    .y = data(c->t, n->y),
	    .dy = rows};
	rna_tape_call(c, RK_ACT_BACK, &k);
}

static void
ends_zero(struct tape_calls *c, void *p, rna_t like)
{
	const struct tape_tensor *x = &c->t->tensors[like];
	struct rk_call k = {0};

	k.u.bytes = (struct rk_bytes){
	    p, (size_t)x->cap * (size_t)x->columns * rk_store_size(c->t->rk, c->t->opts.precision)};
	rna_tape_call(c, RK_ZERO, &k);
}

static void
ends_forward(struct tape_calls *c, const struct tape_node *n)
{
	const struct rna_tape *t = c->t;
	void *first = rna_tape_buffer_at(t, n->aux), *y = data(t, n->y);

	ends_rows(c, n, RK_GATHER, data(t, n->x), y, 1);
	if (n->width < t->tensors[n->y].columns) {
		ends_rows(c, n, RK_GATHER, data(t, n->x), first, 0);
		ends_columns(c, n, first, y, n->width, t->tensors[n->y].columns);
	}
	ends_relu(c, n, y);
}

static void
ends_back(struct tape_calls *c, const struct tape_node *n)
{
	const struct rna_tape *t = c->t;
	void *last = rna_tape_buffer_at(t, n->aux), *first = rna_tape_buffer_at(t, n->stats);
	void *dy = rna_tape_grad(t, n->y);

	ends_relu(c, n, dy);
	ends_zero(c, last, n->y);
	ends_zero(c, first, n->y);
	ends_columns(c, n, dy, last, 0, n->width);
	if (n->width < t->tensors[n->y].columns)
		ends_columns(c, n, dy, first, n->width, t->tensors[n->y].columns);
	ends_zero(c, dx(t, n), n->x);
	ends_rows(c, n, RK_SCATTER_ADD, dx(t, n), last, 1);
	ends_rows(c, n, RK_SCATTER_ADD, dx(t, n), first, 0);
}

void
rna_tape_maps_forward(struct tape_calls *c, const struct tape_node *n)
{
	struct rk_call k = {0};

	switch (n->kind) {
	case TAPE_LOOKUP:
		lookup_call(c->t, n, &k);
		rna_tape_call(c, RK_LOOKUP, &k);
		break;
	case TAPE_JOIN:
	case TAPE_SUM:
		two_forward(c, n);
		break;
	case TAPE_CONV1D:
	case TAPE_CONV2D:
		conv_call(c->t, n, &k);
		rna_tape_call(c, n->kind == TAPE_CONV1D ? RK_CONV1D : RK_CONV2D, &k);
		break;
	case TAPE_GROUP_NORM:
		group_norm_call(c->t, n, &k);
		rna_tape_call(c, RK_GROUP_NORM, &k);
		break;
	case TAPE_LSTM:
		lstm_call(c->t, n, &k);
		rna_tape_call(c, RK_LSTM, &k);
		break;
	case TAPE_MAX_POOL:
		max_pool_call(c->t, n, &k);
		rna_tape_call(c, RK_MAX_POOL, &k);
		break;
	case TAPE_ENDS:
		ends_forward(c, n);
		break;
	case TAPE_TURN:
		k.u.turn = (struct rk_turn){c->t->opts.seqs, n->width, c->t->tensors[n->x].columns, data(c->t, n->x),
		    data(c->t, n->y)};
		rna_tape_call(c, RK_TURN, &k);
		break;
	case TAPE_PAIR_MAP:
		pair_forward(c, n, RK_PAIR_MAP);
		break;
	case TAPE_PAIR_MERGE:
		pair_forward(c, n, RK_PAIR_MERGE);
		break;
	default:
		break;
	}
}

/* 3. Backward */

static void
conv_back(struct tape_calls *c, const struct tape_node *n)
{
	const int two = n->kind == TAPE_CONV2D;
	struct rk_call k = {0}, act = {0};

	conv_call(c->t, n, &k);
	act.u.linear = (struct rk_linear){.rows = k.u.conv.rows,
	    .cap = k.u.conv.cap,
	    .w = k.u.conv.w,
	    .act = n->act,
	    .y = k.u.conv.y,
	    .dy = rna_tape_grad(c->t, n->y)};
	if (n->act != RK_NONE)
		rna_tape_call(c, RK_ACT_BACK, &act);
	rna_tape_call(c, two ? RK_CONV2D_BACK_W : RK_CONV1D_BACK_W, &k);
	rna_tape_call(c, two ? RK_CONV2D_BACK_X : RK_CONV1D_BACK_X, &k);
}

static void
two_back(struct tape_calls *c, const struct tape_node *n)
{
	const struct rna_tape *t = c->t;
	const struct tape_tensor *a = &t->tensors[n->x], *b = &t->tensors[n->residual], *y = &t->tensors[n->y];
	const void *dy = rna_tape_grad(t, n->y);

	columns_back(c, a, y, dy, dx(t, n), 0, n->give_x == TAPE_ADD);
	columns_back(c, b, y, dy, dresidual(t, n), n->kind == TAPE_JOIN ? a->columns : 0, n->give_residual == TAPE_ADD);
}

void
rna_tape_maps_backward(struct tape_calls *c, const struct tape_node *n)
{
	struct rk_call k = {0};

	switch (n->kind) {
	case TAPE_LOOKUP:
		lookup_call(c->t, n, &k);
		rna_tape_call(c, RK_LOOKUP_BACK, &k);
		break;
	case TAPE_JOIN:
	case TAPE_SUM:
		two_back(c, n);
		break;
	case TAPE_CONV1D:
	case TAPE_CONV2D:
		conv_back(c, n);
		break;
	case TAPE_GROUP_NORM:
		group_norm_call(c->t, n, &k);
		rna_tape_call(c, RK_GROUP_NORM_BACK, &k);
		break;
	case TAPE_LSTM:
		lstm_call(c->t, n, &k);
		rna_tape_call(c, RK_LSTM_BACK, &k);
		break;
	case TAPE_MAX_POOL:
		max_pool_call(c->t, n, &k);
		rna_tape_call(c, RK_MAX_POOL_BACK, &k);
		break;
	case TAPE_ENDS:
		ends_back(c, n);
		break;
	case TAPE_TURN:
		k.u.turn = (struct rk_turn){c->t->opts.seqs, c->t->tensors[n->x].columns, n->width,
		    rna_tape_grad(c->t, n->y), dx(c->t, n)};
		rna_tape_call(c, RK_TURN, &k);
		break;
	case TAPE_PAIR_MAP:
		pair_call(c->t, n, &k);
		rna_tape_call(c, RK_PAIR_MAP_BACK, &k);
		break;
	case TAPE_PAIR_MERGE:
		pair_call(c->t, n, &k);
		rna_tape_call(c, RK_PAIR_MERGE_BACK, &k);
		break;
	default:
		break;
	}
}
