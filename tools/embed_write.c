/*
 * embed_write.c: the window through the model; results are written in the order of the input.
 */
#include <stdlib.h>

#include "embed_private.h"

void
embed_fail(struct embed *e, struct rna_err *err)
{
	rna_err_where(err, e->in.source != NULL ? rna_source_name(e->in.source) : "", RNA_NOREC);
	tool_die_err(e->t, err);
}

/* Writes a record, unless an earlier run, which is continued, has. */
void
embed_put(struct embed *e, const struct rna_record *rec)
{
	if (e->skip > 0) {
		e->skip--;
		return;
	}
	tool_out_write(e->out, rec);
	e->written++;
}

void
embed_predict_types(struct embed *e)
{
	const struct rna_vocab *v = &e->model.vocab;
	struct rna_err err = {.record = RNA_NOREC};
	size_t i;

	free(e->logits);
	if ((e->logits = calloc(e->window.n * (size_t)v->ntypes + 1, sizeof(*e->logits))) == NULL)
		tool_die(e->t, "out of memory");
	for (i = 0; i < e->window.n; i++)
		if (rna_replicate_fill(v, &e->window.rec[i], (uint8_t)v->mask, &err) != RNA_OK)
			embed_fail(e, &err);
	if (rna_embed_types(e->typer, e->window.rec, e->window.n, e->logits, &err) != RNA_OK)
		embed_fail(e, &err);
}

/* K replicates of each record: one set of types for all chunks of an RNA. */
static void
replicate(struct embed *e, struct rna_err *err)
{
	const struct rna_vocab *v = &e->model.vocab;
	uint8_t types[RNA_VOCAB_MAX];
	float p[RNA_VOCAB_MAX], sigma[RNA_VOCAB_MAX];
	size_t i, c;
	int k;

	embed_predict_types(e);
	for (i = 0; i < e->nunits; i++) {
		struct unit *u = &e->unit[i];

		if (rna_replicate_rank(v, e->logits + u->first * (size_t)v->ntypes, u->n, e->types, types, p, err) !=
		    RNA_OK)
			embed_fail(e, err);
		rna_replicate_weigh(p, e->types, e->floor, sigma);
		for (c = 0; c < u->n; c++)
			for (k = 0; k < e->types; k++)
				if (rna_replicate_make(v, &e->window.rec[u->first + c], types, p, sigma, e->types, k,
					embed_pool_add(e, &e->replicas), err) != RNA_OK)
					embed_fail(e, err);
	}
}

static void
put_units(struct embed *e, struct rna_err *err)
{
	size_t i;

	for (i = 0; i < e->nunits; i++) {
		struct unit *u = &e->unit[i];
		struct rna_record *rec = &e->window.rec[u->first];

		if (u->merged && rna_embed_merge(&e->model.vocab, rec, u->n, &u->whole, err) != RNA_OK)
			embed_fail(e, err);
		embed_put(e, u->merged ? &u->whole : rec);
	}
}

void
embed_flush(struct embed *e)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct pool *p = e->types > 0 ? &e->replicas : &e->window;
	size_t i;

	if (e->types > 0)
		replicate(e, &err);
	if (e->embed != NULL && rna_embed_run(e->embed, p->rec, p->n, &err) != RNA_OK)
		embed_fail(e, &err);
	if (e->types > 0)
		for (i = 0; i < p->n; i++)
			embed_put(e, &p->rec[i]);
	else
		put_units(e, &err);
	e->all_tokens += e->tokens;
	embed_clear(e);
	tool_progress_at(&e->progress, (double)e->read, "");
}
