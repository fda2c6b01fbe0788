/*
 * foldlm.c: the features of an RNA, chunk by chunk.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/foldlm_private.h"
#include "nn/replicate.h"

/* Tokens of a batch on a device, which computes as many as there is room for: here the chunks of one RNA come alone. */
enum { DEVICE_TOKENS = 1024 };

struct rna_foldlm *
rna_foldlm_open(struct rna_model *m, const struct rna_foldlm_options *opts, struct rna_err *err)
{
	const struct rna_embed_options hidden = {RNA_EMBED_HIDDEN, -1, opts->precision},
				       typer = {RNA_EMBED_TYPES, -1, opts->precision};
	const int unit = rk_unit_tokens(m->rk),
		  tokens = rk_is_device(m->rk) && unit > DEVICE_TOKENS ? DEVICE_TOKENS : unit;
	struct rna_foldlm *l = calloc(1, sizeof(*l));
	uint32_t room;

	if (!l) {
		(void)!rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	l->m = m;
	l->opts = *opts;
	l->shelf.most = opts->learns ? 0 : opts->kept;
	rna_record_init(&l->rec);
	l->framing = (struct rna_framing){
	    opts->types > 0 ? RNA_FRAME_TYPE : m->config.frame, RNA_LONG_CHUNK, (uint32_t)m->config.max, 0};
	room = l->framing.max - rna_frame_specials(l->framing.frame);
	l->framing.overlap = room / 2;
	if (opts->types > m->vocab.ntypes)
		(void)!rna_fail(
		    err, RNA_EINVAL, "%d types, but the model's vocabulary has %d", opts->types, m->vocab.ntypes);
	else if ((l->hidden = rna_embed_open_small(m, &hidden, tokens, err)) &&
		 (!opts->types || (l->typer = rna_embed_open_small(m, &typer, tokens, err))))
		return l;
	rna_foldlm_close(l);
	return NULL;
}

void
rna_foldlm_close(struct rna_foldlm *l)
{
	if (!l)
		return;
	foldlm_learn_drop(l);
	foldlm_kept_clear(&l->shelf);
	rna_embed_close(l->hidden);
	rna_embed_close(l->typer);
	for (uint32_t i = 0; i < l->cap; i++)
		rna_record_fini(&l->chunk[i]);
	rna_record_fini(&l->rec);
	free(l->chunk);
	free(l->logits);
	free(l);
}

int
rna_foldlm_learns(const struct rna_foldlm *l)
{
	return l->opts.learns;
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
	    (st = rna_replicate_rank(&l->m->vocab, l->logits, l->nchunks, l->opts.types, l->type, p, err)))
		return st;
	rna_replicate_weigh(p, l->opts.types, 0, l->sigma);
	return RNA_OK;
}

/* What the model gets of the RNA. */
static enum rna_status
frame(struct rna_foldlm *l, const char *letters, struct rna_err *err)
{
	enum rna_status st;

	rna_record_reuse(&l->rec);
	if (rna_record_set_str(&l->rec, "seq", letters, l->n) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if ((st = grow(l, l->nchunks, err)))
		return st;
	for (uint32_t c = 0; c < l->nchunks; c++)
		if (rna_frame_record(&l->framing, &l->m->vocab, &l->rec, -1, c, &l->chunk[c], NULL) != RNA_OK)
			return rna_fail(err, RNA_EINVAL, "the RNA can't be framed for the language model");
	return RNA_OK;
}

enum rna_status
rna_foldlm_begin(
    struct rna_foldlm *l, const char *letters, size_t n, int *views, const float **sigma, struct rna_err *err)
{
	enum rna_status st;

	l->n = n;
	l->nchunks = rna_frame_chunks(&l->framing, n);
	l->rnas++;
	l->stitched += l->nchunks > 1;
	*views = l->opts.types > 0 ? l->opts.types : 1;
	l->kept = foldlm_kept_find(&l->shelf, letters, n);
	if (l->kept && l->kept->done == *views) {
		*sigma = l->kept->sigma;
		return RNA_OK;
	}
	*sigma = l->sigma;
	l->sigma[0] = 1;
	if ((st = frame(l, letters, err)) || (l->opts.types > 0 && (st = predict_types(l, err))))
		return st;
	if (!l->kept)
		l->kept = foldlm_kept_add(&l->shelf, letters, n, *views, (size_t)l->m->config.hidden);
	if (l->kept)
		memcpy(l->kept->sigma, l->sigma, (size_t)*views * sizeof(*l->sigma));
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

uint32_t
foldlm_chunk_of(const struct rna_foldlm *l, size_t b, size_t *at)
{
	const size_t room = l->framing.max - rna_frame_specials(l->framing.frame), step = room - l->framing.overlap;
	long far = -1;
	uint32_t best = 0;

	for (uint32_t c = (uint32_t)(b < room ? 0 : (b - room) / step); c < l->nchunks && c * step <= b; c++) {
		const size_t first = c * step, len = c + 1 < l->nchunks ? room : l->n - first;
		const long here = distance(b, first, len, l->n);

		if (here > far) {
			far = here;
			best = c;
		}
	}
	*at = b - best * step + 1; /* behind [CLS] */
	return best;
}

/* Runs view k. */
static enum rna_status
compute(struct rna_foldlm *l, int k, float *features, struct rna_err *err)
{
	const size_t h = (size_t)l->m->config.hidden;
	enum rna_status st = RNA_OK;
	const float **rows;

	for (uint32_t c = 0; l->opts.types > 0 && c < l->nchunks && !st; c++)
		st = rna_replicate_fill(&l->m->vocab, &l->chunk[c], l->type[k], err);
	if (st || (st = rna_embed_run(l->hidden, l->chunk, l->nchunks, err)))
		return st;
	if (!(rows = calloc(l->nchunks, sizeof(*rows))))
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (uint32_t c = 0; c < l->nchunks && !st; c++) {
		const struct rna_field *field = rna_record_find(&l->chunk[c], "hidden");

		if (!field || !(rows[c] = rna_record_data(&l->chunk[c], field)))
			st = rna_fail(err, RNA_EINVAL, "the language model gave no hidden states");
	}
	if (!st)
		memcpy(features, rows[0], h * sizeof(*features));
	for (size_t b = 0, at; b < l->n && !st; b++) {
		const uint32_t c = foldlm_chunk_of(l, b, &at);

		memcpy(features + (b + 1) * h, rows[c] + at * h, h * sizeof(*features));
	}
	free(rows);
	return st;
}

enum rna_status
rna_foldlm_view(struct rna_foldlm *l, int k, float *features, struct rna_err *err)
{
	const size_t n = (l->n + 1) * (size_t)l->m->config.hidden;
	enum rna_status st;

	if (l->kept && k < l->kept->done) {
		memcpy(features, l->kept->features + (size_t)k * n, n * sizeof(*features));
		return RNA_OK;
	}
	if ((st = compute(l, k, features, err)))
		return st;
	if (l->kept && k == l->kept->done) {
		memcpy(l->kept->features + (size_t)k * n, features, n * sizeof(*features));
		l->kept->done++;
	}
	return RNA_OK;
}
