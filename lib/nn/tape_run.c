/*
 * tape_run.c: memory taken, lists run, results read.
 */
#include <string.h>

#include "nn/tape_private.h"

#define PACK_ALIGN 256 /* bytes: a packed weight begins at a multiple, on every device */
#define SLOTS 2        /* batches on their way to a device: one is sent while the one before computes */

/* The next piece of n elements, aligned to 64. */
static void *
piece(char *base, size_t *at, size_t n, size_t item)
{
	void *p = base ? base + *at : NULL;

	*at += (n * item + 63) / 64 * 64;
	return p;
}

size_t
rna_tape_inputs_layout(struct rna_tape *t, char *base, size_t *batch)
{
	const size_t tokens = (size_t)t->opts.tokens, seqs = (size_t)t->opts.seqs;
	const size_t rows = (size_t)t->opts.rows, slots = (size_t)t->opts.slots;
	size_t at = 0;

	t->in = (struct rna_tape_inputs){
	    .feed = t->in.feed,
	    .live = piece(base, &at, RK_NLIVE, sizeof(int32_t)),
	    .token = piece(base, &at, tokens, 1),
	    .segment = piece(base, &at, tokens, 1),
	    .position = piece(base, &at, tokens, sizeof(int32_t)),
	    .offsets = piece(base, &at, seqs + 1, sizeof(int32_t)),
	    .row_key = piece(base, &at, tokens, sizeof(uint64_t)),
	    .cls = piece(base, &at, seqs, sizeof(int32_t)),
	    .base_first = piece(base, &at, seqs, sizeof(int32_t)),
	    .base_count = piece(base, &at, seqs, sizeof(int32_t)),
	    .masked = piece(base, &at, rows, sizeof(int32_t)),
	    .target = piece(base, &at, rows, sizeof(int32_t)),
	    .weight = piece(base, &at, rows, sizeof(float)),
	    .slot = piece(base, &at, slots, sizeof(int32_t)),
	    .slot_target = piece(base, &at, slots, sizeof(int32_t)),
	    .slot_weight = piece(base, &at, slots, sizeof(float)),
	    .part_first = piece(base, &at, slots, sizeof(int32_t)),
	    .part_count = piece(base, &at, slots, sizeof(int32_t)),
	};
	t->in.first[RK_LIVE_TOKENS] = t->in.offsets;
	t->in.key[RK_LIVE_TOKENS] = t->in.row_key;
	if (t->opts.train) {
		t->in.key[RK_LIVE_SEQS] = piece(base, &at, seqs, sizeof(uint64_t));
		t->in.key[RK_LIVE_ROWS] = piece(base, &at, rows, sizeof(uint64_t));
	}
	if (batch)
		*batch = at;
	for (int k = RK_LIVE_CELLS; k < RK_NLIVE; k++) {
		const size_t cap = (size_t)rna_tape_capacity(t, (enum rk_live)k);

		if (cap == 0)
			continue;
		t->in.first[k] =
		    piece(base, &at, (k == RK_LIVE_CELLS ? (size_t)t->opts.maps : seqs) + 1, sizeof(int32_t));
		t->in.key[k] = piece(base, &at, t->opts.train ? cap : 0, sizeof(uint64_t));
	}
	t->in.side = piece(base, &at, (size_t)t->opts.maps, sizeof(int32_t));
	return at;
}

static size_t
aligned(size_t n)
{
	return (n + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN;
}

size_t
rna_tape_packed_bytes(const struct rna_tape *t)
{
	size_t n = 0;

	for (int i = 0; i < t->npacks; i++)
		n += aligned(t->packs[i].fwd_bytes) + aligned(t->packs[i].bwd_bytes);
	return n;
}

size_t
rna_tape_bytes(struct rna_tape *t)
{
	struct rna_tape_inputs in = t->in;
	size_t n, batch;

	rna_tape_plan(t);
	n = t->arena_bytes + rna_tape_inputs_layout(t, NULL, &batch) + rna_tape_packed_bytes(t);
	t->in = in;
	return n + rk_feed_bytes(t->rk, batch, SLOTS);
}

static enum rna_status
take_all(struct rna_tape *t)
{
	size_t packed = rna_tape_packed_bytes(t), batch;
	char *at;

	t->inputs = rk_alloc(t->rk, rna_tape_inputs_layout(t, NULL, &batch));
	t->arena = rk_alloc(t->rk, t->arena_bytes);
	if (!t->inputs || !t->arena || (packed && !(t->packed = rk_alloc(t->rk, packed))))
		return RNA_EMEM;
	if (!(t->in.feed = rk_feed_create(t->rk, t->inputs, batch, SLOTS)))
		return RNA_EMEM;
	rna_tape_inputs_layout(t, t->inputs, NULL);
	at = t->packed;
	for (int i = 0; i < t->npacks; i++) {
		struct tape_pack *k = &t->packs[i];

		k->fwd = at;
		at += aligned(k->fwd_bytes);
		k->bwd = k->bwd_bytes ? at : NULL;
		at += aligned(k->bwd_bytes);
	}
	return RNA_OK;
}

enum rna_status
rna_tape_finish(struct rna_tape *t, struct rna_err *err)
{
	enum rna_status st;

	rna_tape_plan(t);
	if (t->status)
		return rna_fail(err, t->status, "%s", t->failure);
	if (t->arena)
		return rna_fail(err, RNA_EINVAL, "the tape is finished already");
	if (t->opts.train && !t->params->grad && (st = rna_params_train(t->params, err)))
		return st;
	if (take_all(t) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "no memory: the batch needs %zu MiB", rna_tape_bytes(t) >> 20);
	if ((st = rna_tape_make_lists(t, err)))
		return st;
	return rna_tape_repack(t, err);
}

static enum rna_status
run(struct rna_tape *t, struct rk_list *list, struct rna_err *err)
{
	if (!list)
		return rna_fail(err, RNA_EINVAL, "the tape has no such pass");
	if (rk_list_run(list) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(t->rk));
	return RNA_OK;
}

enum rna_status
rna_tape_forward(struct rna_tape *t, struct rna_err *err)
{
	return run(t, t->forward, err);
}

enum rna_status
rna_tape_backward(struct rna_tape *t, struct rna_err *err)
{
	return run(t, t->backward, err);
}

/* A matrix that the model does not hold is there for as long as its packing takes. */
static enum rna_status
pack_later(struct rna_tape *t, const struct tape_pack *k, struct rna_err *err)
{
	const struct rna_params *p = t->params;
	enum rna_status st;

	if ((st = p->bring(p->ctx, k->param, err)) || (st = run(t, k->list, err)))
		return st;
	(void)rk_discard(t->rk, rna_params_value(p, k->param), p->list[k->param].n * rk_real_size(t->rk));
	return RNA_OK;
}

enum rna_status
rna_tape_repack(struct rna_tape *t, struct rna_err *err)
{
	enum rna_status st;

	for (int i = 0; i < t->npacks; i++)
		if (t->packs[i].list && (st = pack_later(t, &t->packs[i], err)))
			return st;
	return run(t, t->pack_list, err);
}

const void *
rna_tape_data(const struct rna_tape *t, rna_t x)
{
	return t->arena + t->buffers[t->tensors[x].data].offset;
}

enum rna_status
rna_tape_write(struct rna_tape *t, rna_t x, size_t nrows, const float *src, struct rna_err *err)
{
	char *dst;

	if (x < 0 || x >= t->ntensors || !t->arena || !t->tensors[x].keep || nrows > (size_t)t->tensors[x].cap)
		return rna_fail(err, RNA_EINVAL, "a tensor that is not an input can't be written");
	dst = t->arena + t->buffers[t->tensors[x].data].offset;
	if (rk_upload_store(t->rk, dst, src, nrows * (size_t)t->tensors[x].columns, t->opts.precision) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(t->rk));
	return RNA_OK;
}

enum rna_status
rna_tape_read(struct rna_tape *t, rna_t x, size_t nrows, float *dst, struct rna_err *err)
{
	if (x < 0 || x >= t->ntensors || !t->arena || !t->tensors[x].keep || nrows > (size_t)t->tensors[x].cap)
		return rna_fail(err, RNA_EINVAL, "a tensor that is not kept can't be read");
	if (rk_download_store(
		t->rk, dst, rna_tape_data(t, x), nrows * (size_t)t->tensors[x].columns, t->opts.precision) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(t->rk));
	return RNA_OK;
}

/* The gradient of x as device memory of nrows rows, or NULL and the error said. */
static void *
gradient_of(const struct rna_tape *t, rna_t x, size_t nrows, struct rna_err *err)
{
	if (x >= 0 && x < t->ntensors && t->arena && t->tensors[x].grad >= 0 && nrows <= (size_t)t->tensors[x].cap)
		return t->arena + t->buffers[t->tensors[x].grad].offset;
	(void)!rna_fail(err, RNA_EINVAL, "a tensor without gradient");
	return NULL;
}

enum rna_status
rna_tape_write_grad(struct rna_tape *t, rna_t x, size_t nrows, const float *src, struct rna_err *err)
{
	void *dst = gradient_of(t, x, nrows, err);

	if (!dst)
		return RNA_EINVAL;
	if (rk_upload_f32(t->rk, dst, src, nrows * (size_t)t->tensors[x].columns) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(t->rk));
	return RNA_OK;
}

enum rna_status
rna_tape_read_grad(struct rna_tape *t, rna_t x, size_t nrows, float *dst, struct rna_err *err)
{
	const void *src = gradient_of(t, x, nrows, err);

	if (!src)
		return RNA_EINVAL;
	if (rk_download_f32(t->rk, dst, src, nrows * (size_t)t->tensors[x].columns) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(t->rk));
	return RNA_OK;
}

/* The loss over the rows of `at`, or NULL and the error said. */
static const struct tape_node *
loss_of(const struct rna_tape *t, enum rna_tape_index at, size_t nrows, struct rna_err *err)
{
	const struct tape_node *n = NULL;

	for (int i = 0; i < t->nnodes; i++)
		if (t->nodes[i].kind == TAPE_LOSS && t->nodes[i].at == at)
			n = &t->nodes[i];
	if (n && t->arena && nrows <= (size_t)t->tensors[n->x].cap)
		return n;
	(void)!rna_fail(err, RNA_EINVAL, "the tape has no such loss");
	return NULL;
}

enum rna_status
rna_tape_read_loss(
    struct rna_tape *t, enum rna_tape_index at, size_t nrows, float *loss, uint8_t *hit, struct rna_err *err)
{
	const struct tape_node *n = loss_of(t, at, nrows, err);

	if (!n)
		return RNA_EINVAL;
	if ((loss && rk_download_f32(t->rk, loss, t->arena + t->buffers[n->loss].offset, nrows) != RK_OK) ||
	    (hit && rk_download(t->rk, hit, t->arena + t->buffers[n->hit].offset, nrows) != RK_OK))
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(t->rk));
	return RNA_OK;
}

enum rna_status
rna_tape_ask_loss(struct rna_tape *t, enum rna_tape_index at, size_t nrows, struct rk_reply *reply, size_t loss_at,
    size_t hit_at, struct rna_err *err)
{
	const struct tape_node *n = loss_of(t, at, nrows, err);

	if (!n)
		return RNA_EINVAL;
	if (rk_reply_ask(reply, loss_at, t->arena + t->buffers[n->loss].offset, nrows * rk_real_size(t->rk)) != RK_OK ||
	    rk_reply_ask(reply, hit_at, t->arena + t->buffers[n->hit].offset, nrows) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(t->rk));
	return RNA_OK;
}
