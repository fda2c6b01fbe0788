/*
 * embed.c: batches of records through the encoder, and what is read from it.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/batch.h"
#include "nn/classhead.h"
#include "nn/embed.h"
#include "nn/interact.h"

/* One thing that is read from the tape after a run. */
struct output {
	enum rna_embed_what what;
	const char *name; /* field */
	rna_t tensor;
	int per_token; /* 1: rows are tokens; 0: rows are sequences (or slots) */
};

struct rna_embed {
	struct rna_model *m;
	struct rna_embed_options opts;
	struct rna_tape *tape; /* NULL until the first batch */
	struct rna_batch batch;
	int cap; /* tokens of a batch */
	struct output out[8];
	int nout;
	float *values; /* [cap values] what was read */
	size_t nvalues;
	struct rna_record framed; /* a pair as its head wants it */
	size_t *order; /* records by falling length */
	size_t norder;
};

static enum rna_status
check(const struct rna_embed *e, struct rna_err *err)
{
	const struct rna_config *c = &e->m->config;
	char why[256] = "";

	if (e->opts.layer > c->layers)
		return rna_fail(err, RNA_EINVAL, "the model has layers 0 (embeddings) to %d", c->layers);
	if (e->opts.what & RNA_EMBED_POOLED && !c->pooler)
		return rna_fail(err, RNA_EINVAL, "the model has no pooler (pooler.dense), which pooled needs");
	if (e->opts.what & (RNA_EMBED_LOGITS | RNA_EMBED_TYPES) && !c->mlm)
		return rna_fail(
		    err, RNA_EINVAL, "the model has no MLM head (cls.predictions), which logits and types need");
	if (e->opts.what & RNA_EMBED_CLASS && c->labels == NULL)
		return rna_fail(err, RNA_EINVAL, "the model has no class head");
	if (e->opts.what & RNA_EMBED_TYPES && e->m->vocab.ntypes == 0)
		return rna_fail(err, RNA_EINVAL, "the model's vocabulary has no RNA types");
	if (!rk_has(e->m->rk, e->opts.precision, why, sizeof(why)))
		return rna_fail(err, RNA_EDEVICE, "%s", why);
	return RNA_OK;
}

/* 1: the class head is run, and it is one that takes pairs in a frame of its own. */
static int
by_tokens(const struct rna_embed *e)
{
	return e->opts.what & RNA_EMBED_CLASS && rna_classhead_by_tokens(&e->m->config);
}

static void
drop_tape(struct rna_embed *e)
{
	rna_tape_destroy(e->tape);
	if (e->tape != NULL)
		rna_batch_fini(&e->batch);
	e->tape = NULL;
	free(e->values);
	e->values = NULL;
	e->nvalues = 0;
}

static void
read_from(struct rna_embed *e, enum rna_embed_what what, const char *name, rna_t x, int per_token)
{
	if (!(e->opts.what & what))
		return;
	rna_tape_keep(e->tape, x);
	e->out[e->nout++] = (struct output){what, name, x, per_token};
}

/* The rows of the last layer that are read, where these are of one kind (an enum rna_tape_index); else -1. */
static int
rows_read(const struct rna_embed *e)
{
	const struct rna_config *c = &e->m->config;
	unsigned of_cls = RNA_EMBED_POOLED;

	if (e->opts.layer < 0 || e->opts.layer == c->layers)
		of_cls |= RNA_EMBED_CLS;
	if (rna_classhead_reads_cls(c))
		of_cls |= RNA_EMBED_CLASS;
	if (c->layers < 1)
		return -1;
	return !(e->opts.what & ~of_cls) ? RNA_AT_CLS : e->opts.what == RNA_EMBED_TYPES ? RNA_AT_SLOT : -1;
}

/* The forward pass of those rows. */
static void
record_rows(struct rna_embed *e, enum rna_tape_index at)
{
	rna_t x = rna_encoder_rows(e->tape, e->m, at);

	read_from(e, RNA_EMBED_CLS, "cls", x, 0);
	if (e->opts.what & RNA_EMBED_POOLED)
		read_from(e, RNA_EMBED_POOLED, "pooled", rna_encoder_pooled(e->tape, e->m, x), 0);
	read_from(e, RNA_EMBED_CLASS, RNA_EMBED_CLASS_FIELD, x, 0);
	if (e->opts.what & RNA_EMBED_TYPES)
		read_from(e, RNA_EMBED_TYPES, "types", rna_encoder_logits(e->tape, e->m, x), 0);
}

/* The forward pass of all rows: no more layers than what is asked for needs. */
static void
record_all(struct rna_embed *e, rna_t *hidden)
{
	const struct rna_config *c = &e->m->config;
	unsigned what = e->opts.what, heads = RNA_EMBED_POOLED | RNA_EMBED_LOGITS | RNA_EMBED_TYPES | RNA_EMBED_CLASS;
	int layer = e->opts.layer < 0 ? c->layers : e->opts.layer;
	rna_t last = -1, x;

	if (what != RNA_EMBED_CLASS || !rna_classhead_by_tokens(c) || c->class_lm)
		last = rna_encoder_forward(e->tape, e->m, what & heads ? c->layers : layer, hidden);
	x = hidden[layer];
	if (what & RNA_EMBED_CLS)
		read_from(e, RNA_EMBED_CLS, "cls", rna_tape_gather(e->tape, x, RNA_AT_CLS), 0);
	if (what & RNA_EMBED_MEAN)
		read_from(e, RNA_EMBED_MEAN, "mean", rna_tape_segment_sum(e->tape, x, -1, RNA_OVER_BASES), 0);
	if (what & RNA_EMBED_POOLED)
		read_from(e, RNA_EMBED_POOLED, "pooled",
		    rna_encoder_pooled(e->tape, e->m, rna_tape_gather(e->tape, last, RNA_AT_CLS)), 0);
	read_from(e, RNA_EMBED_HIDDEN, "hidden", x, 1);
	if (what & RNA_EMBED_LOGITS)
		read_from(e, RNA_EMBED_LOGITS, "logits", rna_encoder_logits(e->tape, e->m, last), 1);
	if (what & RNA_EMBED_CLASS)
		read_from(e, RNA_EMBED_CLASS, RNA_EMBED_CLASS_FIELD,
		    rna_classhead_read(e->tape, &e->m->params, c, last), 0);
	if (what & RNA_EMBED_TYPES)
		read_from(e, RNA_EMBED_TYPES, "types",
		    rna_encoder_logits(e->tape, e->m, rna_tape_gather(e->tape, last, RNA_AT_SLOT)), 0);
}

static void
record(struct rna_embed *e, rna_t *hidden)
{
	int at = rows_read(e);

	e->nout = 0;
	if (at >= 0)
		record_rows(e, (enum rna_tape_index)at);
	else
		record_all(e, hidden);
}

/* A tape and a batch for records of up to `longest` tokens. */
static enum rna_status
build(struct rna_embed *e, int longest, struct rna_err *err)
{
	int seqs, i, columns, most = 0;
	struct rna_tape_options o;
	enum rna_status st;
	rna_t *hidden;

	drop_tape(e);
	e->cap = longest > e->cap ? longest : e->cap;
	seqs = by_tokens(e) ? e->cap / RNA_INTERACT_LEAST + 1 : e->cap / (rk_is_device(e->m->rk) ? 16 : 2) + 1;
	o = (struct rna_tape_options){.tokens = e->cap,
	    .seqs = seqs,
	    .rows = 1,
	    .slots = seqs,
	    .max_len = e->cap,
	    .precision = e->opts.precision};
	if (by_tokens(e))
		rna_interact_capacity(&e->m->config, &o);
	if ((hidden = calloc((size_t)e->m->config.layers + 1, sizeof(*hidden))) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if ((e->tape = rna_tape_create(e->m->rk, &e->m->params, &o)) == NULL) {
		free(hidden);
		return rna_fail(err, RNA_EMEM, "no memory for a batch of %d tokens", e->cap);
	}
	if ((st = rna_batch_init(&e->batch, e->cap, seqs, e->cap, seqs)) != RNA_OK)
		rna_fail(err, st, "no memory for a batch of %d tokens", e->cap);
	record(e, hidden);
	free(hidden);
	if (st == RNA_OK)
		st = rna_tape_finish(e->tape, err);
	for (i = 0; i < e->nout && st == RNA_OK; i++) {
		columns = rna_tape_columns(e->tape, e->out[i].tensor);
		most = columns > most ? columns : most;
	}
	e->nvalues = (size_t)e->cap * (size_t)most;
	if (st == RNA_OK && (e->values = malloc(e->nvalues * sizeof(*e->values))) == NULL)
		st = rna_fail(err, RNA_EMEM, "no memory for a batch of %d tokens", e->cap);
	return st;
}

struct rna_embed *
rna_embed_open(struct rna_model *m, const struct rna_embed_options *opts, struct rna_err *err)
{
	return rna_embed_open_small(m, opts, rk_unit_tokens(m->rk), err);
}

struct rna_embed *
rna_embed_open_small(struct rna_model *m, const struct rna_embed_options *opts, int tokens, struct rna_err *err)
{
	struct rna_embed *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	e->m = m;
	e->opts = *opts;
	e->cap = tokens; /* of a batch, or one longer record */
	/* what is wrong with matrices that are not held shows when they are packed */
	if (check(e, err) == RNA_OK && (m->source == NULL || build(e, 0, err) == RNA_OK))
		return e;
	rna_embed_close(e);
	return NULL;
}

/* Tokens of the input that rec is. */
static uint64_t
ntokens(const struct rna_embed *e, const struct rna_record *rec)
{
	uint64_t n = 0;

	(void)rna_record_get_vec(rec, "tokens", RNA_U8, &n);
	return by_tokens(e) ? rna_interact_tokens(&e->m->config, n) : n;
}

struct sortable {
	uint64_t length;
	size_t index;
};

static int
by_length(const void *a, const void *b)
{
	const struct sortable *x = a, *y = b;

	return x->length != y->length ? (x->length < y->length) - (x->length > y->length)
	                              : (x->index > y->index) - (x->index < y->index);
}

/* Records by falling length: batches of like lengths, the largest buffer needed first. */
static enum rna_status
sort(struct rna_embed *e, const struct rna_record *rec, size_t n, struct rna_err *err)
{
	struct sortable *s = calloc(n + 1, sizeof(*s));
	size_t *order = n > e->norder ? reallocarray(e->order, n, sizeof(*order)) : e->order, i;

	if (order != NULL && n > e->norder) {
		e->order = order;
		e->norder = n;
	}
	if (s == NULL || (order == NULL && n > 0)) {
		free(s);
		return rna_fail(err, RNA_EMEM, "out of memory");
	}
	for (i = 0; i < n; i++)
		s[i] = (struct sortable){ntokens(e, &rec[i]), i};
	qsort(s, n, sizeof(*s), by_length);
	for (i = 0; i < n; i++)
		order[i] = s[i].index;
	free(s);
	return RNA_OK;
}

static enum rna_status
add(struct rna_embed *e, const struct rna_record *rec, struct rna_err *err)
{
	struct rna_batch *b = &e->batch;
	enum rna_status st = RNA_OK;
	const uint8_t *tokens;
	int64_t slot;
	uint64_t n;

	if (by_tokens(e)) {
		st = rna_interact_frame(&e->m->config, &e->m->vocab, rec, &e->framed, err);
		rec = &e->framed;
	}
	if (st == RNA_OK)
		st = rna_batch_add(b, e->m, rec, 0, err);
	if (st == RNA_OK && e->opts.what & RNA_EMBED_TYPES) {
		tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &n);
		if ((slot = rna_frame_slot(&e->m->vocab, tokens, n)) < 0)
			return rna_fail(
			    err, RNA_EFORMAT, "no type slot in the tokens; frame with: rna-tokenize --frame type");
		b->slot[b->nslots] = b->offsets[b->nseqs - 1] + (int32_t)slot;
		b->slot_target[b->nslots] = -1;
		b->slot_weight[b->nslots++] = 0;
	}
	return st;
}

/* Hands the rows of output o to the records of the batch. */
static enum rna_status
give(struct rna_embed *e, const struct output *o, struct rna_record *rec, const size_t *who, float *types,
    struct rna_err *err)
{
	size_t columns = (size_t)rna_tape_columns(e->tape, o->tensor);
	int rows = o->per_token ? e->batch.ntokens : e->batch.nseqs, i;
	const struct rna_vocab *v = &e->m->vocab;
	enum rna_status st = rna_tape_read(e->tape, o->tensor, (size_t)rows, e->values, err);

	for (i = 0; i < e->batch.nseqs && st == RNA_OK; i++) {
		int first = o->per_token ? e->batch.offsets[i] : i,
		    n = o->per_token ? e->batch.offsets[i + 1] - first : 1;
		uint64_t dims[2] = {(uint64_t)n, columns};
		const float *src = e->values + (size_t)first * columns;
		float *dst;

		if (o->what == RNA_EMBED_TYPES) {
			memcpy(
			    types + who[i] * (size_t)v->ntypes, src + v->type_first, (size_t)v->ntypes * sizeof(*src));
			continue;
		}
		dst = rna_record_put(
		    &rec[who[i]], o->name, RNA_F32, o->per_token ? 2 : 1, o->per_token ? dims : dims + 1);
		if (dst == NULL)
			return rna_fail(err, RNA_EMEM, "no memory for %s", o->name);
		memcpy(dst, src, (size_t)n * columns * sizeof(*src));
	}
	return st;
}

/* Records who[0..] in one batch; *taken of them fitted. */
static enum rna_status
run_batch(struct rna_embed *e, struct rna_record *rec, const size_t *who, size_t n, size_t *taken, float *types,
    struct rna_err *err)
{
	enum rna_status st = RNA_OK;
	size_t i, k = 0;
	int o;

	rna_batch_reuse(&e->batch);
	e->batch.nslots = 0;
	for (i = 0; i < n && st == RNA_OK; i++, k++) {
		if (k > 0 && !rna_batch_fits(&e->batch, ntokens(e, &rec[who[i]]), 0))
			break;
		if ((st = add(e, &rec[who[i]], err)) != RNA_OK && err != NULL)
			err->record = rec[who[i]].number;
	}
	*taken = k;
	e->batch.nrows = 0; /* targets of masked records have no part in inference */
	if (st == RNA_OK)
		st = rna_batch_upload(&e->batch, e->m->rk, rna_tape_inputs(e->tape), err);
	if (st == RNA_OK && by_tokens(e))
		st = rna_interact_upload(&e->m->config, &e->batch, e->m->rk, e->tape, 0, err);
	if (st == RNA_OK)
		st = rna_tape_forward(e->tape, err);
	for (o = 0; o < e->nout && st == RNA_OK; o++)
		st = give(e, &e->out[o], rec, who, types, err);
	return st;
}

static enum rna_status
run(struct rna_embed *e, struct rna_record *rec, size_t n, float *types, struct rna_err *err)
{
	enum rna_status st = sort(e, rec, n, err);
	uint64_t longest = n > 0 && st == RNA_OK ? ntokens(e, &rec[e->order[0]]) : 0;
	size_t i, taken = 0;

	if (longest > (uint64_t)e->m->config.max && st == RNA_OK) {
		st = rna_fail(err, RNA_EFORMAT, "%llu tokens, but the model takes %d", (unsigned long long)longest,
		    e->m->config.max);
		if (err != NULL)
			err->record = rec[e->order[0]].number;
	}
	if (st == RNA_OK && (e->tape == NULL || longest > (uint64_t)e->cap))
		st = build(e, (int)longest, err);
	for (i = 0; i < n && st == RNA_OK; i += taken)
		st = run_batch(e, rec, e->order + i, n - i, &taken, types, err);
	return st;
}

enum rna_status
rna_embed_run(struct rna_embed *e, struct rna_record *rec, size_t n, struct rna_err *err)
{
	return run(e, rec, n, NULL, err);
}

enum rna_status
rna_embed_types(struct rna_embed *e, struct rna_record *rec, size_t n, float *logits, struct rna_err *err)
{
	if (!(e->opts.what & RNA_EMBED_TYPES))
		return rna_fail(err, RNA_EINVAL, "types were not asked for");
	return run(e, rec, n, logits, err);
}

enum rna_status
rna_embed_repack(struct rna_embed *e, struct rna_err *err)
{
	return e->tape != NULL ? rna_tape_repack(e->tape, err) : RNA_OK;
}

size_t
rna_embed_bytes(const struct rna_embed *e)
{
	return e->tape != NULL ? rna_tape_bytes(e->tape) : 0;
}

int
rna_embed_batch_tokens(const struct rna_embed *e)
{
	return e->cap;
}

void
rna_embed_close(struct rna_embed *e)
{
	if (e == NULL)
		return;
	drop_tape(e);
	rna_record_fini(&e->framed);
	free(e->order);
	free(e);
}
