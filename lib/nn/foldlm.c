/*
 * foldlm.c: the features of an RNA, chunk by chunk.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/embed.h"
#include "nn/foldlm.h"
#include "nn/replicate.h"
#include "seq/frame.h"

struct rna_foldlm {
	struct rna_model *m;
	int types;
	struct rna_embed *hidden, *typer;
	struct rna_framing framing;
	struct rna_record rec, *chunk; /* the RNA, and what the model gets of it */
	uint32_t nchunks, cap;
	size_t n;
	uint8_t type[RNA_VOCAB_MAX];
	float sigma[RNA_VOCAB_MAX], *logits;
	uint64_t rnas, stitched;
};

struct rna_foldlm *
rna_foldlm_open(struct rna_model *m, int types, enum rk_precision precision, struct rna_err *err)
{
	const struct rna_embed_options hidden = {RNA_EMBED_HIDDEN, -1, precision},
				       typer = {RNA_EMBED_TYPES, -1, precision};
	struct rna_foldlm *l = calloc(1, sizeof(*l));
	uint32_t room;

	if (!l) {
		(void)!rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	l->m = m;
	l->types = types;
	rna_record_init(&l->rec);
	l->framing = (struct rna_framing){
	    types > 0 ? RNA_FRAME_TYPE : m->config.frame, RNA_LONG_CHUNK, (uint32_t)m->config.max, 0};
	room = l->framing.max - rna_frame_specials(l->framing.frame);
	l->framing.overlap = room / 2;
	if (types > m->vocab.ntypes)
		(void)!rna_fail(err, RNA_EINVAL, "%d types, but the model's vocabulary has %d", types, m->vocab.ntypes);
	else if ((l->hidden = rna_embed_open(m, &hidden, err)) &&
		 (!types || (l->typer = rna_embed_open(m, &typer, err))))
		return l;
	rna_foldlm_close(l);
	return NULL;
}

void
rna_foldlm_close(struct rna_foldlm *l)
{
	if (!l)
		return;
	rna_embed_close(l->hidden);
	rna_embed_close(l->typer);
	for (uint32_t i = 0; i < l->cap; i++)
		rna_record_fini(&l->chunk[i]);
	rna_record_fini(&l->rec);
	free(l->chunk);
	free(l->logits);
	free(l);
}

void
rna_foldlm_counts(const struct rna_foldlm *l, uint64_t *rnas, uint64_t *stitched)
{
	*rnas = l->rnas;
	*stitched = l->stitched;
}

/* Room for n chunks. */
static enum rna_status
grow(struct rna_foldlm *l, uint32_t n, struct rna_err *err)
{
	struct rna_record *chunk;
	float *logits;

	if (n <= l->cap)
		return RNA_OK;
	if (!(chunk = reallocarray(l->chunk, n, sizeof(*chunk))))
		return rna_fail(err, RNA_EMEM, "out of memory");
	l->chunk = chunk;
	for (; l->cap < n; l->cap++)
		rna_record_init(&l->chunk[l->cap]);
	if (!(logits = reallocarray(l->logits, n, (size_t)(l->m->vocab.ntypes + 1) * sizeof(*logits))))
		return rna_fail(err, RNA_EMEM, "out of memory");
	l->logits = logits;
	return RNA_OK;
}

/* The types of the RNA and their weights. */
static enum rna_status
predict_types(struct rna_foldlm *l, struct rna_err *err)
{
	float p[RNA_VOCAB_MAX];
	enum rna_status st;

	if ((st = rna_embed_types(l->typer, l->chunk, l->nchunks, l->logits, err)) ||
	    (st = rna_replicate_rank(&l->m->vocab, l->logits, l->nchunks, l->types, l->type, p, err)))
		return st;
	rna_replicate_weigh(p, l->types, 0, l->sigma);
	return RNA_OK;
}

enum rna_status
rna_foldlm_begin(
    struct rna_foldlm *l, const char *letters, size_t n, int *views, const float **sigma, struct rna_err *err)
{
	enum rna_status st;

	l->n = n;
	rna_record_reuse(&l->rec);
	if (rna_record_set_str(&l->rec, "seq", letters, n) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	l->nchunks = rna_frame_chunks(&l->framing, n);
	if ((st = grow(l, l->nchunks, err)))
		return st;
	for (uint32_t c = 0; c < l->nchunks; c++)
		if (rna_frame_record(&l->framing, &l->m->vocab, &l->rec, -1, c, &l->chunk[c], NULL) != RNA_OK)
			return rna_fail(err, RNA_EINVAL, "the RNA can't be framed for the language model");
	l->rnas++;
	l->stitched += l->nchunks > 1;
	l->sigma[0] = 1;
	if (l->types > 0 && (st = predict_types(l, err)))
		return st;
	*views = l->types > 0 ? l->types : 1;
	*sigma = l->sigma;
	return RNA_OK;
}

/* How far base b of n is from a cut in the chunk that holds bases first .. first + len - 1; -1: not in it. */
static long
distance(size_t b, size_t first, size_t len, size_t n)
{
	long left, right;

	if (b < first || b >= first + len)
		return -1;
	left = first == 0 ? (long)n : (long)(b - first);
	right = first + len == n ? (long)n : (long)(first + len - 1 - b);
	return left < right ? left : right;
}

enum rna_status
rna_foldlm_view(struct rna_foldlm *l, int k, float *features, struct rna_err *err)
{
	const size_t h = (size_t)l->m->config.hidden, room = l->framing.max - rna_frame_specials(l->framing.frame);
	const size_t step = room - l->framing.overlap;
	enum rna_status st = RNA_OK;

	for (uint32_t c = 0; l->types > 0 && c < l->nchunks && !st; c++)
		st = rna_replicate_fill(&l->m->vocab, &l->chunk[c], l->type[k], err);
	if (st || (st = rna_embed_run(l->hidden, l->chunk, l->nchunks, err)))
		return st;
	for (uint32_t c = 0; c < l->nchunks; c++) {
		const size_t first = c * step, len = c + 1 < l->nchunks ? room : l->n - first;
		const struct rna_field *field = rna_record_find(&l->chunk[c], "hidden");
		const float *rows = field ? rna_record_data(&l->chunk[c], field) : NULL;

		if (!rows)
			return rna_fail(err, RNA_EINVAL, "the language model gave no hidden states");
		if (c == 0)
			memcpy(features, rows, h * sizeof(*features));
		for (size_t b = first; b < first + len; b++) {
			const long here = distance(b, first, len, l->n);
			const long before = c > 0 ? distance(b, first - step, room, l->n) : -1;

			if (here > before)
				memcpy(features + (b + 1) * h, rows + (b - first + 1) * h, h * sizeof(*features));
		}
	}
	return RNA_OK;
}
