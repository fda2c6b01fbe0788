/*
 * tape_plan.c: which tensors get gradients and from where, how long each buffer lives, and where it lies.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/tape_private.h"

static void
touch(struct rna_tape *t, int buffer, int step)
{
	struct tape_buffer *b;

	if (buffer < 0)
		return;
	b = &t->buffers[buffer];
	if (b->first > b->last)
		b->first = b->last = step;
	else if (step < b->first)
		b->first = step;
	else if (step > b->last)
		b->last = step;
}

/* The gradient of x, made when it is first asked for. */
static int
gradient(struct rna_tape *t, rna_t x)
{
	struct tape_tensor *v = &t->tensors[x];

	if (v->grad < 0)
		v->grad = rna_tape_buffer(
		    t, (size_t)v->cap * (size_t)v->columns, rk_store_size(t->rk, t->opts.precision));
	return v->grad;
}

/*
 * Decides how the node gives its gradient to x.  accumulates: the op adds by itself (or can); else it overwrites.
 */
static enum tape_give
give(struct rna_tape *t, rna_t x, int accumulates, int zero_first, int *via)
{
	int first;

	if (x < 0)
		return TAPE_NONE;
	first = t->tensors[x].grad < 0;
	if (gradient(t, x) < 0)
		return TAPE_NONE;
	if (first)
		return zero_first ? TAPE_ZERO_ADD : TAPE_SET;
	if (accumulates)
		return TAPE_ADD;
	*via = rna_tape_buffer(t, (size_t)t->tensors[x].cap * (size_t)t->tensors[x].columns,
	    rk_store_size(t->rk, t->opts.precision));
	return TAPE_VIA;
}

/* x is written by the caller, so nobody wants its gradient. */
static int
is_input(const struct rna_tape *t, rna_t x)
{
	for (int i = 0; i < t->nnodes; i++)
		if (t->nodes[i].y == x)
			return t->nodes[i].kind == TAPE_INPUT;
	return 0;
}

/* Nodes that move columns of both their inputs. */
static int
by_columns(const struct tape_node *n)
{
	return n->kind == TAPE_JOIN || n->kind == TAPE_SUM;
}

/* Whether a node's op can add to the gradient of x. */
static int
accumulates(const struct tape_node *n)
{
	return by_columns(n) || n->kind == TAPE_LINEAR || n->kind == TAPE_GATHER || n->kind == TAPE_CONV1D ||
	       n->kind == TAPE_CONV2D;
}

/* Backward, last node first: a node runs when its output has a gradient. */
static void
plan_backward(struct rna_tape *t)
{
	struct tape_node *n;
	int zero; /* 1: the op adds to rows that must begin at 0 */

	for (int i = t->nnodes - 1; i >= 0; i--) {
		n = &t->nodes[i];
		if (n->kind == TAPE_LOSS || n->kind == TAPE_OUTPUT) {
			if (t->tensors[n->x].grad >= 0)
				rna_tape_fail(t, RNA_EINVAL, "logits of a loss are used again");
			n->back = 0; /* its gradient is made in the forward pass, or by the caller after it */
			n->give_x = TAPE_SET;
			gradient(t, n->x);
			continue;
		}
		n->back = n->kind != TAPE_INPUT && t->tensors[n->y].grad >= 0;
		if (!n->back)
			continue;
		zero = n->kind == TAPE_GATHER || n->kind == TAPE_SEGMENT_SUM || n->kind == TAPE_SEGMENT_SOFTMAX;
		if (n->kind != TAPE_SEGMENT_SUM)
			n->give_residual = give(t, n->residual, by_columns(n), 0, &n->via_residual);
		else if (n->residual >= 0 && !is_input(t, n->residual))
			n->give_residual = give(t, n->residual, 1, 1, &n->via_residual);
		n->give_x = give(t, n->x, accumulates(n) || zero, zero, &n->via_x);
	}
}

static int
data_of(const struct rna_tape *t, rna_t x)
{
	return x < 0 ? -1 : t->tensors[x].data;
}

static int
grad_of(const struct rna_tape *t, rna_t x)
{
	return x < 0 ? -1 : t->tensors[x].grad;
}

static void
live_forward(struct rna_tape *t, const struct tape_node *n, int step)
{
	touch(t, data_of(t, n->x), step);
	touch(t, data_of(t, n->residual), step);
	touch(t, data_of(t, n->y), step);
	touch(t, n->aux, step);
	touch(t, n->stats, step);
	if (n->kind == TAPE_INPUT)
		touch(t, data_of(t, n->y), 0); /* written before the run */
	touch(t, n->cell[0], step);
	touch(t, n->cell[1], step);
	if (n->kind == TAPE_OUTPUT)
		touch(t, grad_of(t, n->x), t->nnodes); /* written between the passes */
	if (n->kind == TAPE_LOSS) {
		touch(t, grad_of(t, n->x), step);
		touch(t, n->loss, step);
		touch(t, n->hit, step);
		touch(t, n->loss, 2 * t->nnodes); /* read after the run */
		touch(t, n->hit, 2 * t->nnodes);
	}
}

/* Whether the backward pass reads what came in. */
static int
reads_input(const struct tape_node *n)
{
	switch (n->kind) {
	case TAPE_LINEAR: case TAPE_ATTENTION: case TAPE_CONV1D: case TAPE_CONV2D: case TAPE_GROUP_NORM: case TAPE_LSTM:
	case TAPE_MAX_POOL:
		return 1;
	default:
		return 0;
	}
}

static void
live_backward(struct rna_tape *t, const struct tape_node *n, int step)
{
	if (!n->back)
		return;
	touch(t, grad_of(t, n->y), step);
	touch(t, grad_of(t, n->x), step);
	touch(t, grad_of(t, n->residual), step);
	touch(t, n->via_x, step);
	touch(t, n->via_residual, step);
	touch(t, n->aux, step);
	touch(t, n->stats, step);
	if (n->kind == TAPE_SEGMENT_SUM) {
		touch(t, data_of(t, n->x), step);
		touch(t, data_of(t, n->residual), step);
	}
	if (n->kind == TAPE_SEGMENT_SOFTMAX)
		touch(t, data_of(t, n->y), step);
	if (n->kind == TAPE_ENDS)
		touch(t, data_of(t, n->y), step);
	touch(t, n->cell[0], step);
	touch(t, n->cell[1], step);
	if (reads_input(n)) {
		touch(t, data_of(t, n->x), step);
		if (n->kind == TAPE_LSTM)
			touch(t, data_of(t, n->residual), step);
		if (n->kind == TAPE_ATTENTION || n->kind == TAPE_LSTM || n->act == RK_RELU || n->act == RK_TANH ||
		    n->act == RK_CELU)
			touch(t, data_of(t, n->y), step);
	}
}

static void
plan_lives(struct rna_tape *t)
{
	for (int i = 0; i < t->nnodes; i++) {
		live_forward(t, &t->nodes[i], i);
		if (t->opts.train)
			live_backward(t, &t->nodes[i], 2 * t->nnodes - 1 - i);
	}
	for (int i = 0; i < t->ntensors; i++) {
		if (t->tensors[i].keep)
			touch(t, t->tensors[i].data, 2 * t->nnodes);
		if (t->tensors[i].keep_grad)
			touch(t, t->tensors[i].grad, 2 * t->nnodes);
	}
}

static int
by_size(const void *a, const void *b)
{
	const struct tape_buffer *x = *(struct tape_buffer *const *)a, *y = *(struct tape_buffer *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Puts b at the lowest offset where no buffer that lives at the same time lies; placed[0..n-1] are in order of offset.
 */
static void
place(struct tape_buffer **placed, int n, struct tape_buffer *b)
{
	size_t at = 0;
	int i;

	for (i = 0; i < n; i++) {
		if (placed[i]->last < b->first || placed[i]->first > b->last)
			continue;
		if (placed[i]->offset >= at + b->bytes)
			break;
		if (placed[i]->offset + placed[i]->bytes > at)
			at = placed[i]->offset + placed[i]->bytes;
	}
	b->offset = at;
	for (i = n; i > 0 && placed[i - 1]->offset > at; i--)
		placed[i] = placed[i - 1];
	placed[i] = b;
}

static void
plan_offsets(struct rna_tape *t)
{
	struct tape_buffer **order = calloc((size_t)t->nbuffers * 2 + 1, sizeof(struct tape_buffer *)), **placed;
	size_t end;
	int n = 0;

	if (!order) {
		rna_tape_fail(t, RNA_EMEM, "no memory for a tape");
		return;
	}
	placed = order + t->nbuffers;
	for (int i = 0; i < t->nbuffers; i++)
		if (t->buffers[i].first <= t->buffers[i].last)
			order[n++] = &t->buffers[i];
	qsort(order, (size_t)n, sizeof(struct tape_buffer *), by_size);
	for (int i = 0; i < n; i++) {
		place(placed, i, order[i]);
		end = order[i]->offset + order[i]->bytes;
		t->arena_bytes = end > t->arena_bytes ? end : t->arena_bytes;
	}
	free(order);
}

void
rna_tape_plan(struct rna_tape *t)
{
	if (t->planned || t->status)
		return;
	if (t->opts.train)
		plan_backward(t);
	if (!t->status)
		plan_lives(t);
	if (!t->status)
		plan_offsets(t);
	t->planned = 1;
}
