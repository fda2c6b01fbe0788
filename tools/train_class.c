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

#include "train_class.h"

#define SAVES 10 /* checkpoints of a training, unless --save-every says otherwise */

/* 1. The table of epochs */

static void
log_row(struct class_run *c, const struct rna_classify_epoch *e)
{
	int bad = fprintf(c->r.table, "%llu\t%lld\t%lld\t%.6g\t%.6g\t%.6g\t%.6g", (unsigned long long)c->r.t->seed,
		      (long long)e->epoch, (long long)e->step, e->loss, e->acc, e->lr, e->norm) < 0;

	if (e->scored)
		bad |= fprintf(c->r.table, "\t%.6g\t%.6g\t%.6g\t%d\n", e->valid_loss, e->valid_acc, e->valid_f1,
			   e->best) < 0;
	else
		bad |= fputs("\tNA\tNA\tNA\tNA\n", c->r.table) < 0;
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
open_typer(struct class_run *c)
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
	    (c->nth == 0 && rna_model_save(&r->typer, path, &err) != RNA_OK))
		train_fail(r, &err);
	free(dir);
}

/* The training has had its epochs, or as many without a better one as --patience says. */
static int
is_over(const struct class_run *c, int64_t epoch)
{
	const struct train_opts *o = c->r.o;

	return epoch >= o->epochs || (c->best.scored && o->patience > 0 && epoch - c->best.epoch >= o->patience);
}

/* Epochs until the last; checkpoints on the way and behind the last. */
static void
run_epochs(struct class_run *c)
{
	const struct train_opts *o = c->r.o;
	const int64_t every = o->save_every > 0 ? o->save_every : (o->epochs + SAVES - 1) / SAVES;
	struct rna_classify_epoch did = {.epoch = rna_classify_state(c->training).epoch};
	struct rna_err err = {.record = RNA_NOREC};
	char detail[96];

	while (!is_over(c, did.epoch)) {
		if (rna_classify_epoch(c->training, &did, &err) != RNA_OK)
			train_fail(&c->r, &err);
		log_row(c, &did);
		if (did.best)
			c->best = did;
		if (did.epoch % every == 0 || is_over(c, did.epoch))
			train_class_checkpoint(c);
		snprintf(detail, sizeof(detail), "loss %.4f", did.loss);
		if (did.scored)
			snprintf(detail, sizeof(detail), "loss %.4f  validation: accuracy %.3f, macro-F1 %.3f",
			    did.loss, did.valid_acc, did.valid_f1);
		tool_progress_at(&c->r.bar, (double)did.epoch, detail);
	}
}

/* 1: no earlier seed was as good. */
static int
is_best_seed(const struct class_run *c)
{
	int64_t i;

	for (i = 0; i < c->nth; i++)
		if (c->done[i].valid_f1 > c->best.valid_f1 ||
		    (c->done[i].valid_f1 == c->best.valid_f1 && c->done[i].valid_loss <= c->best.valid_loss))
			return 0;
	return 1;
}

static void
print_seed(const struct class_run *c, uint64_t seed, const struct rna_classify_epoch *best)
{
	if (c->r.o->seeds > 1)
		printf("%llu\t%lld\t%.6g\t%.6g\t%.6g\n", (unsigned long long)seed, (long long)best->epoch,
		    best->valid_loss, best->valid_acc, best->valid_f1);
}

static void
open_training(struct class_run *c)
{
	struct train_run *r = &c->r;
	struct rna_classify_options opts = settings(c, r->o->epochs);
	struct rna_err err = {.record = RNA_NOREC};

	train_open_model(r, -1);
	train_check_model(c);
	if (r->o->head == TRAIN_INTERACTION && !r->model.config.class_lm)
		opts.frozen = 1; /* there is no backbone to learn */
	if (r->o->adapt == TRAIN_STACK)
		open_typer(c);
	opts.typer = r->typer.rk != NULL ? &r->typer : NULL;
	c->best = (struct rna_classify_epoch){0};
	if ((c->training = rna_classify_open(&r->model, &c->data, &opts, &err)) == NULL)
		train_fail(r, &err);
	if (r->state != NULL)
		train_class_resume(c);
}

/* Trains with the seed in force; the folder gets the model unless an earlier seed's was better. */
static void
train(struct class_run *c)
{
	struct train_run *r = &c->r;
	struct rna_err err = {.record = RNA_NOREC};

	open_training(c);
	tool_progress_start(&r->bar, r->t, "epochs", (double)r->o->epochs);
	run_epochs(c);
	tool_progress_end(&r->bar);
	if (rna_classify_finish(c->training, &err) != RNA_OK ||
	    (is_best_seed(c) && rna_model_save(&r->model, r->dir, &err) != RNA_OK))
		train_fail(r, &err);
	c->done[c->nth] = c->best;
	print_seed(c, r->t->seed, &c->best);
	if (c->data.nvalid > 0)
		tool_note(r->t, 1, "seed %llu: epoch %lld of %lld: validation accuracy %.4f, macro-F1 %.4f",
		    (unsigned long long)r->t->seed, (long long)c->best.epoch, (long long)r->o->epochs,
		    c->best.valid_acc, c->best.valid_f1);
	rna_classify_close(c->training);
	rna_model_fini(&r->model);
	rna_model_fini(&r->typer);
	rk_close(r->rk);
}

/* 3. The run */

/* Means of accuracy and macro-F1 over the seeds, then the standard deviations of the sample. */
static void
print_all(const struct class_run *c)
{
	const double n = (double)c->r.o->seeds;
	double acc = 0, f1 = 0, acc2 = 0, f2 = 0;
	int64_t i;

	for (i = 0; i < c->r.o->seeds; i++) {
		acc += c->done[i].valid_acc / n;
		f1 += c->done[i].valid_f1 / n;
	}
	for (i = 0; i < c->r.o->seeds; i++) {
		acc2 += pow(c->done[i].valid_acc - acc, 2) / (n - 1);
		f2 += pow(c->done[i].valid_f1 - f1, 2) / (n - 1);
	}
	printf("mean\tNA\tNA\t%.6g\t%.6g\n", acc, f1);
	printf("sd\tNA\tNA\t%.6g\t%.6g\n", sqrt(acc2), sqrt(f2));
}

/* From the seed that the checkpoint is of, those before as it tells of them. */
static void
all_seeds(struct class_run *c)
{
	const int64_t n = c->r.o->seeds;
	const uint64_t first = c->r.t->seed;
	int64_t i;

	if (n > 1)
		printf("seed\tepoch\tvalid_loss\tvalid_acc\tvalid_macro_f1\n");
	for (i = 0; i < c->nth; i++)
		print_seed(c, first + (uint64_t)i, &c->done[i]);
	for (; c->nth < n; c->nth++) {
		c->r.t->seed = first + (uint64_t)c->nth;
		train(c);
	}
	if (n > 1)
		print_all(c);
	if (fflush(stdout) != 0)
		tool_die(c->r.t, "standard output: %s", strerror(errno));
}

static void
check_usage(struct tool *t, const struct train_opts *o)
{
	train_check_valid(t, o);
	if (o->adapt == TRAIN_FBTH && !train_has_model(t))
		tool_usage(t, "--adapt fbth freezes a backbone: name it with -m");
	if (o->adapt == TRAIN_STACK && !train_has_model(t))
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
	int64_t from;

	check_usage(t, o);
	from = train_take_folder(&c.r);
	rna_record_init(&c.r.rec);
	if ((c.done = calloc((size_t)o->seeds, sizeof(*c.done))) == NULL)
		tool_die(t, "out of memory");
	train_read_data(&c, pairs);
	if (from >= 0)
		train_class_find(&c, from);
	else
		train_log_open(&c.r,
		    o->from < TRAIN_FROM_KMER
			? "seed\tepoch\tstep\tloss\tacc\tlr\tgrad_norm\tvalid_loss\tvalid_acc\tvalid_macro_f1\tbest\n"
			: "penalty\tsteps\tloss\tacc\tvalid_loss\tvalid_acc\tbest\n");
	if (o->from >= TRAIN_FROM_KMER)
		train_features(&c);
	else
		all_seeds(&c);
	if (fclose(c.r.table) != 0)
		train_log_failed(&c.r);
	tool_summary(t, "%zu %s of %zu classes, %zu to validate on", c.data.ntrain, pairs ? "pairs" : "RNAs",
	    json_array_size(c.data.names), c.data.nvalid);
	tool_in_close(&c.r.in);
	rna_classdata_fini(&c.data);
	rna_buf_fini(&c.numbers);
	rna_record_fini(&c.r.rec);
	rna_dirlock_release(&c.r.lock);
	free(c.done);
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
