/*
 * classify_frozen.c: a head on a backbone that does not learn: its vectors, in evaluation mode, once for all
 * epochs; pooler and class head as parameters of their own, so that nothing else is touched by the optimiser.  For a
 * head that reads all tokens, the states of all tokens are kept.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/classify_private.h"
#include "nn/embed.h"
#include "nn/interact.h"

#define WINDOW 256 /* pieces embedded at once */

static int
is_head(const struct rna_param *p)
{
	return strncmp(p->name, "pooler.", 7) == 0 || strncmp(p->name, "classifier.", 11) == 0;
}

/* Copies the head's values, into the model or out of it. */
static enum rna_status
copy_head(struct rna_classify *c, int into_model, struct rna_err *err)
{
	struct rna_params *model = &c->m->params;
	float *host;
	int i, k;

	for (i = 0; i < c->head.n; i++) {
		size_t n = c->head.list[i].n;
		void *here = rna_params_value(&c->head, i), *there;

		if ((k = rna_params_find(model, c->head.list[i].name)) < 0)
			return rna_fail(err, RNA_EINVAL, "the model lacks %s", c->head.list[i].name);
		there = rna_params_value(model, k);
		if ((host = reallocarray(NULL, n, sizeof(*host))) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
		if (rk_download_f32(c->m->rk, host, into_model ? here : there, n) != RK_OK ||
		    rk_upload_f32(c->m->rk, into_model ? there : here, host, n) != RK_OK) {
			free(host);
			return rna_fail(err, RNA_EDEVICE, "%s", rk_error(c->m->rk));
		}
		free(host);
	}
	return RNA_OK;
}

/* Vectors of the n pieces from first on. */
static enum rna_status
embed_window(
    struct rna_classify *c, struct rna_embed *e, struct rna_record *rec, size_t first, size_t n, struct rna_err *err)
{
	const char *field = c->by_tokens ? "hidden" : RNA_EMBED_CLASS_FIELD;
	const size_t h = (size_t)c->m->config.hidden;
	const struct rna_record *in;
	const struct rna_field *f;
	enum rna_status s = RNA_OK;
	size_t i;

	for (i = 0; i < n && s == RNA_OK; i++)
		if ((s = classify_input(c, &c->d->piece[first + i], &in, err)) == RNA_OK &&
		    (s = rna_record_copy(&rec[i], in)) != RNA_OK)
			return rna_fail(err, s, "out of memory");
	if (s == RNA_OK)
		s = rna_embed_run(e, rec, n, err);
	for (i = 0; i < n && s == RNA_OK; i++) {
		f = rna_record_find(&rec[i], field);
		memcpy(c->vectors + (c->by_tokens ? c->first[first + i] : first + i) * h, rna_record_data(&rec[i], f),
		    f->size);
	}
	return s;
}

/* Rows of vectors; by tokens also where those of each piece begin. */
static size_t
count_rows(struct rna_classify *c)
{
	size_t i, rows = 0;

	if (!c->by_tokens)
		return c->d->npieces;
	c->first = calloc(c->d->npieces + 1, sizeof(*c->first));
	for (i = 0; c->first != NULL && i < c->d->npieces; i++) {
		c->first[i] = rows;
		rows += rna_interact_tokens(&c->m->config, c->d->piece[i].ntokens);
	}
	return rows;
}

static enum rna_status
embed_all(struct rna_classify *c, struct rna_err *err)
{
	struct rna_embed_options o = {.what = c->by_tokens ? RNA_EMBED_HIDDEN : RNA_EMBED_CLASS,
	    .layer = -1,
	    .precision = c->opts.precision};
	struct rna_record *rec = calloc(WINDOW, sizeof(*rec));
	struct rna_embed *e = rna_embed_open(c->m, &o, err);
	enum rna_status s = e != NULL ? RNA_OK : err->status;
	size_t i, n, rows = count_rows(c);

	c->vectors = reallocarray(NULL, rows + 1, (size_t)c->m->config.hidden * sizeof(*c->vectors));
	if (s == RNA_OK && (rec == NULL || c->vectors == NULL || (c->by_tokens && c->first == NULL)))
		s = rna_fail(err, RNA_EMEM, "out of memory for the vectors of %zu RNAs", c->d->n);
	for (i = 0; i < c->d->npieces && s == RNA_OK; i += n) {
		n = c->d->npieces - i < WINDOW ? c->d->npieces - i : WINDOW;
		s = embed_window(c, e, rec, i, n, err);
	}
	for (i = 0; rec != NULL && i < WINDOW; i++)
		rna_record_fini(&rec[i]);
	free(rec);
	rna_embed_close(e);
	return s;
}

enum rna_status
classify_frozen_open(struct rna_classify *c, struct rna_err *err)
{
	const struct rna_params *model = &c->m->params;
	enum rna_status s;
	int i;

	rna_params_init(&c->head, c->m->rk);
	for (i = 0; i < model->n; i++) {
		const struct rna_param *p = &model->list[i];

		if (is_head(p) && rna_params_add(&c->head, p->name, p->ndim, p->dims, p->decay) < 0)
			return rna_fail(err, RNA_EMEM, "out of memory");
	}
	c->params = &c->head;
	if ((s = rna_params_alloc(&c->head, err)) != RNA_OK || (s = copy_head(c, 0, err)) != RNA_OK)
		return s;
	return c->by_tokens && !c->m->config.class_lm ? RNA_OK : embed_all(c, err);
}

enum rna_status
classify_frozen_store(struct rna_classify *c, struct rna_err *err)
{
	return copy_head(c, 1, err);
}
