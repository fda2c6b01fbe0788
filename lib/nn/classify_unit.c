/*
 * classify_unit.c: a micro-unit of examples on a tape: the whole model, or a head on vectors.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/classify_private.h"

#define UNIT_TOKENS 2048 /* capacity, or the model's longest input when that is more */
#define UNIT_VECTORS 256 /* of a head alone */

/* Encoder or input, class head, loss at the slots, which are the rows of [CLS]. */
static struct rna_tape *
make(struct rna_classify *c, int train, rna_t *input, rna_t *logits, struct rna_err *err)
{
	struct rna_tape_options o = c->unit;
	struct rna_tape *t;
	rna_t x;

	o.train = train;
	o.smoothing = train ? c->opts.smoothing : 0;
	if ((t = rna_tape_create(c->m->rk, c->params, &o)) == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	if (c->opts.frozen)
		x = *input = rna_tape_input(t, RNA_AT_SLOT, c->m->config.hidden);
	else
		x = rna_tape_gather(t, rna_encoder_forward(t, c->m, -1, NULL), RNA_AT_SLOT);
	x = rna_encoder_classes(t, c->params, &c->m->config, x, RNA_AT_SLOT);
	rna_tape_keep(t, x);
	rna_tape_cross_entropy(t, x, RNA_AT_SLOT);
	*logits = x;
	if (rna_tape_finish(t, err) == RNA_OK)
		return t;
	rna_tape_destroy(t);
	return NULL;
}

enum rna_status
classify_tapes(struct rna_classify *c, struct rna_err *err)
{
	const struct rna_config *k = &c->m->config;
	int tokens = k->max > UNIT_TOKENS ? k->max : UNIT_TOKENS, wide = rna_config_classes(k);
	int slots = c->opts.frozen ? UNIT_VECTORS : tokens / 2;
	rna_t ignored;

	if (c->opts.frozen)
		tokens = slots;
	wide = k->hidden > wide ? k->hidden : wide;
	c->unit = (struct rna_tape_options){.tokens = tokens,
	    .seqs = slots,
	    .rows = 1,
	    .slots = slots,
	    .max_len = c->opts.frozen ? 1 : k->max,
	    .precision = c->opts.precision};
	c->loss = calloc((size_t)slots, sizeof(*c->loss));
	c->hit = calloc((size_t)slots, sizeof(*c->hit));
	c->values = reallocarray(NULL, (size_t)slots, (size_t)wide * sizeof(*c->values));
	if (c->loss == NULL || c->hit == NULL || c->values == NULL ||
	    rna_batch_init(&c->batch, tokens, slots, 1, slots) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if ((c->tape = make(c, 1, &c->input, &ignored, err)) == NULL ||
	    (c->d->nvalid > 0 && (c->eval = make(c, 0, &c->eval_input, &c->logits, err)) == NULL))
		return err->status;
	return RNA_OK;
}

void
classify_unit_begin(struct rna_classify *c)
{
	rna_batch_reuse(&c->batch);
}

int
classify_unit_fits(const struct rna_classify *c, const struct rna_example *e)
{
	return rna_batch_fits(&c->batch, c->opts.frozen ? 1 : e->ntokens, 0);
}

/* A row of the batch that stands for [CLS] of an example whose vector is known. */
static void
add_vector(struct rna_classify *c, size_t example, uint64_t key)
{
	const size_t h = (size_t)c->m->config.hidden;
	struct rna_batch *b = &c->batch;
	int i = b->nseqs;

	memcpy(c->values + (size_t)i * h, c->vectors + example * h, h * sizeof(*c->values));
	b->row_key[i] = key;
	b->cls[i] = b->offsets[i] = i;
	b->base_first[i] = b->base_count[i] = 0;
	b->ntokens = b->offsets[i + 1] = b->nseqs = i + 1;
}

enum rna_status
classify_unit_add(struct rna_classify *c, size_t example, uint64_t key, double weight, struct rna_err *err)
{
	const struct rna_example *e = &c->d->list[example];
	struct rna_batch *b = &c->batch;
	enum rna_status s;

	if (c->opts.frozen)
		add_vector(c, example, key);
	else if ((s = rna_classdata_record(c->d, e, &c->rec, err)) != RNA_OK ||
		 (s = rna_batch_add(b, c->m, &c->rec, key, err)) != RNA_OK)
		return s;
	b->slot[b->nslots] = b->cls[b->nseqs - 1];
	b->slot_target[b->nslots] = e->label;
	b->slot_weight[b->nslots++] = (float)weight;
	return RNA_OK;
}

enum rna_status
classify_unit_run(struct rna_classify *c, int train, struct classify_sums *sums, struct rna_err *err)
{
	struct rna_tape *t = train ? c->tape : c->eval;
	struct rna_batch *b = &c->batch;
	size_t n = (size_t)b->nslots, i;
	enum rna_status s;

	if (c->opts.frozen && (s = rna_tape_write(t, train ? c->input : c->eval_input, n, c->values, err)) != RNA_OK)
		return s;
	if ((s = rna_batch_upload(b, c->m->rk, rna_tape_inputs(t), err)) != RNA_OK ||
	    (s = rna_tape_forward(t, err)) != RNA_OK || (train && (s = rna_tape_backward(t, err)) != RNA_OK) ||
	    (s = rna_tape_read_loss(t, RNA_AT_SLOT, n, c->loss, c->hit, err)) != RNA_OK)
		return s;
	for (i = 0; i < n; i++) {
		sums->loss += (double)b->slot_weight[i] * c->loss[i];
		sums->weight += (double)b->slot_weight[i];
		sums->hits += c->hit[i];
	}
	sums->n += n;
	return train ? RNA_OK : rna_tape_read(t, c->logits, n, c->values, err);
}
