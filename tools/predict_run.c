/*
 * predict_run.c: a window of records through the backbone, and what the class head makes of each RNA's parts: chunks,
 * and with STACK its type replicates, which are made here unless the records are replicates.
 */
#include <stdlib.h>
#include <string.h>

#include "predict.h"

static void *
again(struct predict *p, void *old, size_t n, size_t size)
{
	void *more = reallocarray(old, n, size);

	if (more == NULL)
		tool_die(p->e.t, "out of memory");
	return more;
}

/* Room for what is kept of the window's records. */
static void
grow(struct predict *p)
{
	const size_t classes = json_array_size(p->e.model.config.labels), k = (size_t)p->e.types + 1;
	size_t n = p->e.window.n + 1;

	if (n <= p->cap)
		return;
	p->part = again(p, p->part, n, sizeof(*p->part));
	p->unit = again(p, p->unit, n, sizeof(*p->unit));
	p->logits = again(p, p->logits, n, classes * sizeof(*p->logits));
	p->types = again(p, p->types, n, k);
	p->types_p = again(p, p->types_p, n, k * sizeof(*p->types_p));
	p->slot = again(p, p->slot, n, 1);
	p->cap = n;
}

/* The tokens of the type slots into p->slot, or from there; a record without a slot is found by who fills it. */
static void
slots(struct predict *p, int restore)
{
	struct embed *e = &p->e;
	struct rna_err err = {.record = RNA_NOREC};
	const uint8_t *tokens;
	uint64_t n;
	int64_t at;
	size_t i;

	for (i = 0; i < e->window.n; i++) {
		if (restore) {
			if (rna_replicate_fill(&e->model.vocab, &e->window.rec[i], p->slot[i], &err) != RNA_OK)
				embed_fail(e, &err);
			continue;
		}
		tokens = rna_record_get_vec(&e->window.rec[i], "tokens", RNA_U8, &n);
		at = rna_frame_slot(&e->model.vocab, tokens, n);
		p->slot[i] = at >= 0 ? tokens[at] : 0;
	}
}

/* The replicates of each record that have a weight; one set of types for all chunks of an RNA. */
static void
replicate(struct predict *p, struct rna_err *err)
{
	struct embed *e = &p->e;
	const struct rna_vocab *v = &e->model.vocab;
	const int k = e->types;
	float sigma[RNA_VOCAB_MAX];
	size_t i, c;
	int j;

	slots(p, 0);
	embed_predict_types(e);
	slots(p, 1);
	for (i = 0; i < e->nunits; i++) {
		const struct unit *u = &e->unit[i];
		uint8_t *types = p->types + i * (size_t)k;
		float *share = p->types_p + i * (size_t)k;

		if (rna_replicate_rank(
			v, e->logits + u->first * (size_t)v->ntypes, u->n, k, types, share, err) != RNA_OK)
			embed_fail(e, err);
		rna_replicate_weigh(share, k, e->floor, sigma);
		for (c = u->first; c < u->first + u->n; c++) {
			p->part[c] = (struct rna_classunit){e->replicas.n, 0};
			for (j = 0; j < k; j++)
				if (sigma[j] > 0 && rna_replicate_make(v, &e->window.rec[c], types, share, sigma, k, j,
							embed_pool_add(e, &e->replicas), err) != RNA_OK)
					embed_fail(e, err);
			p->part[c].n = e->replicas.n - p->part[c].first;
		}
	}
}

/* 1: the records of the unit have one answer: they are chunks that were made here, or that attend to each other. */
static int
is_one(const struct predict *p, const struct unit *u)
{
	return u->merged || p->e.model.config.class_chunks != RNA_CHUNKS_MEAN;
}

/* The answers of the window, one after the other. */
static void
answer(struct predict *p, const struct pool *pool, struct rna_err *err)
{
	struct embed *e = &p->e;
	size_t i, c, n = 0;

	for (i = 0; i < e->nunits; i++) {
		const struct unit *u = &e->unit[i];

		for (c = u->first; c < u->first + u->n; c++) {
			if (c == u->first || !is_one(p, u))
				p->unit[n++] = p->part[c];
			else
				p->unit[n - 1].n += p->part[c].n;
		}
	}
	if (rna_classrun_run(p->classrun, pool->rec, p->unit, n, p->logits, err) != RNA_OK)
		embed_fail(e, err);
}

static void
put(struct predict *p, struct rna_record *rec, size_t unit, const float *logits, int replicated, struct rna_err *err)
{
	const size_t k = (size_t)p->e.types;

	rna_record_remove(rec, RNA_EMBED_CLASS_FIELD);
	if (replicated && (rna_record_set_vec(rec, "types", RNA_U8, p->types + unit * k, k) != RNA_OK ||
			      rna_record_set_vec(rec, "types_p", RNA_F32, p->types_p + unit * k, k) != RNA_OK))
		tool_die(p->e.t, "out of memory");
	if (predict_answer(rec, logits, p->e.model.config.labels, p->top, err) != RNA_OK)
		embed_fail(&p->e, err);
	embed_put(&p->e, rec);
}

void
predict_flush(struct predict *p)
{
	struct embed *e = &p->e;
	const size_t classes = json_array_size(e->model.config.labels);
	int replicated = e->stack && e->window.n > 0 && rna_record_find(&e->window.rec[0], "group") == NULL;
	struct pool *pool = replicated ? &e->replicas : &e->window;
	struct rna_err err = {.record = RNA_NOREC};
	const float *logits;
	size_t i, c;

	grow(p);
	for (i = 0; i < e->window.n; i++)
		p->part[i] = (struct rna_classunit){i, 1};
	if (replicated)
		replicate(p, &err);
	if (rna_embed_run(e->embed, pool->rec, pool->n, &err) != RNA_OK)
		embed_fail(e, &err);
	answer(p, pool, &err);
	logits = p->logits;
	for (i = 0; i < e->nunits; i++) {
		struct unit *u = &e->unit[i];

		if (u->merged)
			put(p, &u->whole, i, logits, replicated, &err);
		for (c = 0; !u->merged && c < u->n; c++)
			put(p, &e->window.rec[u->first + c], i, logits + (is_one(p, u) ? 0 : c * classes), replicated,
			    &err);
		logits += (is_one(p, u) ? 1 : u->n) * classes;
	}
	e->all_tokens += e->tokens;
	embed_clear(e);
	tool_progress_at(&e->progress, (double)e->read, "");
}

void
predict_close(struct predict *p)
{
	rna_classrun_close(p->classrun);
	free(p->part);
	free(p->unit);
	free(p->logits);
	free(p->types);
	free(p->types_p);
	free(p->slot);
}
