/*
 * batch.c: records one after the other as one model input.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/batch.h"

enum rna_status
rna_batch_init(struct rna_batch *b, int tokens, int seqs, int rows, int slots)
{
	size_t nt = (size_t)tokens, ns = (size_t)seqs, nr = (size_t)rows + 1, nk = (size_t)slots + 1;

	memset(b, 0, sizeof(*b));
	if (tokens < 1 || seqs < 1 || rows < 0 || slots < 0)
		return RNA_EINVAL;
	b->cap_tokens = tokens;
	b->cap_seqs = seqs;
	b->cap_rows = rows;
	b->cap_slots = slots;
	b->token = calloc(nt, 1);
	b->segment = calloc(nt, 1);
	b->position = calloc(nt, sizeof(*b->position));
	b->row_key = calloc(nt, sizeof(*b->row_key));
	b->cls_key = calloc(ns, sizeof(*b->cls_key));
	b->masked_key = calloc(nr, sizeof(*b->masked_key));
	b->offsets = calloc(ns + 1, sizeof(*b->offsets));
	b->cls = calloc(ns, sizeof(*b->cls));
	b->base_first = calloc(ns, sizeof(*b->base_first));
	b->base_count = calloc(ns, sizeof(*b->base_count));
	b->masked = calloc(nr, sizeof(*b->masked));
	b->target = calloc(nr, sizeof(*b->target));
	b->weight = calloc(nr, sizeof(*b->weight));
	b->slot = calloc(nk, sizeof(*b->slot));
	b->slot_target = calloc(nk, sizeof(*b->slot_target));
	b->slot_weight = calloc(nk, sizeof(*b->slot_weight));
	b->part_first = calloc(nk, sizeof(*b->part_first));
	b->part_count = calloc(nk, sizeof(*b->part_count));
	if (b->token && b->segment && b->position && b->row_key && b->cls_key && b->masked_key && b->offsets &&
	    b->cls && b->base_first && b->base_count && b->masked && b->target && b->weight && b->slot &&
	    b->slot_target && b->slot_weight && b->part_first && b->part_count)
		return RNA_OK;
	rna_batch_fini(b);
	return RNA_EMEM;
}

void
rna_batch_fini(struct rna_batch *b)
{
	free(b->token);
	free(b->segment);
	free(b->position);
	free(b->row_key);
	free(b->cls_key);
	free(b->masked_key);
	free(b->offsets);
	free(b->cls);
	free(b->base_first);
	free(b->base_count);
	free(b->masked);
	free(b->target);
	free(b->weight);
	free(b->slot);
	free(b->slot_target);
	free(b->slot_weight);
	free(b->part_first);
	free(b->part_count);
	memset(b, 0, sizeof(*b));
}

void
rna_batch_reuse(struct rna_batch *b)
{
	b->ntokens = b->nseqs = b->nrows = b->nslots = 0;
	b->longest = 0;
}

int
rna_batch_fits(const struct rna_batch *b, uint64_t ntokens, uint64_t nrows)
{
	return b->nseqs < b->cap_seqs && ntokens <= (uint64_t)(b->cap_tokens - b->ntokens) &&
	       nrows <= (uint64_t)(b->cap_rows - b->nrows);
}

/* What a record brings. */
struct input {
	const uint8_t *tokens, *segment, *target;
	const uint32_t *masked;
	uint64_t n, nmasked;
};

static enum rna_status
get(struct input *in, const struct rna_record *rec, struct rna_err *err)
{
	uint64_t n;

	memset(in, 0, sizeof(*in));
	in->tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &in->n);
	if (!in->tokens || !in->n)
		return rna_fail(err, RNA_EFORMAT, "no tokens: pass the sequences through rna-tokenize");
	if (rna_record_find(rec, "segment")) {
		in->segment = rna_record_get_vec(rec, "segment", RNA_U8, &n);
		if (!in->segment || n != in->n)
			return rna_fail(err, RNA_EFORMAT, "segment does not go with tokens");
	}
	if (!rna_record_find(rec, "masked") && !rna_record_find(rec, "target"))
		return RNA_OK;
	in->masked = rna_record_get_vec(rec, "masked", RNA_U32, &in->nmasked);
	in->target = rna_record_get_vec(rec, "target", RNA_U8, &n);
	if (!in->masked || !in->target || n != in->nmasked)
		return rna_fail(err, RNA_EFORMAT, "masked and target do not go together");
	return RNA_OK;
}

/* Every number that a kernel will use as an index. */
static enum rna_status
check(const struct input *in, const struct rna_model *m, struct rna_err *err)
{
	if (in->n > (uint64_t)m->config.max)
		return rna_fail(err, RNA_EFORMAT, "%llu tokens, the model takes %d: rna-tokenize --long chunk --max %d",
		    (unsigned long long)in->n, m->config.max, m->config.max);
	for (uint64_t i = 0; i < in->n; i++)
		if (in->tokens[i] >= m->config.vocab_size)
			return rna_fail(err, RNA_EFORMAT, "token %d at %llu, the model's vocabulary has %d",
			    in->tokens[i], (unsigned long long)i, m->config.vocab_size);
	for (uint64_t i = 0; in->segment && i < in->n; i++)
		if (in->segment[i] >= m->config.segments)
			return rna_fail(err, RNA_EFORMAT, "segment %d at %llu, the model has %d", in->segment[i],
			    (unsigned long long)i, m->config.segments);
	for (uint64_t i = 0; i < in->nmasked; i++) {
		if (in->masked[i] >= in->n || (i && in->masked[i] <= in->masked[i - 1]))
			return rna_fail(err, RNA_EFORMAT, "masked positions do not ascend within the tokens");
		if (in->target[i] >= m->config.vocab_size)
			return rna_fail(err, RNA_EFORMAT, "target %d, the model's vocabulary has %d", in->target[i],
			    m->config.vocab_size);
	}
	return RNA_OK;
}

/* Key of a row: of the record's key and the position, every bit of both in every bit. */
static uint64_t
row_key(uint64_t key, uint64_t position)
{
	uint64_t x = key + (position + 1) * UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

enum rna_status
rna_batch_add(
    struct rna_batch *b, const struct rna_model *m, const struct rna_record *rec, uint64_t key, struct rna_err *err)
{
	struct input in;
	enum rna_status st;
	uint32_t first;
	int at = b->ntokens;

	if ((st = get(&in, rec, err)) || (st = check(&in, m, err)))
		return st;
	if (!rna_batch_fits(b, in.n, in.nmasked))
		return rna_fail(err, RNA_EINVAL, "a batch of %d tokens is too small for a record of %llu",
		    b->cap_tokens, (unsigned long long)in.n);
	memcpy(b->token + at, in.tokens, in.n);
	if (in.segment)
		memcpy(b->segment + at, in.segment, in.n);
	else
		memset(b->segment + at, 0, in.n);
	for (int i = 0; i < (int)in.n; i++) {
		b->position[at + i] = i;
		b->row_key[at + i] = row_key(key, (uint64_t)i);
	}
	for (uint64_t i = 0; i < in.nmasked; i++) {
		b->masked[b->nrows] = at + (int)in.masked[i];
		b->masked_key[b->nrows] = row_key(key, in.masked[i]);
		b->target[b->nrows] = in.target[i];
		b->weight[b->nrows++] = 1.0f;
	}
	b->cls[b->nseqs] = at;
	b->cls_key[b->nseqs] = row_key(key, 0);
	b->base_count[b->nseqs] = (int32_t)rna_frame_bases(&m->vocab, in.tokens, in.n, &first);
	b->base_first[b->nseqs] = at + (int32_t)first;
	b->offsets[b->nseqs++] = at;
	b->ntokens = at + (int)in.n;
	b->offsets[b->nseqs] = b->ntokens;
	b->longest = (int)in.n > b->longest ? (int)in.n : b->longest;
	return RNA_OK;
}

/* n elements into the image of the inputs, where `at` lies in them. */
static void
put(const struct rna_tape_inputs *in, char *image, const void *at, const void *src, size_t n, size_t item)
{
	memcpy(image + ((const char *)at - (const char *)in->live), src, n * item);
}

enum rna_status
rna_batch_upload(const struct rna_batch *b, struct rk *rk, struct rna_tape_inputs *in, struct rna_err *err)
{
	const int32_t live[RK_NLIVE] = {b->ntokens, b->nseqs, b->nrows, b->nslots};
	const size_t nt = (size_t)b->ntokens, ns = (size_t)b->nseqs, nr = (size_t)b->nrows, nk = (size_t)b->nslots;
	char *image = rk_feed_image(in->feed);

	if (!image)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(rk));
	put(in, image, in->live, live, RK_NLIVE, 4);
	put(in, image, in->token, b->token, nt, 1);
	put(in, image, in->segment, b->segment, nt, 1);
	put(in, image, in->position, b->position, nt, 4);
	put(in, image, in->row_key, b->row_key, nt, 8);
	put(in, image, in->offsets, b->offsets, ns + 1, 4);
	put(in, image, in->cls, b->cls, ns, 4);
	put(in, image, in->base_first, b->base_first, ns, 4);
	put(in, image, in->base_count, b->base_count, ns, 4);
	put(in, image, in->masked, b->masked, nr, 4);
	put(in, image, in->target, b->target, nr, 4);
	put(in, image, in->weight, b->weight, nr, 4);
	put(in, image, in->slot, b->slot, nk, 4);
	put(in, image, in->slot_target, b->slot_target, nk, 4);
	put(in, image, in->slot_weight, b->slot_weight, nk, 4);
	put(in, image, in->part_first, b->part_first, nk, 4);
	put(in, image, in->part_count, b->part_count, nk, 4);
	if (in->key[RK_LIVE_SEQS]) {
		put(in, image, in->key[RK_LIVE_SEQS], b->cls_key, ns, 8);
		put(in, image, in->key[RK_LIVE_ROWS], b->masked_key, nr, 8);
	}
	return rk_feed_send(in->feed) == RK_OK ? RNA_OK : rna_fail(err, RNA_EDEVICE, "%s", rk_error(rk));
}
