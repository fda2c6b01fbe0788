/*
 * model_work.h: for benches, a model of real size with random weights, and the work that is timed: the forward pass
 * over 4096 packed tokens, or a training step of as many, by way of lib/nn.
 */
#ifndef MODEL_WORK_H
#define MODEL_WORK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine_peak.h"
#include "nn/trainer.h"
#include "stream/rng.h"

enum { TOKENS = 4096 };

static const char *const precisions[] = {"fp32", "bf16", "int8"};

/* A machine and a model on it. */
struct work {
	struct rk *rk;
	struct rna_model m;
	const char *name;
	int threads, runs;
	enum rk_precision precision;
	double ops; /* of one run */
};

static void
check(int fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static void
work_open(struct work *b)
{
	struct rna_err err = {0};
	struct rna_config c;
	struct rna_vocab v;
	char why[160] = "";

	check((b->rk = rk_open("cpu", b->threads, why, sizeof(why))) != NULL, why);
	check(rna_vocab_init(&v) == RNA_OK && rna_config_preset(&c, b->name, &err) == RNA_OK, err.text);
	check(rna_model_create(&b->m, &c, &v, b->rk, 1, &err) == RNA_OK, err.text);
	rna_config_fini(&c);
	rna_vocab_fini(&v);
}

static void
work_close(struct work *b)
{
	rna_model_fini(&b->m);
	rk_close(b->rk);
}

/* RNA number i: random bases, 15 in 100 of them masked. */
static void
make_rna(const struct rna_model *m, int i, int len, struct rna_record *rec)
{
	uint8_t tokens[TOKENS], target[TOKENS];
	uint32_t masked[TOKENS], n = 0;
	struct rna_rng rng;

	rna_rng_init(&rng, rna_rng_key(1, 0, (uint64_t)i, 0, RNA_RNG_SAMPLE));
	tokens[0] = (uint8_t)m->vocab.cls;
	tokens[len - 1] = (uint8_t)m->vocab.sep;
	for (int j = 1; j < len - 1; j++) {
		tokens[j] = m->vocab.base[rna_rng_below(&rng, 4)];
		if (j * 15 / 100 == (j - 1) * 15 / 100)
			continue;
		masked[n] = (uint32_t)j;
		target[n++] = tokens[j];
		tokens[j] = (uint8_t)m->vocab.mask;
	}
	rna_record_reuse(rec);
	check(rna_record_set_u64(rec, "rid", (uint64_t)i) == RNA_OK &&
		  rna_record_set_vec(rec, "tokens", RNA_U8, tokens, (uint64_t)len) == RNA_OK &&
		  rna_record_set_vec(rec, "masked", RNA_U32, masked, n) == RNA_OK &&
		  rna_record_set_vec(rec, "target", RNA_U8, target, n) == RNA_OK,
	    "out of memory");
}

/*
 * Multiply-adds times 2 of the linear layers and of attention.  What the last layer does behind its attention is done,
 * and counted, for the rows that are read.
 */
static double
operations(const struct rna_config *c, int len, double rows)
{
	const double h = c->hidden, until = 2 * 3 * h * h + 4 * h * len, after = 2 * (h * h + 2 * h * c->ffn);

	return TOKENS * (c->layers * until + (c->layers - 1) * after) + rows * after;
}

/* A tape and its batch. */
struct forward {
	struct rna_tape *tape;
	struct rna_batch batch;
};

static void
forward_open(struct work *b, struct forward *f, int len)
{
	const int seqs = TOKENS / len;
	const struct rna_tape_options o = {
	    .tokens = TOKENS, .seqs = seqs, .rows = 1, .slots = 1, .max_len = len, .precision = b->precision};
	struct rna_tape *t = rna_tape_create(b->rk, &b->m.params, &o);
	struct rna_err err = {0};
	struct rna_record rec;

	rna_record_init(&rec);
	check(t != NULL && rna_batch_init(&f->batch, TOKENS, seqs, TOKENS, 1) == RNA_OK, "out of memory");
	rna_tape_keep(t, rna_encoder_forward(t, &b->m, -1, NULL));
	check(rna_tape_finish(t, &err) == RNA_OK, err.text);
	for (int i = 0; i < seqs; i++) {
		make_rna(&b->m, i, len, &rec);
		check(rna_batch_add(&f->batch, &b->m, &rec, 0, &err) == RNA_OK, err.text);
	}
	f->batch.nrows = 0;
	check(rna_batch_upload(&f->batch, b->rk, rna_tape_inputs(t), &err) == RNA_OK, err.text);
	b->ops = operations(&b->m.config, len, TOKENS);
	f->tape = t;
	rna_record_fini(&rec);
}

static void
forward_run(void *arg)
{
	struct rna_err err = {0};

	check(rna_tape_forward(((struct forward *)arg)->tape, &err) == RNA_OK, err.text);
}

static void
forward_close(struct forward *f)
{
	rna_batch_fini(&f->batch);
	rna_tape_destroy(f->tape);
}

/* What a training step needs. */
struct training {
	struct rna_trainer trainer;
	struct rna_record *rec;
	int seqs;
};

static void
training_open(struct work *b, struct training *t, int len)
{
	const struct rna_trainer_options o = {.batch_tokens = TOKENS,
	    .seed = 1,
	    .schedule = {RNA_SCHEDULE_CONSTANT, 1e-5, 1e-5, 0, 1000},
	    .beta1 = 0.9,
	    .beta2 = 0.999,
	    .eps = 1e-8,
	    .weight_decay = 0.01,
	    .clip = 1,
	    .precision = b->precision};
	uint64_t n = 0, masked = 0;
	struct rna_err err = {0};

	t->seqs = TOKENS / len;
	check((t->rec = calloc((size_t)t->seqs, sizeof(*t->rec))) != NULL, "out of memory");
	check(rna_trainer_init(&t->trainer, &b->m, &o, &err) == RNA_OK, err.text);
	for (int i = 0; i < t->seqs; i++) {
		rna_record_init(&t->rec[i]);
		make_rna(&b->m, i, len, &t->rec[i]);
		(void)rna_record_get_vec(&t->rec[i], "masked", RNA_U32, &n);
		masked += n;
	}
	b->ops = 3 * operations(&b->m.config, len, (double)masked);
}

static void
training_add(struct training *t)
{
	struct rna_err err = {0};

	for (int i = 0; i < t->seqs; i++)
		check(rna_trainer_add(&t->trainer, &t->rec[i], 0, &err) == RNA_OK, err.text);
}

static void
training_run(void *arg)
{
	struct training *t = arg;
	struct rna_train_step did;
	struct rna_err err = {0};

	training_add(t);
	check(rna_trainer_step(&t->trainer, &err) == RNA_OK &&
		  rna_trainer_tell(&t->trainer, t->trainer.state.step, &did, &err) == RNA_OK,
	    err.text);
}

static void
training_close(struct training *t)
{
	for (int i = 0; i < t->seqs; i++)
		rna_record_fini(&t->rec[i]);
	free(t->rec);
	rna_trainer_fini(&t->trainer);
}

#endif
