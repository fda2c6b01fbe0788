/*
 * tape.c: recording.  Every op checks its parameters' shapes, so that a wrong index is found here and not in a kernel.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/tape_private.h"

/* 1. Making and freeing */

int
rna_tape_capacity(const struct rna_tape *t, enum rk_live rows)
{
	const int cap[RK_NLIVE] = {[RK_LIVE_TOKENS] = t->opts.tokens,
	    [RK_LIVE_SEQS] = t->opts.seqs,
	    [RK_LIVE_ROWS] = t->opts.rows,
	    [RK_LIVE_SLOTS] = t->opts.slots,
	    [RK_LIVE_MAPS] = t->opts.maps,
	    [RK_LIVE_CELLS] = t->opts.cells,
	    [RK_LIVE_PAIRS] = t->opts.pairs,
	    [RK_LIVE_VALID] = t->opts.valid,
	    [RK_LIVE_POOLED] = t->opts.pooled,
	    [RK_LIVE_STEPS] = t->opts.steps};

	return rows >= 0 && rows < RK_NLIVE ? cap[rows] : 0;
}

struct rna_tape *
rna_tape_create(struct rk *rk, struct rna_params *params, const struct rna_tape_options *opts)
{
	struct rna_tape *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->rk = rk;
	t->params = params;
	t->opts = *opts;
	if (opts->tokens < 1 || opts->seqs < 1 || opts->rows < 0 || opts->slots < 0 || opts->max_len < 1)
		rna_tape_fail(t, RNA_EINVAL, "a batch of %d tokens in %d sequences, longest %d", opts->tokens,
		    opts->seqs, opts->max_len);
	return t;
}

static void
give_back(struct rna_tape *t, void *p, size_t bytes)
{
	if (p)
		rk_free(t->rk, p, bytes);
}

void
rna_tape_destroy(struct rna_tape *t)
{
	if (!t)
		return;
	rk_list_destroy(t->pack_list);
	rk_list_destroy(t->forward);
	rk_list_destroy(t->backward);
	rk_feed_destroy(t->in.feed);
	give_back(t, t->inputs, rna_tape_inputs_layout(t, NULL, NULL));
	for (int i = 0; i < t->npacks; i++)
		rk_list_destroy(t->packs[i].list);
	give_back(t, t->packed, rna_tape_packed_bytes(t));
	give_back(t, t->arena, t->arena_bytes);
	free(t->nodes);
	free(t->tensors);
	free(t->buffers);
	free(t->packs);
	free(t);
}

struct rna_tape_inputs *
rna_tape_inputs(struct rna_tape *t)
{
	return &t->in;
}

/* 2. Pieces of a recording */

void
rna_tape_fail(struct rna_tape *t, enum rna_status status, const char *fmt, ...)
{
	va_list ap;

	if (t->status)
		return; /* the first failure is the one that tells */
	t->status = status;
	va_start(ap, fmt);
	vsnprintf(t->failure, sizeof(t->failure), fmt, ap);
	va_end(ap);
}

int
rna_tape_grow(struct rna_tape *t, void *array, int n, int *cap, size_t item)
{
	void **p = array, *more;
	int want = *cap ? *cap * 2 : 64;

	if (n < *cap)
		return 1;
	more = want > *cap ? reallocarray(*p, (size_t)want, item) : NULL;
	if (!more) {
		rna_tape_fail(t, RNA_EMEM, "no memory for a tape");
		return 0;
	}
	*p = more;
	*cap = want;
	return 1;
}

int
rna_tape_buffer(struct rna_tape *t, size_t count, size_t item)
{
	struct tape_buffer *b;
	size_t bytes;

	if (!rna_tape_grow(t, &t->buffers, t->nbuffers, &t->cap_buffers, sizeof(*b)))
		return -1;
	if (__builtin_mul_overflow(count, item, &bytes) || bytes > SIZE_MAX - 64) {
		rna_tape_fail(t, RNA_EMEM, "a batch of that size overflows memory");
		return -1;
	}
	b = &t->buffers[t->nbuffers];
	memset(b, 0, sizeof(*b));
	b->bytes = (bytes + 63) / 64 * 64;
	b->first = 0;
	b->last = -1;
	return t->nbuffers++;
}

/* Memory of rows x columns elements of an activation. */
int
rna_tape_matrix(struct rna_tape *t, enum rk_live rows, int columns)
{
	return rna_tape_buffer(
	    t, (size_t)rna_tape_capacity(t, rows) * (size_t)columns, rk_store_size(t->rk, t->opts.precision));
}

/* The same of reals: statistics of a norm, log-sums. */
int
rna_tape_statistics(struct rna_tape *t, enum rk_live rows, int columns)
{
	return rna_tape_buffer(t, (size_t)rna_tape_capacity(t, rows) * (size_t)columns, rk_real_size(t->rk));
}

rna_t
rna_tape_tensor(struct rna_tape *t, enum rk_live rows, int columns)
{
	struct tape_tensor *x;
	int data = rna_tape_matrix(t, rows, columns);

	if (data < 0 || !rna_tape_grow(t, &t->tensors, t->ntensors, &t->cap_tensors, sizeof(*x)))
		return -1;
	x = &t->tensors[t->ntensors];
	*x = (struct tape_tensor){
	    .rows = rows, .cap = rna_tape_capacity(t, rows), .columns = columns, .data = data, .grad = -1};
	return t->ntensors++;
}

/* A node with nothing set, or NULL when recording has failed. */
struct tape_node *
rna_tape_node(struct rna_tape *t, enum tape_kind kind, rna_t x)
{
	struct tape_node *n;

	if (t->planned)
		rna_tape_fail(t, RNA_EINVAL, "the recording has ended");
	if (kind != TAPE_EMBED && kind != TAPE_INPUT && kind != TAPE_LOOKUP && (x < 0 || x >= t->ntensors))
		rna_tape_fail(t, RNA_EINVAL, "an op without input");
	if (t->status || !rna_tape_grow(t, &t->nodes, t->nnodes, &t->cap_nodes, sizeof(*n)))
		return NULL;
	n = &t->nodes[t->nnodes];
	*n = (struct tape_node){.kind = kind, .x = x, .residual = -1, .y = -1};
	n->weight = n->bias = n->gamma = n->beta = n->word = n->pos = n->seg = -1;
	n->cell[0] = n->cell[1] = n->pack = n->aux = n->stats = n->loss = n->hit = n->via_x = n->via_residual = -1;
	return n;
}

/* Ends a node that makes y. */
rna_t
rna_tape_made(struct rna_tape *t, struct tape_node *n, rna_t y)
{
	n->y = y;
	if (t->status)
		return -1;
	t->nnodes++;
	return y;
}

/* A parameter of a rows x columns (columns 0: one dimension); rows 0: any. */
int
rna_tape_has_shape(struct rna_tape *t, int param, int rows, int columns)
{
	const struct rna_param *p;

	if (param < 0 || param >= t->params->n) {
		rna_tape_fail(t, RNA_EINVAL, "the model lacks a parameter");
		return 0;
	}
	p = &t->params->list[param];
	if (p->ndim == (columns ? 2 : 1) && (!rows || p->dims[0] == rows) && (!columns || p->dims[1] == columns))
		return 1;
	rna_tape_fail(t, RNA_EINVAL, "%s does not have the shape it is used with", p->name);
	return 0;
}

/* The probability in force, and its sites. */
void
rna_tape_site(struct rna_tape *t, struct tape_node *n, float p, uint32_t sites, enum rk_live rows)
{
	n->p = t->opts.train ? p : 0;
	n->site = t->site;
	t->site += sites;
	if (n->p > 0 && (rows == RK_LIVE_SLOTS || rows == RK_LIVE_MAPS))
		rna_tape_fail(t, RNA_EINVAL, "dropout is for rows that have keys");
}

static enum rk_live
index_rows(enum rna_tape_index at)
{
	return at == RNA_AT_CLS ? RK_LIVE_SEQS : at == RNA_AT_MASKED ? RK_LIVE_ROWS : RK_LIVE_SLOTS;
}

/* 3. Ops */

rna_t
rna_tape_embed(struct rna_tape *t, int word, int pos, int seg, int gamma, int beta, float eps, float p)
{
	struct tape_node *n = rna_tape_node(t, TAPE_EMBED, -1);
	int hidden;

	if (!n || !rna_tape_has_shape(t, gamma, 0, 0))
		return -1;
	hidden = t->params->list[gamma].dims[0];
	if (!rna_tape_has_shape(t, beta, hidden, 0) || !rna_tape_has_shape(t, word, 0, hidden) ||
	    !rna_tape_has_shape(t, pos, 0, hidden) || !rna_tape_has_shape(t, seg, 2, hidden))
		return -1;
	n->word = word;
	n->pos = pos;
	n->seg = seg;
	n->gamma = gamma;
	n->beta = beta;
	n->eps = eps;
	rna_tape_site(t, n, p, 1, RK_LIVE_TOKENS);
	if (t->opts.train) {
		n->aux = rna_tape_matrix(t, RK_LIVE_TOKENS, hidden);
		n->stats = rna_tape_statistics(t, RK_LIVE_TOKENS, 2);
	}
	return rna_tape_made(t, n, rna_tape_tensor(t, RK_LIVE_TOKENS, hidden));
}

/* The packed form of a weight: found or new. */
int
rna_tape_pack(struct rna_tape *t, int param)
{
	struct tape_pack *k;
	struct rk_weight w;

	for (int i = 0; i < t->npacks; i++)
		if (t->packs[i].param == param)
			return i;
	if (!rna_tape_grow(t, &t->packs, t->npacks, &t->cap_packs, sizeof(*k)))
		return -1;
	k = &t->packs[t->npacks];
	memset(k, 0, sizeof(*k));
	k->param = param;
	w = rna_tape_weight(t, t->npacks);
	k->fwd_bytes = rk_pack_size(t->rk, w.n, w.k, w.precision, 0);
	if (t->opts.train && w.taps > 1)
		k->bwd_bytes = rk_pack_size(t->rk, w.k / w.taps, w.n * w.taps, w.precision, 0);
	else if (t->opts.train)
		k->bwd_bytes = rk_pack_size(t->rk, w.n, w.k, w.precision, 1);
	return t->npacks++;
}

rna_t
rna_tape_linear(struct rna_tape *t, rna_t x, int weight, int bias, enum rk_act act)
{
	struct tape_node *n = rna_tape_node(t, TAPE_LINEAR, x);
	enum rk_live rows;
	int out;

	if (!n || !rna_tape_has_shape(t, weight, 0, t->tensors[x].columns))
		return -1;
	rows = t->tensors[x].rows;
	out = t->params->list[weight].dims[0];
	if (bias >= 0 && !rna_tape_has_shape(t, bias, out, 0))
		return -1;
	n->weight = weight;
	n->bias = bias;
	n->act = act;
	n->pack = rna_tape_pack(t, weight);
	if (t->opts.train && act == RK_GELU)
		n->aux = rna_tape_matrix(t, rows, out);
	return rna_tape_made(t, n, rna_tape_tensor(t, rows, out));
}

rna_t
rna_tape_norm(struct rna_tape *t, rna_t x, int bias, rna_t residual, int gamma, int beta, float eps, float p)
{
	struct tape_node *n = rna_tape_node(t, TAPE_NORM, x);
	enum rk_live rows;
	int hidden;

	if (!n)
		return -1;
	rows = t->tensors[x].rows;
	hidden = t->tensors[x].columns;
	if (!rna_tape_has_shape(t, gamma, hidden, 0) || !rna_tape_has_shape(t, beta, hidden, 0) ||
	    (bias >= 0 && !rna_tape_has_shape(t, bias, hidden, 0)))
		return -1;
	if (residual >= t->ntensors ||
	    (residual >= 0 && (t->tensors[residual].rows != rows || t->tensors[residual].columns != hidden))) {
		rna_tape_fail(t, RNA_EINVAL, "a residual of another shape");
		return -1;
	}
	n->bias = bias;
	n->residual = residual;
	n->gamma = gamma;
	n->beta = beta;
	n->eps = eps;
	rna_tape_site(t, n, p, 1, rows);
	if (t->opts.train) {
		n->aux = rna_tape_matrix(t, rows, hidden);
		n->stats = rna_tape_statistics(t, rows, 2);
	}
	return rna_tape_made(t, n, rna_tape_tensor(t, rows, hidden));
}

rna_t
rna_tape_attention(struct rna_tape *t, rna_t qkv, int heads, float p)
{
	struct tape_node *n = rna_tape_node(t, TAPE_ATTENTION, qkv);
	int columns;

	if (!n)
		return -1;
	columns = t->tensors[qkv].columns;
	if (heads < 1 || columns % (3 * heads) || t->tensors[qkv].rows != RK_LIVE_TOKENS) {
		rna_tape_fail(t, RNA_EINVAL, "%d columns do not make query, key and value of %d heads", columns, heads);
		return -1;
	}
	n->heads = heads;
	rna_tape_site(t, n, p, (uint32_t)heads, RK_LIVE_TOKENS);
	if (t->opts.train)
		n->stats = rna_tape_statistics(t, RK_LIVE_TOKENS, heads);
	return rna_tape_made(t, n, rna_tape_tensor(t, RK_LIVE_TOKENS, columns / 3));
}

rna_t
rna_tape_gather(struct rna_tape *t, rna_t x, enum rna_tape_index at)
{
	struct tape_node *n = rna_tape_node(t, TAPE_GATHER, x);

	if (!n)
		return -1;
	if (t->tensors[x].rows != RK_LIVE_TOKENS)
		rna_tape_fail(t, RNA_EINVAL, "rows are gathered from rows of tokens");
	n->at = at;
	return rna_tape_made(t, n, rna_tape_tensor(t, index_rows(at), t->tensors[x].columns));
}

rna_t
rna_tape_dropout(struct rna_tape *t, rna_t x, enum rna_tape_index at, float p)
{
	struct tape_node *n;

	if (!t->opts.train || !(p > 0))
		return x;
	if ((n = rna_tape_node(t, TAPE_DROPOUT, x)) == NULL)
		return -1;
	if (t->tensors[x].rows != index_rows(at))
		rna_tape_fail(t, RNA_EINVAL, "dropout of rows that were not gathered there");
	n->at = at;
	n->p = p;
	n->site = t->site++;
	return rna_tape_made(t, n, rna_tape_tensor(t, index_rows(at), t->tensors[x].columns));
}

rna_t
rna_tape_input_rows(struct rna_tape *t, enum rk_live rows, int columns)
{
	struct tape_node *n = rna_tape_node(t, TAPE_INPUT, -1);
	rna_t y;

	if (!n || (y = rna_tape_tensor(t, rows, columns)) < 0)
		return -1;
	t->tensors[y].keep = 1;
	return rna_tape_made(t, n, y);
}

rna_t
rna_tape_input(struct rna_tape *t, enum rna_tape_index at, int columns)
{
	return rna_tape_input_rows(t, index_rows(at), columns);
}

void
rna_tape_output(struct rna_tape *t, rna_t x)
{
	struct tape_node *n = rna_tape_node(t, TAPE_OUTPUT, x);

	if (!n)
		return;
	t->tensors[x].keep = 1;
	rna_tape_made(t, n, -1);
}

/* A node over segments of the rows of x, which are tokens or sequences. */
static struct tape_node *
segments(struct rna_tape *t, enum tape_kind kind, rna_t x, enum rna_tape_segments over)
{
	struct tape_node *n = rna_tape_node(t, kind, x);

	if (n && t->tensors[x].rows != (over == RNA_OVER_BASES ? RK_LIVE_TOKENS : RK_LIVE_SEQS))
		rna_tape_fail(t, RNA_EINVAL, "segments of rows that are not theirs");
	if (n)
		n->over = over;
	return n;
}

rna_t
rna_tape_segment_sum(struct rna_tape *t, rna_t x, rna_t weight, enum rna_tape_segments over)
{
	struct tape_node *n = segments(t, TAPE_SEGMENT_SUM, x, over);

	if (!n)
		return -1;
	if (weight >= t->ntensors ||
	    (weight >= 0 && (t->tensors[weight].rows != t->tensors[x].rows || t->tensors[weight].columns != 1))) {
		rna_tape_fail(t, RNA_EINVAL, "weights of another shape than the rows");
		return -1;
	}
	n->residual = weight < 0 ? -1 : weight;
	return rna_tape_made(
	    t, n, rna_tape_tensor(t, over == RNA_OVER_BASES ? RK_LIVE_SEQS : RK_LIVE_SLOTS, t->tensors[x].columns));
}

rna_t
rna_tape_segment_softmax(struct rna_tape *t, rna_t x, enum rna_tape_segments over)
{
	struct tape_node *n = segments(t, TAPE_SEGMENT_SOFTMAX, x, over);

	if (!n)
		return -1;
	if (t->tensors[x].columns != 1)
		rna_tape_fail(t, RNA_EINVAL, "a softmax over segments is of one column");
	return rna_tape_made(t, n, rna_tape_tensor(t, t->tensors[x].rows, 1));
}

void
rna_tape_cross_entropy(struct rna_tape *t, rna_t logits, enum rna_tape_index at)
{
	struct tape_node *n = rna_tape_node(t, TAPE_LOSS, logits);
	size_t cap;

	if (!n)
		return;
	if (at == RNA_AT_CLS || t->tensors[logits].rows != index_rows(at)) {
		rna_tape_fail(t, RNA_EINVAL, "a loss is over the rows of its targets");
		return;
	}
	for (int i = 0; i < t->nnodes; i++)
		if (t->nodes[i].kind == TAPE_LOSS && t->nodes[i].at == at)
			rna_tape_fail(t, RNA_EINVAL, "a second loss over the same targets");
	n->at = at;
	cap = (size_t)rna_tape_capacity(t, index_rows(at));
	n->loss = rna_tape_buffer(t, cap, rk_real_size(t->rk));
	n->hit = rna_tape_buffer(t, cap, 1);
	rna_tape_made(t, n, -1);
}

void
rna_tape_keep(struct rna_tape *t, rna_t x)
{
	if (x >= 0 && x < t->ntensors && !t->planned)
		t->tensors[x].keep = 1;
	else
		rna_tape_fail(t, RNA_EINVAL, "a tensor that is not there can't be kept");
}

void
rna_tape_keep_grad(struct rna_tape *t, rna_t x)
{
	if (x >= 0 && x < t->ntensors && !t->planned)
		t->tensors[x].keep_grad = 1;
	else
		rna_tape_fail(t, RNA_EINVAL, "a tensor that is not there can't be kept");
}

int
rna_tape_columns(const struct rna_tape *t, rna_t x)
{
	return t->tensors[x].columns;
}
