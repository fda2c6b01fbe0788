/*
 * bench_model.c: how near a whole model comes to what the machine can do: the forward pass over 4096 packed tokens, in
 * sequences of 128 and of 512, and a training step of as many, by way of lib/nn with random weights.  Prints TSV: the
 * medians of several runs.  "of peak" is by processor time (what the code loses), "of peak, wall" by the clock on the
 * wall (what waiting and other programs lose too); both against the register loops of machine_peak.h in the same run.
 *
 *	bench_model [threads [model [precision [forward|training]]]]
 *
 * threads: default 0, one and then all; model: tiny, small or base (the default)
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine_peak.h"
#include "nn/trainer.h"
#include "stream/rng.h"

enum { TOKENS = 4096, RUNS = 3 };

static const char *const precisions[] = { "fp32", "bf16", "int8" };

/* A machine, a model on it, and what is printed. */
struct bench {
	struct rk *rk;
	struct rna_model m;
	const char *name;
	int threads;
	enum rk_precision precision;
	double ops;             /* of one run */
};

static void
check(int fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "bench_model: %s\n", what);
	exit(1);
}

static void
open_model(struct bench *b)
{
	struct rna_err err = {0};
	struct rna_config c;
	struct rna_vocab v;

	check(rna_vocab_init(&v) == RNA_OK && rna_config_preset(&c, b->name, &err) == RNA_OK, err.text);
	check(rna_model_create(&b->m, &c, &v, b->rk, 1, &err) == RNA_OK, err.text);
	rna_config_fini(&c);
	rna_vocab_fini(&v);
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
	    rna_record_set_vec(rec, "target", RNA_U8, target, n) == RNA_OK, "out of memory");
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

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Runs it once to warm up, then RUNS times; prints the medians. */
static void
measure(struct bench *b, const char *what, int len, void (*run)(void *), void *arg)
{
	const char *level = rk_level(b->rk);
	double wall[RUNS], cpu[RUNS], top = machine_peak(level, b->precision);

	run(arg);
	for (int i = 0; i < RUNS; i++) {
		wall[i] = machine_wall();
		cpu[i] = machine_cpu();
		run(arg);
		cpu[i] = machine_cpu() - cpu[i];
		wall[i] = machine_wall() - wall[i];
		top = machine_peak(level, b->precision);
	}
	qsort(wall, RUNS, sizeof(*wall), by_value);
	qsort(cpu, RUNS, sizeof(*cpu), by_value);
	printf("%s\t%s\t%d\t%s\t%s\t%d\t%.3f\t%.3f\t%.1f\t%.1f\t%.1f\t%.3f\t%.3f\n", b->name, what, len,
	    precisions[b->precision], level, b->threads, wall[RUNS / 2], cpu[RUNS / 2], TOKENS / wall[RUNS / 2],
	    TOKENS / cpu[RUNS / 2], b->ops / cpu[RUNS / 2] / 1e9, b->ops / cpu[RUNS / 2] / top,
	    b->ops / wall[RUNS / 2] / top / b->threads);
	fflush(stdout);
}

static void
run_forward(void *arg)
{
	struct rna_err err = {0};

	check(rna_tape_forward(arg, &err) == RNA_OK, err.text);
}

static void
forward(struct bench *b, int len)
{
	const int seqs = TOKENS / len;
	const struct rna_tape_options o = {
	    .tokens = TOKENS, .seqs = seqs, .rows = 1, .slots = 1, .max_len = len, .precision = b->precision};
	struct rna_tape *t = rna_tape_create(b->rk, &b->m.params, &o);
	struct rna_err err = {0};
	struct rna_record rec;
	struct rna_batch batch;

	rna_record_init(&rec);
	check(t != NULL && rna_batch_init(&batch, TOKENS, seqs, TOKENS, 1) == RNA_OK, "out of memory");
	rna_tape_keep(t, rna_encoder_forward(t, &b->m, -1, NULL));
	check(rna_tape_finish(t, &err) == RNA_OK, err.text);
	for (int i = 0; i < seqs; i++) {
		make_rna(&b->m, i, len, &rec);
		check(rna_batch_add(&batch, &b->m, &rec, 0, &err) == RNA_OK, err.text);
	}
	batch.nrows = 0;
	check(rna_batch_upload(&batch, b->rk, rna_tape_inputs(t), &err) == RNA_OK, err.text);
	b->ops = operations(&b->m.config, len, TOKENS);
	measure(b, "forward", len, run_forward, t);
	rna_batch_fini(&batch);
	rna_record_fini(&rec);
	rna_tape_destroy(t);
}

/* What a training step needs. */
struct training {
	struct rna_trainer trainer;
	struct rna_record *rec;
	int seqs;
};

static void
run_training(void *arg)
{
	struct training *t = arg;
	struct rna_train_step did;
	struct rna_err err = {0};

	for (int i = 0; i < t->seqs; i++)
		check(rna_trainer_add(&t->trainer, &t->rec[i], 0, &err) == RNA_OK, err.text);
	check(rna_trainer_step(&t->trainer, &did, &err) == RNA_OK, err.text);
}

static void
training(struct bench *b, int len)
{
	const struct rna_trainer_options o = {.batch_tokens = TOKENS, .seed = 1,
	    .schedule = {RNA_SCHEDULE_CONSTANT, 1e-5, 1e-5, 0, 1000}, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8,
	    .weight_decay = 0.01, .clip = 1, .precision = b->precision};
	struct training t = {.seqs = TOKENS / len};
	uint64_t n = 0, masked = 0;
	struct rna_err err = {0};

	check((t.rec = calloc((size_t)t.seqs, sizeof(*t.rec))) != NULL, "out of memory");
	check(rna_trainer_init(&t.trainer, &b->m, &o, &err) == RNA_OK, err.text);
	for (int i = 0; i < t.seqs; i++) {
		rna_record_init(&t.rec[i]);
		make_rna(&b->m, i, len, &t.rec[i]);
		(void)rna_record_get_vec(&t.rec[i], "masked", RNA_U32, &n);
		masked += n;
	}
	b->ops = 3 * operations(&b->m.config, len, (double)masked);
	measure(b, "training step", len, run_training, &t);
	for (int i = 0; i < t.seqs; i++)
		rna_record_fini(&t.rec[i]);
	free(t.rec);
	rna_trainer_fini(&t.trainer);
}

static int
wanted(int argc, char **argv, int i, const char *name)
{
	return argc <= i || strcmp(argv[i], name) == 0;
}

static void
bench(const char *name, int threads, int argc, char **argv)
{
	struct bench b = {.name = name, .threads = threads};
	char err[160] = "";

	check((b.rk = rk_open("cpu", b.threads, err, sizeof(err))) != NULL, err);
	open_model(&b);
	for (int p = RK_FP32; p <= RK_INT8; p++) {
		b.precision = (enum rk_precision)p;
		if (!wanted(argc, argv, 3, precisions[p]))
			continue;
		for (int len = 128; len <= 512 && wanted(argc, argv, 4, "forward"); len *= 4)
			forward(&b, len);
		if (p != RK_INT8 && wanted(argc, argv, 4, "training"))
			training(&b, 128);
	}
	rna_model_fini(&b.m);
	rk_close(b.rk);
}

int
main(int argc, char **argv)
{
	const int all = omp_get_num_procs(), threads = argc > 1 ? atoi(argv[1]) : 0;
	const char *name = argc > 2 ? argv[2] : "base";

	printf("model\twhat\tlength\tprecision\tlevel\tthreads\tseconds\tprocessor seconds\ttokens/s\t"
	       "tokens/processor-s\tGop/processor-s\tof peak\tof peak, wall\n");
	bench(name, threads > 0 ? threads : 1, argc, argv);
	if (threads <= 0 && all > 1)
		bench(name, all, argc, argv);
	return 0;
}
