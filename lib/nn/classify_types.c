/*
 * classify_types.c: which types each example is shown as: predicted from its pieces with [MASK] in the type slot.
 */
#include <stdlib.h>

#include "nn/classify_private.h"
#include "nn/embed.h"
#include "nn/replicate.h"

#define WINDOW 256 /* pieces typed at once */

/* Logits of the types of n pieces from `first` on. */
static enum rna_status
type_window(const struct rna_classify *c, struct rna_embed *e, struct rna_record *rec, size_t first, size_t n,
    float *logits, struct rna_err *err)
{
	const struct rna_vocab *v = &c->m->vocab;
	enum rna_status s = RNA_OK;
	size_t i;

	for (i = 0; i < n && s == RNA_OK; i++)
		if ((s = rna_classdata_record(c->d, &c->d->piece[first + i], &rec[i], err)) == RNA_OK)
			s = rna_replicate_fill(v, &rec[i], (uint8_t)v->mask, err);
	return s == RNA_OK ? rna_embed_types(e, rec, n, logits, err) : s;
}

static enum rna_status
rank(struct rna_classify *c, const float *logits, struct rna_err *err)
{
	const struct rna_vocab *v = &c->m->vocab;
	const int k = c->m->config.class_types;
	float p[RNA_VOCAB_MAX];
	enum rna_status s;
	size_t i;

	for (i = 0; i < c->d->n; i++) {
		const struct rna_example *e = &c->d->list[i];

		if ((s = rna_replicate_rank(v, logits + e->first * (size_t)v->ntypes, e->npieces, k,
			 c->types + i * (size_t)k, p, err)) != RNA_OK)
			return s;
		rna_replicate_weigh(p, k, c->m->config.class_floor, c->sigma + i * (size_t)k);
	}
	return RNA_OK;
}

static enum rna_status
take_memory(struct rna_classify *c, struct rna_err *err)
{
	const size_t k = (size_t)c->m->config.class_types;

	if (c->types != NULL)
		return RNA_OK;
	c->types = reallocarray(NULL, c->d->n + 1, k);
	c->sigma = reallocarray(NULL, c->d->n + 1, k * sizeof(*c->sigma));
	return c->types != NULL && c->sigma != NULL ? RNA_OK : rna_fail(err, RNA_EMEM, "out of memory");
}

enum rna_status
classify_types(struct rna_classify *c, struct rna_err *err)
{
	const struct rna_embed_options o = {RNA_EMBED_TYPES, -1, c->opts.precision};
	const size_t ntypes = (size_t)c->m->vocab.ntypes;
	struct rna_record *rec = calloc(WINDOW, sizeof(*rec));
	float *logits = reallocarray(NULL, c->d->npieces + 1, (ntypes + 1) * sizeof(*logits));
	struct rna_embed *e = NULL;
	enum rna_status s = take_memory(c, err);
	size_t i, n;

	if (s == RNA_OK && (rec == NULL || logits == NULL))
		s = rna_fail(err, RNA_EMEM, "out of memory");
	if (s == RNA_OK && (e = rna_embed_open(c->opts.typer != NULL ? c->opts.typer : c->m, &o, err)) == NULL)
		s = err->status;
	for (i = 0; i < c->d->npieces && s == RNA_OK; i += n) {
		n = c->d->npieces - i < WINDOW ? c->d->npieces - i : WINDOW;
		s = type_window(c, e, rec, i, n, logits + i * ntypes, err);
	}
	if (s == RNA_OK)
		s = rank(c, logits, err);
	for (i = 0; rec != NULL && i < WINDOW; i++)
		rna_record_fini(&rec[i]);
	free(rec);
	free(logits);
	rna_embed_close(e);
	return s;
}
