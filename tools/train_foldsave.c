/*
 * train_foldsave.c: checkpoints of rna-train fold, one after each round: the weights in force, Adam's moments, and
 * where the training stands.  The model of -o itself is that of the best round.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/rng.h"
#include "train_fold.h"

/* A number that tells the RNAs and their structures from others. */
static uint64_t
fingerprint(const struct rna_folddata *d)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct rna_foldexample *e = &d->list[i];

		hash = rna_hash(&e->valid, sizeof(e->valid), hash);
		hash = rna_hash(&e->rid, sizeof(e->rid), hash);
		hash = rna_hash(e->letters, e->n, hash);
		hash = rna_hash(e->truth, e->n * sizeof(*e->truth), hash);
	}
	return hash;
}

/* What the result depends on. */
static json_t *
options(const struct fold_run *f)
{
	const struct train_opts *o = f->r.o;
	char data[24];
	json_t *json;

	snprintf(data, sizeof(data), "%016llx", (unsigned long long)fingerprint(&f->data));
	json = json_pack("{s:s s:s s:s s:I s:I s:f s:f s:I s:I s:f s:f}", "data", data, "model",
	    f->r.t->model != NULL ? f->r.t->model : "none", "config", o->config != NULL ? o->config : "base", "seed",
	    (json_int_t)f->r.t->seed, "batch", (json_int_t)o->batch, "lr", o->lr, "min_lr", o->min_lr, "schedule",
	    (json_int_t)o->schedule, "warmup", (json_int_t)o->warmup, "weight_decay", o->weight_decay, "clip", o->clip);
	if (json == NULL || json_object_update_new(json,
				json_pack("{s:f s:f s:f s:I s:I s:I s:I s:I s:I s:I}", "dropout", o->dropout,
				    "attention_dropout", o->attention_dropout, "lambda", o->lambda, "images",
				    (json_int_t)o->images, "adapt", (json_int_t)o->adapt, "types", (json_int_t)o->types,
				    "steps", (json_int_t)o->steps, "epochs", (json_int_t)o->epochs, "valid_every",
				    (json_int_t)o->valid_every, "patience", (json_int_t)o->patience)) != 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* 1. Writing */

static json_t *
state_of(const struct fold_run *f, int best)
{
	const struct rna_foldtrain_state s = rna_foldtrain_state(f->training);
	const struct rna_foldtrain_round *b = &f->best;

	return json_pack("{s:I s:I s:I s:f s:b s:I s:I s:b s:f s:f s:I s:s s:o}", "step", (json_int_t)s.step, "epoch",
	    (json_int_t)s.epoch, "at", (json_int_t)s.at, "best_f1", s.best_f1, "is_best", best, "since",
	    (json_int_t)f->since, "best_step", (json_int_t)b->step, "scored", b->scored, "valid_f1", b->valid_f1,
	    "valid_reach", b->valid_reach, "log", (json_int_t)ftello(f->log), "arithmetic", rk_name(f->r.rk), "options",
	    options(f));
}

static enum rna_status
fill(const char *folder, void *arg, struct rna_err *err)
{
	struct fold_run *f = arg;
	enum rna_status s;

	if ((s = train_fold_write(f, folder, err)) != RNA_OK ||
	    (s = rna_foldtrain_save(f->training, folder, err)) != RNA_OK)
		return s;
	return rna_checkpoint_put_state(folder, state_of(f, f->since == 0), err);
}

void
train_fold_checkpoint(struct fold_run *f, const struct rna_foldtrain_round *d)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (fflush(f->log) != 0 || fsync(fileno(f->log)) != 0)
		train_log_failed(&f->r);
	if (rna_checkpoint_make(f->r.dir, d->step, fill, f, 1, &err) != RNA_OK)
		train_fail(&f->r, &err);
}

/* 2. Going on */

static void
bad_state(struct fold_run *f)
{
	struct rna_err err = {.record = RNA_NOREC};

	rna_fail(&err, RNA_EFORMAT, "%s: not the state of a training of a folding network", f->from);
	train_fail(&f->r, &err);
}

/* The log as it was: what a killed run wrote behind is cut off. */
static void
open_log(struct fold_run *f)
{
	char path[sizeof(f->r.dir) + 16];
	const json_int_t size = json_integer_value(json_object_get(f->state, "log"));

	snprintf(path, sizeof(path), "%s/log.tsv", f->r.dir);
	if ((f->log = fopen(f->r.o->log != NULL ? f->r.o->log : path, "r+e")) == NULL ||
	    fseeko(f->log, 0, SEEK_END) != 0)
		train_log_failed(&f->r);
	if (ftello(f->log) < size) {
		errno = EINVAL;
		train_log_failed(&f->r);
	}
	if (ftruncate(fileno(f->log), (off_t)size) != 0 || fseeko(f->log, (off_t)size, SEEK_SET) != 0)
		train_log_failed(&f->r);
	setvbuf(f->log, NULL, _IOLBF, 0);
}

void
train_fold_find(struct fold_run *f, int64_t step)
{
	struct rna_err err = {.record = RNA_NOREC};
	char path[sizeof(f->from) + 32];
	json_t *is = options(f), *was;
	json_error_t je;

	if (is == NULL)
		tool_die(f->r.t, "out of memory");
	if (rna_checkpoint_path(f->r.dir, step, f->from, sizeof(f->from), &err) != RNA_OK)
		train_fail(&f->r, &err);
	snprintf(path, sizeof(path), "%s/trainer_state.json", f->from);
	f->state = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
	was = json_object_get(f->state, "options");
	if (!json_is_object(was))
		bad_state(f);
	if (rna_checkpoint_compare(was, is, &err) != RNA_OK)
		train_fail(&f->r, &err);
	json_decref(is);
	open_log(f);
	tool_note(f->r.t, 1, "continuing from %s", f->from);
}

void
train_fold_resume(struct fold_run *f)
{
	struct rna_err err = {.record = RNA_NOREC};
	json_int_t step, epoch, at, since, best_step;
	struct rna_foldtrain_state s;
	const char *arithmetic;
	int best, scored;

	if (json_unpack(f->state, "{s:I s:I s:I s:F s:b s:I s:I s:b s:F s:F s:s}", "step", &step, "epoch", &epoch, "at",
		&at, "best_f1", &s.best_f1, "is_best", &best, "since", &since, "best_step", &best_step, "scored",
		&scored, "valid_f1", &f->best.valid_f1, "valid_reach", &f->best.valid_reach, "arithmetic",
		&arithmetic) != 0 ||
	    at < 0)
		bad_state(f);
	s.epoch = epoch;
	s.step = step;
	s.at = (size_t)at;
	f->since = since;
	f->best.step = best_step;
	f->best.scored = scored;
	f->best_f1 = s.best_f1;
	if (strcmp(arithmetic, rk_name(f->r.rk)) != 0)
		tool_warn(f->r.t,
		    "%s was made with other arithmetic than %s: the run goes on, but not to the same bits", f->from,
		    rk_name(f->r.rk));
	if (rna_foldtrain_resume(f->training, &s, f->from, &err) != RNA_OK ||
	    (best && train_fold_write(f, f->r.dir, &err) != RNA_OK)) /* it may have been killed before this */
		train_fail(&f->r, &err);
}
