/*
 * train_class.c: rna-train class and pair: labelled RNAs, or pairs of them, into memory, epochs of fine-tuning, the
 * best epoch's model.
 *
 * 1. The table of epochs   2. One training   3. The run
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/classify.h"
#include "train_class.h"

/* 1. The table of epochs */

static void
log_row(struct class_run *c, const struct rna_classify_epoch *e)
{
	int bad = fprintf(c->log, "%llu\t%lld\t%lld\t%.6g\t%.6g\t%.6g\t%.6g", (unsigned long long)c->r.t->seed,
		      (long long)e->epoch, (long long)e->step, e->loss, e->acc, e->lr, e->norm) < 0;

	if (e->scored)
		bad |=
		    fprintf(c->log, "\t%.6g\t%.6g\t%.6g\t%d\n", e->valid_loss, e->valid_acc, e->valid_f1, e->best) < 0;
	else
		bad |= fputs("\tNA\tNA\tNA\tNA\n", c->log) < 0;
	if (bad)
		train_log_failed(&c->r);
}

/* 2. One training */

static struct rna_classify_options
settings(const struct class_run *c, int64_t epochs)
{
	const struct train_opts *o = c->r.o;
	int64_t total = epochs * rna_classify_steps(&c->data, (size_t)o->batch);
	double min_lr = o->min_lr >= 0 ? o->min_lr : fmin(5e-5, o->lr / 2);

	return (struct rna_classify_options){
	    .batch = (size_t)o->batch,
	    .seed = c->r.t->seed,
	    .schedule = {(enum rna_schedule_kind)(o->schedule < 0 ? RNA_SCHEDULE_CONSTANT : o->schedule), o->lr, min_lr,
		o->warmup > 0 ? o->warmup : 0, total},
	    .weight_decay = o->weight_decay < 0 ? 0.01 : o->weight_decay,
	    .clip = fmax(o->clip, 0),
	    .smoothing = (float)o->smoothing,
	    .weighted = o->weighted,
	    .frozen = o->adapt == TRAIN_FBTH,
	    .precision = o->bf16 ? RK_BF16 : RK_FP32,
	};
}

/* What predicts the types of stack: a model of its own, which goes into the folder, or the one that learns. */
static void
open_typer(struct class_run *c, int64_t nth)
{
	struct train_run *r = &c->r;
	struct rna_config *k = &r->model.config;
	const struct rna_model_options need = {.need_mlm = 1};
	struct rna_err err = {.record = RNA_NOREC};
	char path[sizeof(r->dir) + 16], *dir;

	k->class_types = (int)r->o->types;
	k->class_floor = r->o->floor;
	if (k->class_types > r->model.vocab.ntypes) {
		rna_fail(&err, RNA_EFORMAT, "--types %d, but the vocabulary of %s has %d types", k->class_types,
		    r->t->model, r->model.vocab.ntypes);
		train_fail(r, &err);
	}
	if (k->class_typer == RNA_TYPER_SHARED && k->mlm)
		return;
	dir = tool_model_path(r->t, r->t->model);
	snprintf(path, sizeof(path), "%s/types", r->dir);
	if (rna_model_open(&r->typer, dir, r->rk, &need, &err) != RNA_OK ||
	    (nth == 0 && rna_model_save(&r->typer, path, &err) != RNA_OK))
		train_fail(r, &err);
	free(dir);
}

/* Epochs until the last, or until --patience has run out; into best what the best of them was. */
static void
run_epochs(struct class_run *c, struct rna_classify *k, int64_t epochs, struct rna_classify_epoch *best)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_classify_epoch did;
	char detail[96];
	int64_t i;

	for (i = 0; i < epochs; i++) {
		if (rna_classify_epoch(k, &did, &err) != RNA_OK)
			train_fail(&c->r, &err);
		log_row(c, &did);
		if (did.best)
			*best = did;
		snprintf(detail, sizeof(detail), "loss %.4f", did.loss);
		if (did.scored)
			snprintf(detail, sizeof(detail), "loss %.4f  validation: accuracy %.3f, macro-F1 %.3f",
			    did.loss, did.valid_acc, did.valid_f1);
		tool_progress_at(&c->r.bar, (double)(i + 1), detail);
		if (did.scored && c->r.o->patience > 0 && did.epoch - best->epoch >= c->r.o->patience)
			break;
	}
}

/* Trains with the seed in force; the folder gets the model unless an earlier seed's was better. */
static void
train(struct class_run *c, int64_t nth)
{
	struct train_run *r = &c->r;
	int64_t epochs = r->o->epochs;
	struct rna_classify_options opts = settings(c, epochs);
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_classify_epoch best = {0};
	struct rna_classify *k;

	train_open_model(r, -1);
	train_check_model(c);
	if (r->o->head == TRAIN_INTERACTION && !r->model.config.class_lm)
		opts.frozen = 1; /* there is no backbone to learn */
	if (r->o->adapt == TRAIN_STACK)
		open_typer(c, nth);
	opts.typer = r->typer.rk != NULL ? &r->typer : NULL;
	if ((k = rna_classify_open(&r->model, &c->data, &opts, &err)) == NULL)
		train_fail(r, &err);
	tool_progress_start(&r->bar, r->t, "epochs", (double)epochs);
	run_epochs(c, k, epochs, &best);
	tool_progress_end(&r->bar);
	if (rna_classify_finish(k, &err) != RNA_OK)
		train_fail(r, &err);
	if (nth == 0 || best.valid_f1 > c->best_f1 || (best.valid_f1 == c->best_f1 && best.valid_loss < c->best_loss)) {
		if (rna_model_save(&r->model, r->dir, &err) != RNA_OK)
			train_fail(r, &err);
		c->best_f1 = best.valid_f1;
		c->best_loss = best.valid_loss;
	}
	c->acc[nth] = best.valid_acc;
	c->f1[nth] = best.valid_f1;
	if (r->o->seeds > 1)
		printf("%llu\t%lld\t%.6g\t%.6g\t%.6g\n", (unsigned long long)r->t->seed, (long long)best.epoch,
		    best.valid_loss, best.valid_acc, best.valid_f1);
	if (c->data.nvalid > 0)
		tool_note(r->t, 1, "seed %llu: epoch %lld of %lld: validation accuracy %.4f, macro-F1 %.4f",
		    (unsigned long long)r->t->seed, (long long)best.epoch, (long long)epochs, best.valid_acc,
		    best.valid_f1);
	rna_classify_close(k);
	rna_model_fini(&r->model);
	rna_model_fini(&r->typer);
	rk_close(r->rk);
}

/* 3. The run */

static double
mean(const double *x, int64_t n)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += x[i];
	return sum / (double)n;
}

/* Of a sample. */
static double
deviation(const double *x, int64_t n)
{
	double m = mean(x, n), sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += (x[i] - m) * (x[i] - m);
	return sqrt(sum / (double)(n - 1));
}

static void
all_seeds(struct class_run *c)
{
	const int64_t n = c->r.o->seeds;
	const uint64_t first = c->r.t->seed;

	if (n > 1)
		printf("seed\tepoch\tvalid_loss\tvalid_acc\tvalid_macro_f1\n");
	for (int64_t i = 0; i < n; i++) {
		c->r.t->seed = first + (uint64_t)i;
		train(c, i);
	}
	if (n == 1)
		return;
	printf("mean\tNA\tNA\t%.6g\t%.6g\n", mean(c->acc, n), mean(c->f1, n));
	printf("sd\tNA\tNA\t%.6g\t%.6g\n", deviation(c->acc, n), deviation(c->f1, n));
	if (fflush(stdout) != 0)
		tool_die(c->r.t, "standard output: %s", strerror(errno));
}

static int
has_model(const struct tool *t)
{
	return t->model != NULL && strcmp(t->model, "none") != 0;
}

static void
check_usage(struct tool *t, const struct train_opts *o)
{
	if (o->valid != NULL && o->valid_split > 0)
		tool_usage(t, "--valid and --valid-split: give one of them");
	if (o->group != NULL && o->valid_split <= 0)
		tool_usage(t, "--group goes with --valid-split");
	if (o->seeds > 1 && o->valid == NULL && o->valid_split <= 0)
		tool_usage(t, "--seeds compares trainings on --valid or --valid-split: give one of them");
	if (o->adapt == TRAIN_FBTH && !has_model(t))
		tool_usage(t, "--adapt fbth freezes a backbone: name it with -m");
	if (o->adapt == TRAIN_STACK && !has_model(t))
		tool_usage(t, "--adapt stack predicts types with a pretrained model: name it with -m");
	if (o->adapt == TRAIN_FBTH && o->from == TRAIN_FROM_ATTENTION)
		tool_usage(t, "--from attention learns where to look, so all states of the backbone would have to be "
			      "kept: it goes with --adapt tbth or stack");
	if (o->adapt == TRAIN_STACK && o->chunks == RNA_CHUNKS_ATTENTION)
		tool_usage(t, "--chunks attention makes its own weights, so it does not go with --adapt stack");
}

static int
run(struct tool *t, const struct train_opts *o, int pairs)
{
	struct class_run c = {.r = {.t = t, .o = o, .saved = -1}};

	check_usage(t, o);
	train_take_folder(&c.r);
	rna_record_init(&c.r.rec);
	c.acc = calloc((size_t)o->seeds, sizeof(*c.acc));
	c.f1 = calloc((size_t)o->seeds, sizeof(*c.f1));
	if (c.acc == NULL || c.f1 == NULL)
		tool_die(t, "out of memory");
	train_read_data(&c, pairs);
	c.log = train_log_open(&c.r,
	    c.r.o->from < TRAIN_FROM_KMER
		? "seed\tepoch\tstep\tloss\tacc\tlr\tgrad_norm\tvalid_loss\tvalid_acc\tvalid_macro_f1\tbest\n"
		: "penalty\tsteps\tloss\tacc\tvalid_loss\tvalid_acc\tbest\n");
	if (o->from >= TRAIN_FROM_KMER)
		train_features(&c);
	else
		all_seeds(&c);
	if (fclose(c.log) != 0)
		train_log_failed(&c.r);
	tool_summary(t, "%zu %s of %zu classes, %zu to validate on", c.data.ntrain, pairs ? "pairs" : "RNAs",
	    json_array_size(c.data.names), c.data.nvalid);
	tool_in_close(&c.r.in);
	rna_classdata_fini(&c.data);
	rna_buf_fini(&c.numbers);
	rna_record_fini(&c.r.rec);
	rna_dirlock_release(&c.r.lock);
	free(c.acc);
	free(c.f1);
	return TOOL_DONE;
}

int
train_class(struct tool *t, const struct train_opts *o)
{
	return run(t, o, 0);
}

int
train_pair(struct tool *t, const struct train_opts *o)
{
	return run(t, o, 1);
}
