/*
 * model_bench.h: a small model on a tape with a batch of random RNAs, for tests of gradients and of the tape.
 */
#ifndef RNA_MODEL_BENCH_H
#define RNA_MODEL_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/batch.h"
#include "stream/rng.h"
#include "tap.h"

#define MAX_LEN 24

/* A small model, its tape with an MLM loss (and, with slots, a type loss on [CLS]), and a batch of random RNAs. */
struct bench {
	struct rk *rk;
	struct rna_model m;
	struct rna_tape *t;
	struct rna_batch b;
	rna_t hidden, logits, types;
	int nseqs, len;
};

struct setup {
	const char *device;
	int threads, train, slots, nseqs, len;
	enum rk_act act;
	enum rk_precision precision;
	float dropout, init;
	int hidden, ffn;
};

__attribute__((unused)) static void
fini(struct bench *x)
{
	rna_tape_destroy(x->t);
	rna_batch_fini(&x->b);
	rna_model_fini(&x->m);
	rk_close(x->rk);
}

/* A small shape, which the caller changes before bench_model. */
__attribute__((unused)) static int
bench_config(struct rna_config *c, struct rna_err *err)
{
	if (rna_config_preset(c, "tiny", err) != RNA_OK)
		return 0;
	c->hidden = 8;
	c->heads = c->layers = 2;
	c->ffn = 16;
	c->positions = c->max = MAX_LEN;
	c->eps = c->mlm_eps = 1e-5f;
	c->init_range = 0.3f;
	return 1;
}

/* A model of that shape, which is given up. */
__attribute__((unused)) static int
bench_model(struct bench *x, struct rna_config *c, struct rna_err *err)
{
	struct rna_vocab v;
	int rc;

	if (rna_vocab_init(&v) != RNA_OK)
		return 0;
	rc = rna_model_create(&x->m, c, &v, x->rk, 3, err) == RNA_OK;
	rna_config_fini(c);
	rna_vocab_fini(&v);
	return rc;
}

/* The device, and a shape for a class head: no language-model head, labels as JSON packs them. */
__attribute__((unused)) static int
bench_class(struct bench *x, const char *device, struct rna_config *c, json_t *labels)
{
	struct rna_err err = {0};
	char why[160] = "";

	memset(x, 0, sizeof(*x));
	if ((x->rk = rk_open(device, 1, why, sizeof(why))) == NULL || !bench_config(c, &err)) {
		diag("%s%s", why, err.text);
		return 0;
	}
	c->mlm = 0;
	c->labels = labels;
	return labels != NULL;
}

__attribute__((unused)) static int
init_model(struct bench *x, const struct setup *s, struct rna_err *err)
{
	struct rna_config c;

	if (!bench_config(&c, err))
		return 0;
	c.hidden = s->hidden;
	c.ffn = s->ffn;
	c.act = c.mlm_act = s->act;
	c.hidden_dropout = c.attention_dropout = s->dropout;
	c.init_range = s->init;
	c.type_head = s->slots;
	return bench_model(x, &c, err);
}

__attribute__((unused)) static int
init_tape(struct bench *x, const struct setup *s, struct rna_err *err)
{
	const int rows = s->nseqs * s->len;
	const struct rna_tape_options opts = {.tokens = rows,
	    .seqs = s->nseqs,
	    .rows = rows,
	    .slots = s->slots ? s->nseqs : 0,
	    .max_len = MAX_LEN,
	    .train = s->train,
	    .precision = s->precision};
	const struct rna_params *p = &x->m.params;

	x->t = rna_tape_create(x->rk, &x->m.params, &opts);
	x->hidden = rna_encoder_forward(x->t, &x->m, -1, NULL);
	x->logits = rna_encoder_logits(x->t, &x->m, rna_tape_gather(x->t, x->hidden, RNA_AT_MASKED));
	rna_tape_cross_entropy(x->t, x->logits, RNA_AT_MASKED);
	rna_tape_keep(x->t, x->hidden);
	rna_tape_keep(x->t, x->logits);
	if (s->slots) {
		x->types = rna_tape_linear(x->t, rna_tape_gather(x->t, x->hidden, RNA_AT_SLOT),
		    rna_params_find(p, "type_head.weight"), rna_params_find(p, "type_head.bias"), RK_NONE);
		rna_tape_cross_entropy(x->t, x->types, RNA_AT_SLOT);
		rna_tape_keep(x->t, x->types);
	}
	return rna_tape_finish(x->t, err) == RNA_OK;
}

/* RNA number i of the batch: random bases, every fifth masked. */
__attribute__((unused)) static int
add_rna(struct bench *x, int i, int len, uint64_t seed, struct rna_err *err)
{
	uint8_t tokens[MAX_LEN], target[MAX_LEN];
	uint32_t masked[MAX_LEN], n = 0;
	struct rna_record rec;
	struct rna_rng rng;
	int rc;

	rna_rng_init(&rng, rna_rng_key(seed, 0, (uint64_t)i, 0, RNA_RNG_SAMPLE));
	tokens[0] = (uint8_t)x->m.vocab.cls;
	tokens[len - 1] = (uint8_t)x->m.vocab.sep;
	for (int j = 1; j < len - 1; j++) {
		tokens[j] = x->m.vocab.base[rna_rng_below(&rng, 4)];
		if (j % 5 == 3) {
			masked[n] = (uint32_t)j;
			target[n++] = tokens[j];
			tokens[j] = (uint8_t)x->m.vocab.mask;
		}
	}
	rna_record_init(&rec);
	rc = rna_record_set_vec(&rec, "tokens", RNA_U8, tokens, (uint64_t)len) == RNA_OK &&
	     rna_record_set_vec(&rec, "masked", RNA_U32, masked, n) == RNA_OK &&
	     rna_record_set_vec(&rec, "target", RNA_U8, target, n) == RNA_OK &&
	     rna_batch_add(&x->b, &x->m, &rec, rna_rng_key(1, 0, (uint64_t)i, 0, RNA_RNG_DROPOUT), err) == RNA_OK;
	rna_record_fini(&rec);
	return rc;
}

__attribute__((unused)) static int
fill_batch(struct bench *x, const struct setup *s, struct rna_err *err)
{
	struct rna_batch *b = &x->b;

	rna_batch_reuse(b);
	for (int i = 0; i < s->nseqs; i++)
		if (!add_rna(x, i, s->len - (s->nseqs < 16 ? i : 0), 5, err))
			return 0;
	for (int i = 0; i < b->nrows; i++)
		b->weight[i] = (1.0f + (s->nseqs < 16) * 0.25f * (float)(i % 3)) / (float)b->nrows;
	for (b->nslots = 0; s->slots && b->nslots < b->nseqs; b->nslots++) {
		b->slot[b->nslots] = b->cls[b->nslots];
		b->slot_target[b->nslots] = b->nslots % 2 ? -1 : 7 + b->nslots;
		b->slot_weight[b->nslots] = 0.5f / (float)b->nseqs;
	}
	return rna_batch_upload(b, x->rk, rna_tape_inputs(x->t), err) == RNA_OK;
}

__attribute__((unused)) static int
init(struct bench *x, const struct setup *s)
{
	struct rna_err err = {0};
	char why[160] = "";

	memset(x, 0, sizeof(*x));
	x->rk = rk_open(s->device, s->threads, why, sizeof(why));
	if (x->rk && rk_has(x->rk, s->precision, why, sizeof(why)) && init_model(x, s, &err) && init_tape(x, s, &err) &&
	    rna_batch_init(&x->b, s->nseqs * s->len, s->nseqs, s->nseqs * s->len, s->slots ? s->nseqs : 0) == RNA_OK &&
	    fill_batch(x, s, &err))
		return 1;
	diag("%s%s", why, err.text);
	return 0;
}

#endif
