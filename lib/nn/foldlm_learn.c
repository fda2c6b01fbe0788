/*
 * foldlm_learn.c: the language model under a folding network, learning: forward and backward of all chunks of an RNA.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/foldlm_private.h"

#define KEY_OF_MODEL UINT64_C(0x6C616E6775616765) /* so that its dropout is not that of the network above */

void
foldlm_learn_drop(struct rna_foldlm *l)
{
	if (!l->tape)
		return;
	rna_tape_destroy(l->tape);
	rna_batch_fini(&l->batch);
	free(l->rows);
	l->tape = NULL;
	l->rows = NULL;
	l->tokens = 0;
}

/* A tape for that many tokens, in the chunks at hand or fewer. */
static enum rna_status
build(struct rna_foldlm *l, int tokens, struct rna_err *err)
{
	const int seqs = tokens / 2 + 1, cap = (tokens + 63) / 64 * 64;
	const struct rna_tape_options o = {.tokens = cap,
	    .seqs = seqs,
	    .rows = 1,
	    .slots = seqs,
	    .max_len = l->m->config.max,
	    .train = 1,
	    .precision = l->opts.precision};
	enum rna_status st;

	foldlm_learn_drop(l);
	if (!(l->tape = rna_tape_create(l->m->rk, &l->m->params, &o)))
		return rna_fail(err, RNA_EMEM, "no memory for the language model on %d tokens", cap);
	if ((st = rna_batch_init(&l->batch, cap, seqs, 1, seqs)))
		return rna_fail(err, st, "no memory for the language model on %d tokens", cap);
	l->last = rna_encoder_forward(l->tape, l->m, -1, NULL);
	rna_tape_output(l->tape, l->last);
	l->rows = reallocarray(NULL, (size_t)cap, (size_t)l->m->config.hidden * sizeof(*l->rows));
	if (!l->rows)
		return rna_fail(err, RNA_EMEM, "no memory for the language model on %d tokens", cap);
	l->tokens = cap;
	return rna_tape_finish(l->tape, err);
}

/* Row of the batch that base b has its features from. */
static size_t
row_of(const struct rna_foldlm *l, size_t b)
{
	size_t at;
	const uint32_t c = foldlm_chunk_of(l, b, &at);

	return (size_t)l->batch.offsets[c] + at;
}

enum rna_status
rna_foldlm_learn(struct rna_foldlm *l, uint64_t key, float *features, struct rna_err *err)
{
	const size_t h = (size_t)l->m->config.hidden;
	uint64_t tokens = 0, n;
	enum rna_status st = RNA_OK;

	for (uint32_t c = 0; c < l->nchunks; c++, tokens += n)
		(void)rna_record_get_vec(&l->chunk[c], "tokens", RNA_U8, &n);
	if (tokens > (uint64_t)l->tokens && (st = build(l, (int)tokens, err)))
		return st;
	rna_batch_reuse(&l->batch);
	for (uint32_t c = 0; c < l->nchunks && !st; c++)
		st = rna_batch_add(&l->batch, l->m, &l->chunk[c], key ^ KEY_OF_MODEL ^ c, err);
	if (st || (st = rna_batch_upload(&l->batch, l->m->rk, rna_tape_inputs(l->tape), err)) ||
	    (st = rna_tape_forward(l->tape, err)) || (st = rna_tape_read(l->tape, l->last, tokens, l->rows, err)))
		return st;
	memcpy(features, l->rows, h * sizeof(*features));
	for (size_t b = 0; b < l->n; b++)
		memcpy(features + (b + 1) * h, l->rows + row_of(l, b) * h, h * sizeof(*features));
	return RNA_OK;
}

enum rna_status
rna_foldlm_backward(struct rna_foldlm *l, const float *dfeatures, struct rna_err *err)
{
	const size_t h = (size_t)l->m->config.hidden, tokens = (size_t)l->batch.ntokens;
	enum rna_status st;

	memset(l->rows, 0, tokens * h * sizeof(*l->rows));
	memcpy(l->rows, dfeatures, h * sizeof(*l->rows));
	for (size_t b = 0; b < l->n; b++)
		memcpy(l->rows + row_of(l, b) * h, dfeatures + (b + 1) * h, h * sizeof(*l->rows));
	if ((st = rna_tape_write_grad(l->tape, l->last, tokens, l->rows, err)))
		return st;
	return rna_tape_backward(l->tape, err);
}

enum rna_status
rna_foldlm_repack(struct rna_foldlm *l, struct rna_err *err)
{
	enum rna_status st = l->tape ? rna_tape_repack(l->tape, err) : RNA_OK;

	return st ? st : rna_embed_repack(l->hidden, err);
}
