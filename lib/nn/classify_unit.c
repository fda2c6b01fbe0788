/*
 * classify_unit.c: a micro-unit of examples on a tape: the whole model, or a head on vectors.  A slot is an example,
 * its parts are its pieces, with STACK each of them once for each of its types.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/classhead.h"
#include "nn/classify_private.h"
#include "nn/interact.h"
#include "nn/replicate.h"
#include "stream/rng.h"

#define UNIT_TOKENS 2048 /* capacity, or the model's longest input, or the longest example, when that is more */
#define UNIT_VECTORS 256 /* of a head alone */

int
classify_types_count(const struct rna_classify *c)
{
	return c->types != NULL ? c->m->config.class_types : 1;
}

enum rna_status
classify_input(struct rna_classify *c, const struct rna_piece *p, const struct rna_record **in, struct rna_err *err)
{
	enum rna_status s = rna_classdata_record(c->d, p, &c->rec, err);

	*in = &c->rec;
	if (s != RNA_OK || !c->by_tokens)
		return s;
	*in = &c->framed;
	return rna_interact_frame(&c->m->config, &c->m->vocab, &c->rec, &c->framed, err);
}

/* 1: a sequence of the batch stands for a vector that is known. */
static int
is_vector(const struct rna_classify *c)
{
	return c->opts.frozen && !c->by_tokens;
}

/* What a head by tokens reads: the encoder's states, or those that were kept, or none. */
static rna_t
states(struct rna_classify *c, struct classify_tape *u)
{
	if (!c->m->config.class_lm)
		return -1;
	if (c->opts.frozen)
		return u->input = rna_tape_input_rows(u->t, RK_LIVE_TOKENS, c->m->config.hidden);
	return rna_encoder_forward(u->t, c->m, -1, NULL);
}

/* Encoder or input, class head, loss. */
static enum rna_status
make(struct rna_classify *c, int train, struct classify_tape *u, struct rna_err *err)
{
	const struct rna_config *k = &c->m->config;
	struct rna_tape_options o = c->unit;
	rna_t x;

	o.train = train;
	o.smoothing = train ? c->opts.smoothing : 0;
	if ((u->t = rna_tape_create(c->m->rk, c->params, &o)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	u->input = -1;
	if (c->by_tokens)
		x = rna_classhead_read(u->t, c->params, k, states(c, u));
	else if (c->opts.frozen)
		x = u->input = rna_tape_input(u->t, RNA_AT_CLS, k->hidden);
	else if (rna_classhead_reads_cls(k))
		x = rna_encoder_rows(u->t, c->m, RNA_AT_CLS);
	else
		x = rna_classhead_read(u->t, c->params, k, rna_encoder_forward(u->t, c->m, -1, NULL));
	u->weight = rna_tape_input(u->t, RNA_AT_CLS, 1);
	u->logits = rna_classhead_logits(u->t, c->params, k, x, u->weight);
	rna_tape_keep(u->t, u->logits);
	rna_tape_cross_entropy(u->t, u->logits, RNA_AT_SLOT);
	return rna_tape_finish(u->t, err);
}

/* Types that an example is shown as; those whose weight is 0 are not. */
static uint64_t
types_of(const struct rna_classify *c, size_t example)
{
	const int k = classify_types_count(c);
	uint64_t n = 0;
	int i;

	for (i = 0; i < k; i++)
		n += c->types == NULL || c->sigma[example * (size_t)k + (size_t)i] > 0;
	return n;
}

/* Tokens of an example's pieces, shown once. */
static uint64_t
tokens_of(const struct rna_classify *c, size_t example)
{
	const struct rna_example *e = &c->d->list[example];
	uint64_t n = 0, tokens;
	uint32_t i;

	for (i = 0; i < e->npieces; i++) {
		tokens = c->d->piece[e->first + i].ntokens;
		n += is_vector(c) ? 1 : c->by_tokens ? rna_interact_tokens(&c->m->config, tokens) : tokens;
	}
	return n;
}

/* Capacities in tokens and parts: of the largest example, all of its types shown. */
static enum rna_status
capacity(const struct rna_classify *c, int *tokens, int *parts, struct rna_err *err)
{
	const uint64_t types = (uint64_t)classify_types_count(c);
	uint64_t most = is_vector(c) ? UNIT_VECTORS : UNIT_TOKENS, widest = 0, n;
	size_t i;

	if (!is_vector(c) && (uint64_t)c->m->config.max > most)
		most = (uint64_t)c->m->config.max;
	for (i = 0; i < c->d->n; i++) {
		n = tokens_of(c, i) * types;
		most = n > most ? n : most;
		n = c->d->list[i].npieces * types;
		widest = n > widest ? n : widest;
	}
	if (most > 1 << 24)
		return rna_fail(err, RNA_EFORMAT,
		    "an RNA of %llu tokens in all is more than a step takes; use fewer of its chunks: --max-chunks",
		    (unsigned long long)most);
	*tokens = (int)most;
	if (c->by_tokens) {
		*parts = (int)(most / rna_interact_tokens(&c->m->config, 0)) + 1;
		return RNA_OK;
	}
	*parts = c->opts.frozen || (uint64_t)*tokens / 2 < widest ? (int)(widest > most ? widest : most) : *tokens / 2;
	return RNA_OK;
}

enum rna_status
classify_tapes(struct rna_classify *c, struct rna_err *err)
{
	const struct rna_config *k = &c->m->config;
	int tokens = 0, parts = 0, wide = rna_config_classes(k);
	enum rna_status s = capacity(c, &tokens, &parts, err);

	if (s != RNA_OK)
		return s;
	wide = k->hidden > wide ? k->hidden : wide;
	c->unit = (struct rna_tape_options){.tokens = tokens,
	    .seqs = parts,
	    .rows = 1,
	    .slots = parts,
	    .max_len = is_vector(c) ? 1 : k->max,
	    .precision = c->opts.precision};
	if (c->by_tokens)
		rna_interact_capacity(k, &c->unit);
	c->loss = calloc((size_t)parts, sizeof(*c->loss));
	c->hit = calloc((size_t)parts, sizeof(*c->hit));
	c->share = calloc((size_t)parts, sizeof(*c->share));
	c->values = reallocarray(
	    NULL, (size_t)(c->by_tokens ? tokens : parts), (size_t)wide * sizeof(*c->values));
	if (c->loss == NULL || c->hit == NULL || c->share == NULL || c->values == NULL ||
	    rna_batch_init(&c->batch, tokens, parts, 1, parts) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if ((s = make(c, 1, &c->train, err)) == RNA_OK && c->d->nvalid > 0)
		s = make(c, 0, &c->eval, err);
	return s;
}

void
classify_unit_begin(struct rna_classify *c)
{
	rna_batch_reuse(&c->batch);
}

int
classify_unit_fits(const struct rna_classify *c, size_t example)
{
	const struct rna_batch *b = &c->batch;
	uint64_t types = types_of(c, example), tokens = tokens_of(c, example) * types;
	uint64_t parts = c->d->list[example].npieces * types;

	return b->nslots < b->cap_slots && parts <= (uint64_t)(b->cap_seqs - b->nseqs) &&
	       tokens <= (uint64_t)(b->cap_tokens - b->ntokens);
}

/* A row of the batch that stands for an input whose vector is known. */
static void
add_vector(struct rna_classify *c, size_t piece, uint64_t key)
{
	const size_t h = (size_t)c->m->config.hidden;
	struct rna_batch *b = &c->batch;
	int i = b->nseqs;

	memcpy(c->values + (size_t)i * h, c->vectors + piece * h, h * sizeof(*c->values));
	b->row_key[i] = key;
	b->cls[i] = b->offsets[i] = i;
	b->base_first[i] = b->base_count[i] = 0;
	b->ntokens = b->offsets[i + 1] = b->nseqs = i + 1;
}

/* The states of a piece's n tokens, before it is added to the batch. */
static void
add_states(struct rna_classify *c, size_t piece, uint64_t n)
{
	const size_t h = (size_t)c->m->config.hidden;

	memcpy(c->values + (size_t)c->batch.ntokens * h, c->vectors + c->first[piece] * h, n * h * sizeof(*c->values));
}

/* A piece as replicate number k; *bases: its letters. */
static enum rna_status
add_part(struct rna_classify *c, size_t example, size_t piece, int k, uint32_t *bases, struct rna_err *err)
{
	const struct rna_example *e = &c->d->list[example];
	const struct rna_piece *p = &c->d->piece[piece];
	const struct rna_record *in;
	uint64_t ntokens, key = rna_rng_key(c->opts.seed, (uint64_t)c->epoch, e->rid, p->chunk ^ (uint32_t)k << 24,
			      RNA_RNG_DROPOUT);
	const uint8_t *tokens;
	enum rna_status s;
	uint32_t first;

	if ((s = classify_input(c, p, &in, err)) != RNA_OK)
		return s;
	tokens = rna_record_get_vec(&c->rec, "tokens", RNA_U8, &ntokens);
	*bases = rna_frame_bases(&c->m->vocab, tokens, ntokens, &first);
	if (is_vector(c)) {
		add_vector(c, piece, key);
		return RNA_OK;
	}
	if (c->by_tokens && c->vectors != NULL)
		add_states(c, piece, rna_interact_tokens(&c->m->config, p->ntokens));
	if (c->types != NULL &&
	    (s = rna_replicate_fill(&c->m->vocab, &c->rec,
		 c->types[example * (size_t)classify_types_count(c) + (size_t)k], err)) != RNA_OK)
		return s;
	return rna_batch_add(&c->batch, c->m, in, key, err);
}

enum rna_status
classify_unit_add(struct rna_classify *c, size_t example, double weight, struct rna_err *err)
{
	const struct rna_example *e = &c->d->list[example];
	const int first = c->batch.nseqs, types = classify_types_count(c);
	struct rna_batch *b = &c->batch;
	double total = 0;
	enum rna_status s;
	uint32_t bases;
	float sigma;
	size_t i;
	int k;

	for (i = 0; i < e->npieces; i++) {
		for (k = 0; k < types; k++) {
			sigma = c->types != NULL ? c->sigma[example * (size_t)types + (size_t)k] : 1;
			if (!(sigma > 0))
				continue;
			if ((s = add_part(c, example, e->first + i, k, &bases, err)) != RNA_OK)
				return s;
			c->share[b->nseqs - 1] = sigma * (float)(bases > 0 ? bases : 1);
			total += (double)c->share[b->nseqs - 1];
		}
	}
	for (k = first; k < b->nseqs; k++)
		c->share[k] = (float)((double)c->share[k] / total);
	b->part_first[b->nslots] = first;
	b->part_count[b->nslots] = b->nseqs - first;
	b->slot[b->nslots] = b->cls[first];
	b->slot_target[b->nslots] = e->label;
	b->slot_weight[b->nslots++] = (float)weight;
	return RNA_OK;
}

enum rna_status
classify_unit_run(struct rna_classify *c, int train, struct classify_sums *sums, struct rna_err *err)
{
	const struct classify_tape *u = train ? &c->train : &c->eval;
	struct rna_batch *b = &c->batch;
	size_t n = (size_t)b->nslots, parts = (size_t)b->nseqs, rows = c->by_tokens ? (size_t)b->ntokens : parts, i;
	enum rna_status s;

	if ((u->input >= 0 && (s = rna_tape_write(u->t, u->input, rows, c->values, err)) != RNA_OK) ||
	    (s = rna_tape_write(u->t, u->weight, parts, c->share, err)) != RNA_OK ||
	    (s = rna_batch_upload(b, c->m->rk, rna_tape_inputs(u->t), err)) != RNA_OK ||
	    (c->by_tokens &&
		(s = rna_interact_upload(&c->m->config, b, c->m->rk, u->t, train, err)) != RNA_OK) ||
	    (s = rna_tape_forward(u->t, err)) != RNA_OK || (train && (s = rna_tape_backward(u->t, err)) != RNA_OK) ||
	    (s = rna_tape_read_loss(u->t, RNA_AT_SLOT, n, c->loss, c->hit, err)) != RNA_OK)
		return s;
	for (i = 0; i < n; i++) {
		sums->loss += (double)b->slot_weight[i] * c->loss[i];
		sums->weight += (double)b->slot_weight[i];
		sums->hits += c->hit[i];
	}
	sums->n += n;
	return train ? RNA_OK : rna_tape_read(u->t, u->logits, n, c->values, err);
}
