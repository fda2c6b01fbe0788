/*
 * tape_calls.c: from nodes to calls of rk.h: packing, forward, backward.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/tape_private.h"

void
rna_tape_call(struct tape_calls *c, enum rk_op op, const struct rk_call *call)
{
	if (!rna_tape_grow(c->t, &c->list, c->n, &c->cap, sizeof(*c->list)))
		return;
	c->list[c->n] = *call;
	c->list[c->n].store =
	    c->t->opts.precision == RK_BF16 || c->t->opts.precision == RK_FP8 ? RK_BF16 : RK_FP32;
	c->list[c->n++].op = op;
}

void *
rna_tape_buffer_at(const struct rna_tape *t, int i)
{
	return i < 0 ? NULL : t->arena + t->buffers[i].offset;
}

static void *
data(const struct rna_tape *t, rna_t x)
{
	return x < 0 ? NULL : rna_tape_buffer_at(t, t->tensors[x].data);
}

void *
rna_tape_grad(const struct rna_tape *t, rna_t x)
{
	return x < 0 ? NULL : rna_tape_buffer_at(t, t->tensors[x].grad);
}

void *
rna_tape_value(const struct rna_tape *t, int param)
{
	return param < 0 ? NULL : rna_params_value(t->params, param);
}

void *
rna_tape_dvalue(const struct rna_tape *t, int param)
{
	return param < 0 || !t->params->grad ? NULL : rna_params_grad(t->params, param);
}

static struct rk_dropout
drop(const struct rna_tape *t, const struct tape_node *n)
{
	int own = n->by_row || n->kind == TAPE_NORM;

	return (struct rk_dropout){n->p, n->site, t->in.key[own ? t->tensors[n->y].rows : RK_LIVE_TOKENS]};
}

/* Where the backward pass of n puts the gradient of an input. */
void *
rna_tape_target(const struct rna_tape *t, rna_t x, enum tape_give how, int via)
{
	return how == TAPE_VIA ? rna_tape_buffer_at(t, via) : how == TAPE_NONE ? NULL : rna_tape_grad(t, x);
}

struct rk_weight
rna_tape_weight(const struct rna_tape *t, int pack)
{
	const struct tape_pack *k = &t->packs[pack];
	const struct rna_param *p = &t->params->list[k->param];
	struct rk_weight w = {t->params->value ? rna_tape_value(t, k->param) : NULL, k->fwd, k->bwd, p->dims[0],
	    p->dims[1], t->opts.precision, 1};

	for (int i = 2; i < p->ndim; i++)
		w.taps *= p->dims[i];
	w.k *= w.taps;
	if (w.taps > 1)
		w.precision = RK_FP32;
	return w;

}

/* The arguments of a node, forward and backward in one. */

static void
embed_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	c->u.embed = (struct rk_embed){
	    .cap = t->opts.tokens,
	    .hidden = t->tensors[n->y].columns,
	    .vocab = t->params->list[n->word].dims[0],
	    .positions = t->params->list[n->pos].dims[0],
	    .token = t->in.token,
	    .segment = t->in.segment,
	    .position = t->in.position,
	    .word = rna_tape_value(t, n->word),
	    .pos = rna_tape_value(t, n->pos),
	    .seg = rna_tape_value(t, n->seg),
	    .gamma = rna_tape_value(t, n->gamma),
	    .beta = rna_tape_value(t, n->beta),
	    .eps = n->eps,
	    .drop = drop(t, n),
	    .z = rna_tape_buffer_at(t, n->aux),
	    .stats = rna_tape_buffer_at(t, n->stats),
	    .y = data(t, n->y),
	    .dy = rna_tape_grad(t, n->y),
	    .dword = rna_tape_dvalue(t, n->word),
	    .dpos = rna_tape_dvalue(t, n->pos),
	    .dseg = rna_tape_dvalue(t, n->seg),
	    .dgamma = rna_tape_dvalue(t, n->gamma),
	    .dbeta = rna_tape_dvalue(t, n->beta),
	};
}

static void
linear_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	c->u.linear = (struct rk_linear){
	    .rows = (int)t->tensors[n->y].rows,
	    .cap = t->tensors[n->y].cap,
	    .w = rna_tape_weight(t, n->pack),
	    .x = data(t, n->x),
	    .bias = rna_tape_value(t, n->bias),
	    .act = n->act,
	    .y = data(t, n->y),
	    .pre = rna_tape_buffer_at(t, n->aux),
	    .dy = rna_tape_grad(t, n->y),
	    .dx = rna_tape_target(t, n->x, n->give_x, n->via_x),
	    .accumulate = n->give_x == TAPE_ADD,
	    .dw = rna_tape_dvalue(t, n->weight),
	    .dbias = rna_tape_dvalue(t, n->bias),
	};
}

static void
norm_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	c->u.norm = (struct rk_norm){
	    .rows = (int)t->tensors[n->y].rows,
	    .cap = t->tensors[n->y].cap,
	    .hidden = t->tensors[n->y].columns,
	    .x = data(t, n->x),
	    .bias = rna_tape_value(t, n->bias),
	    .residual = data(t, n->residual),
	    .gamma = rna_tape_value(t, n->gamma),
	    .beta = rna_tape_value(t, n->beta),
	    .eps = n->eps,
	    .drop = drop(t, n),
	    .z = rna_tape_buffer_at(t, n->aux),
	    .stats = rna_tape_buffer_at(t, n->stats),
	    .y = data(t, n->y),
	    .dy = rna_tape_grad(t, n->y),
	    .dx = rna_tape_target(t, n->x, n->give_x, n->via_x),
	    .dresidual = rna_tape_target(t, n->residual, n->give_residual, n->via_residual),
	    .dgamma = rna_tape_dvalue(t, n->gamma),
	    .dbeta = rna_tape_dvalue(t, n->beta),
	    .dbias = rna_tape_dvalue(t, n->bias),
	};
}

static void
attention_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	c->u.attention = (struct rk_attention){
	    .heads = n->heads,
	    .dim = t->tensors[n->y].columns / n->heads,
	    .cap = t->opts.tokens,
	    .cap_seqs = t->opts.seqs,
	    .max_len = t->opts.max_len,
	    .offsets = t->in.offsets,
	    .qkv = data(t, n->x),
	    .drop = drop(t, n),
	    .o = data(t, n->y),
	    .lse = rna_tape_buffer_at(t, n->stats),
	    .precision = t->opts.precision,
	    .dout = rna_tape_grad(t, n->y),
	    .dqkv = rna_tape_target(t, n->x, n->give_x, n->via_x),
	};
}

static const int32_t *
index_of(const struct rna_tape *t, enum rna_tape_index at)
{
	return at == RNA_AT_CLS ? t->in.cls : at == RNA_AT_MASKED ? t->in.masked : t->in.slot;
}

static void
loss_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	const struct tape_tensor *x = &t->tensors[n->x];

	c->u.cross_entropy = (struct rk_cross_entropy){
	    .rows = (int)x->rows,
	    .cap = x->cap,
	    .classes = x->columns,
	    .logits = data(t, n->x),
	    .target = n->at == RNA_AT_MASKED ? t->in.target : t->in.slot_target,
	    .weight = n->at == RNA_AT_MASKED ? t->in.weight : t->in.slot_weight,
	    .smoothing = t->opts.smoothing,
	    .loss = rna_tape_buffer_at(t, n->loss),
	    .hit = rna_tape_buffer_at(t, n->hit),
	    .dlogits = t->opts.train ? rna_tape_grad(t, n->x) : NULL,
	};
}

/* From x to y, or from the gradient of y to where that of x goes. */
static void
dropout_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c, const void *x, void *y)
{
	c->u.drop_rows = (struct rk_drop_rows){(int)t->tensors[n->y].rows, t->tensors[n->y].cap,
	    t->tensors[n->y].columns, n->by_row ? NULL : index_of(t, n->at), drop(t, n), x, y};
}

static void
segments_call(const struct rna_tape *t, const struct tape_node *n, struct rk_call *c)
{
	const int bases = n->over == RNA_OVER_BASES;

	c->u.segments = (struct rk_segments){
	    .rows = bases ? RK_LIVE_SEQS : RK_LIVE_SLOTS,
	    .cap = bases ? t->opts.seqs : t->opts.slots,
	    .columns = t->tensors[n->x].columns,
	    .first = bases ? t->in.base_first : t->in.part_first,
	    .count = bases ? t->in.base_count : t->in.part_count,
	    .weight = data(t, n->residual),
	    .x = data(t, n->x),
	    .y = data(t, n->y),
	    .dy = rna_tape_grad(t, n->y),
	    .dx = rna_tape_grad(t, n->x),
	    .dweight = n->give_residual != TAPE_NONE ? rna_tape_grad(t, n->residual) : NULL,
	};
}

static void
forward_node(struct tape_calls *c, const struct tape_node *n)
{
	const struct rna_tape *t = c->t;
	struct rk_call k = {0};

	switch (n->kind) {
	case TAPE_EMBED:
		embed_call(t, n, &k);
		rna_tape_call(c, RK_EMBED, &k);
		break;
	case TAPE_LINEAR:
		linear_call(t, n, &k);
		rna_tape_call(c, RK_LINEAR, &k);
		break;
	case TAPE_NORM:
		norm_call(t, n, &k);
		rna_tape_call(c, RK_NORM, &k);
		break;
	case TAPE_ATTENTION:
		attention_call(t, n, &k);
		rna_tape_call(c, RK_ATTENTION, &k);
		break;
	case TAPE_GATHER:
		k.u.rows = (struct rk_rows){(int)t->tensors[n->y].rows, t->tensors[n->y].cap, t->tensors[n->y].columns,
		    index_of(t, n->at), data(t, n->x), data(t, n->y)};
		rna_tape_call(c, RK_GATHER, &k);
		break;
	case TAPE_SEGMENT_SUM:
	case TAPE_SEGMENT_SOFTMAX:
		segments_call(t, n, &k);
		rna_tape_call(c, n->kind == TAPE_SEGMENT_SUM ? RK_SEGMENT_SUM : RK_SEGMENT_SOFTMAX, &k);
		break;
	case TAPE_LOSS:
		loss_call(t, n, &k);
		rna_tape_call(c, RK_CROSS_ENTROPY, &k);
		break;
	case TAPE_DROPOUT:
		dropout_call(t, n, &k, data(t, n->x), data(t, n->y));
		rna_tape_call(c, RK_DROPOUT, &k);
		break;
	default:
		rna_tape_maps_forward(c, n);
		break;
	}
}

/* A gradient that was made beside its place is added to it. */
static void
add_via(struct tape_calls *c, rna_t x, enum tape_give how, int via)
{
	struct rk_call k = {0};

	if (how != TAPE_VIA)
		return;
	k.u.add = (struct rk_add){(int)c->t->tensors[x].rows, c->t->tensors[x].cap, c->t->tensors[x].columns,
	    rna_tape_buffer_at(c->t, via), rna_tape_grad(c->t, x)};
	rna_tape_call(c, RK_ADD, &k);
}

static void
linear_back(struct tape_calls *c, const struct tape_node *n)
{
	struct rk_call k = {0};

	linear_call(c->t, n, &k);
	if (n->act != RK_NONE)
		rna_tape_call(c, RK_ACT_BACK, &k);
	rna_tape_call(c, RK_LINEAR_BACK_W, &k);
	rna_tape_call(c, RK_LINEAR_BACK_X, &k);
}

/* An op that adds to some rows of the gradient of x is the first to do so. */
static void
zero_first(struct tape_calls *c, rna_t x, enum tape_give how)
{
	struct rk_call k = {0};

	if (how != TAPE_ZERO_ADD)
		return;
	k.u.bytes = (struct rk_bytes){rna_tape_grad(c->t, x), c->t->buffers[c->t->tensors[x].grad].bytes};
	rna_tape_call(c, RK_ZERO, &k);
}

static void
segments_back(struct tape_calls *c, const struct tape_node *n)
{
	struct rk_call k = {0};

	zero_first(c, n->x, n->give_x);
	zero_first(c, n->residual, n->give_residual);
	segments_call(c->t, n, &k);
	rna_tape_call(c, n->kind == TAPE_SEGMENT_SUM ? RK_SEGMENT_SUM_BACK : RK_SEGMENT_SOFTMAX_BACK, &k);
}

static void
gather_back(struct tape_calls *c, const struct tape_node *n)
{
	const struct rna_tape *t = c->t;
	struct rk_call k = {0};

	zero_first(c, n->x, n->give_x);
	k.u.rows = (struct rk_rows){(int)t->tensors[n->y].rows, t->tensors[n->y].cap, t->tensors[n->y].columns,
	    index_of(t, n->at), rna_tape_grad(t, n->x), rna_tape_grad(t, n->y)};
	rna_tape_call(c, RK_SCATTER_ADD, &k);
}

static void
backward_node(struct tape_calls *c, const struct tape_node *n)
{
	struct rk_call k = {0};

	if (!n->back)
		return;
	switch (n->kind) {
	case TAPE_EMBED:
		embed_call(c->t, n, &k);
		rna_tape_call(c, RK_EMBED_BACK, &k);
		break;
	case TAPE_LINEAR:
		linear_back(c, n);
		break;
	case TAPE_NORM:
		norm_call(c->t, n, &k);
		rna_tape_call(c, RK_NORM_BACK, &k);
		break;
	case TAPE_ATTENTION:
		attention_call(c->t, n, &k);
		rna_tape_call(c, RK_ATTENTION_BACK, &k);
		break;
	case TAPE_GATHER:
		gather_back(c, n);
		break;
	case TAPE_DROPOUT:
		dropout_call(c->t, n, &k, rna_tape_grad(c->t, n->y), rna_tape_target(c->t, n->x, n->give_x, n->via_x));
		rna_tape_call(c, RK_DROPOUT, &k);
		break;
	case TAPE_SEGMENT_SUM:
	case TAPE_SEGMENT_SOFTMAX:
		segments_back(c, n);
		break;
	default:
		rna_tape_maps_backward(c, n);
		break;
	}
	add_via(c, n->residual, n->give_residual, n->via_residual);
	add_via(c, n->x, n->give_x, n->via_x);
}

static enum rna_status
make_list(struct tape_calls *c, struct rk_list **list, struct rna_err *err)
{
	struct rna_tape *t = c->t;
	enum rna_status st = RNA_OK;

	if (t->status)
		st = rna_fail(err, t->status, "%s", t->failure);
	else if (!(*list = rk_list_create(t->rk, c->list, (size_t)c->n, t->in.live)))
		st = rna_fail(err, RNA_EDEVICE, "%s", rk_error(t->rk));
	c->n = 0;
	return st;
}

enum rna_status
rna_tape_make_lists(struct rna_tape *t, struct rna_err *err)
{
	struct tape_calls c = {t, NULL, 0, 0};
	struct rk_call k = {0};
	enum rna_status st;

	for (int later = 1; later >= 0; later--)
		for (int i = 0; i < t->npacks; i++) {
			if (t->params->list[t->packs[i].param].later != later)
				continue;
			k.u.pack.w = rna_tape_weight(t, i);
			rna_tape_call(&c, RK_PACK, &k);
			if (later && (st = make_list(&c, &t->packs[i].list, err)))
				goto out;
		}
	if ((st = make_list(&c, &t->pack_list, err)))
		goto out;
	for (int i = 0; i < t->nnodes; i++)
		forward_node(&c, &t->nodes[i]);
	if ((st = make_list(&c, &t->forward, err)))
		goto out;
	for (int i = t->nnodes - 1; t->opts.train && i >= 0; i--)
		backward_node(&c, &t->nodes[i]);
	if (t->opts.train)
		st = make_list(&c, &t->backward, err);
out:
	free(c.list);
	return st;
}
