/*
 * classrun.c: logits of the classes of RNAs from what the head reads of their parts.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/batch.h"
#include "nn/classhead.h"
#include "nn/classrun.h"
#include "nn/embed.h"

#define BATCH_PARTS 256 /* a batch holds this many parts, or those of one RNA */

struct rna_classrun {
	struct rna_model *m;
	enum rk_precision precision;
	int cap; /* parts of a batch */
	struct rna_tape *tape;
	rna_t input, weight, logits;
	struct rna_batch batch;
	float *values, *share;
};

struct rna_classrun *
rna_classrun_open(struct rna_model *m, enum rk_precision precision, struct rna_err *err)
{
	struct rna_classrun *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	r->m = m;
	r->precision = precision;
	return r;
}

static void
drop(struct rna_classrun *r)
{
	rna_tape_destroy(r->tape);
	if (r->tape != NULL)
		rna_batch_fini(&r->batch);
	r->tape = NULL;
	free(r->values);
	free(r->share);
	r->values = r->share = NULL;
}

/* A tape and a batch for cap parts. */
static enum rna_status
build(struct rna_classrun *r, int cap, struct rna_err *err)
{
	const struct rna_tape_options o = {
	    .tokens = cap, .seqs = cap, .rows = 1, .slots = cap, .max_len = 1, .precision = r->precision};
	const struct rna_config *c = &r->m->config;
	const int width = rna_classhead_width(c), classes = rna_config_classes(c);
	const int wide = width > classes ? width : classes;

	drop(r);
	r->cap = cap;
	r->values = reallocarray(NULL, (size_t)cap, (size_t)wide * sizeof(*r->values));
	r->share = calloc((size_t)cap, sizeof(*r->share));
	if (r->values == NULL || r->share == NULL || rna_batch_init(&r->batch, cap, cap, 1, cap) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if ((r->tape = rna_tape_create(r->m->rk, &r->m->params, &o)) == NULL) {
		rna_batch_fini(&r->batch);
		return rna_fail(err, RNA_EMEM, "out of memory");
	}
	r->input = rna_tape_input(r->tape, RNA_AT_CLS, width);
	r->weight = rna_tape_input(r->tape, RNA_AT_CLS, 1);
	r->logits = rna_classhead_logits(r->tape, &r->m->params, c, r->input, r->weight);
	rna_tape_keep(r->tape, r->logits);
	return rna_tape_finish(r->tape, err);
}

static double
weight_of(const struct rna_classrun *r, const struct rna_record *rec)
{
	const struct rna_field *sigma = rna_record_find(rec, "sigma");
	const uint8_t *tokens;
	uint64_t n = 0;
	uint32_t first = 0, bases = 0;

	if ((tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &n)) != NULL)
		bases = rna_frame_bases(&r->m->vocab, tokens, n, &first);
	if (sigma != NULL && sigma->dtype == RNA_F32 && sigma->count == 1)
		return (double)*(const float *)rna_record_data(rec, sigma) * (bases > 0 ? bases : 1);
	return bases > 0 ? bases : 1;
}

static enum rna_status
add(struct rna_classrun *r, const struct rna_record *rec, size_t n, struct rna_err *err)
{
	const size_t h = (size_t)rna_classhead_width(&r->m->config);
	struct rna_batch *b = &r->batch;
	const int first = b->nseqs;
	double total = 0;
	const float *x;
	uint64_t columns;
	size_t i;

	for (i = 0; i < n; i++) {
		const int at = first + (int)i;

		if ((x = rna_record_get_vec(&rec[i], RNA_EMBED_CLASS_FIELD, RNA_F32, &columns)) == NULL || columns != h)
			return rna_fail(err, RNA_EINVAL, "nothing for the class head to read");
		memcpy(r->values + (size_t)at * h, x, h * sizeof(*x));
		r->share[at] = n == 1 ? 1 : (float)weight_of(r, &rec[i]);
		total += (double)r->share[at];
		b->cls[at] = b->offsets[at] = at;
		b->offsets[at + 1] = b->ntokens = b->nseqs = at + 1;
		b->base_first[at] = b->base_count[at] = 0;
	}
	for (i = 0; i < n; i++)
		r->share[first + (int)i] = (float)((double)r->share[first + (int)i] / (total > 0 ? total : 1));
	b->part_first[b->nslots] = b->slot[b->nslots] = first;
	b->part_count[b->nslots] = (int)n;
	b->slot_target[b->nslots] = -1;
	b->slot_weight[b->nslots++] = 0;
	return RNA_OK;
}

/* Units from the first on in one batch; *taken of them fitted. */
static enum rna_status
run_batch(struct rna_classrun *r, const struct rna_record *rec, const struct rna_classunit *unit, size_t n,
    size_t *taken, float *logits, struct rna_err *err)
{
	struct rna_batch *b = &r->batch;
	enum rna_status s = RNA_OK;
	size_t i;

	rna_batch_reuse(b);
	for (i = 0; i < n && s == RNA_OK && (i == 0 || b->nseqs + (int)unit[i].n <= r->cap); i++)
		s = add(r, rec + unit[i].first, unit[i].n, err);
	*taken = i;
	if (s != RNA_OK || (s = rna_tape_write(r->tape, r->input, (size_t)b->nseqs, r->values, err)) != RNA_OK ||
	    (s = rna_tape_write(r->tape, r->weight, (size_t)b->nseqs, r->share, err)) != RNA_OK ||
	    (s = rna_batch_upload(b, r->m->rk, rna_tape_inputs(r->tape), err)) != RNA_OK ||
	    (s = rna_tape_forward(r->tape, err)) != RNA_OK)
		return s;
	return rna_tape_read(r->tape, r->logits, (size_t)b->nslots, logits, err);
}

enum rna_status
rna_classrun_run(struct rna_classrun *r, const struct rna_record *rec, const struct rna_classunit *unit, size_t n,
    float *logits, struct rna_err *err)
{
	const size_t classes = (size_t)rna_config_classes(&r->m->config);
	size_t i, most = BATCH_PARTS, taken;
	enum rna_status s = RNA_OK;

	for (i = 0; i < n; i++)
		most = unit[i].n > most ? unit[i].n : most;
	if (most > INT32_MAX / 2)
		return rna_fail(err, RNA_EFORMAT, "an RNA of %zu parts is more than can be put together", most);
	if ((r->tape == NULL || most > (size_t)r->cap) && (s = build(r, (int)most, err)) != RNA_OK)
		return s;
	for (i = 0; i < n && s == RNA_OK; i += taken)
		s = run_batch(r, rec, unit + i, n - i, &taken, logits + i * classes, err);
	return s;
}

void
rna_classrun_close(struct rna_classrun *r)
{
	if (r == NULL)
		return;
	drop(r);
	free(r);
}
