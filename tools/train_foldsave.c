/*
 * train_foldsave.c: checkpoints of rna-train fold, one after each round: the weights in force, Adam's moments, and
 * where the training stands.  The model of -o itself is that of the best round.
 */
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
	json_t *json = train_state_options(&f->r, fingerprint(&f->data));

	if (json != NULL && json_object_update_new(json,
				json_pack("{s:f s:I s:I s:I}", "lambda", o->lambda, "images", (json_int_t)o->images,
				    "steps", (json_int_t)o->steps, "valid_every", (json_int_t)o->valid_every)) == 0)
		return json;
	json_decref(json);
	return NULL;
}

/* 1. Writing */

static json_t *
state_of(const struct fold_run *f)
{
	const struct rna_foldtrain_state s = rna_foldtrain_state(f->training);
	const struct rna_foldtrain_round *b = &f->best;

	return json_pack("{s:I s:I s:I s:f s:b s:I s:I s:b s:f s:f}", "step", (json_int_t)s.step, "epoch",
	    (json_int_t)s.epoch, "at", (json_int_t)s.at, "best_f1", s.best_f1, "is_best", f->since == 0, "since",
	    (json_int_t)f->since, "best_step", (json_int_t)b->step, "scored", b->scored, "valid_f1", b->valid_f1,
	    "valid_reach", b->valid_reach);
}

static enum rna_status
fill(const char *folder, void *arg, struct rna_err *err)
{
	struct fold_run *f = arg;
	enum rna_status s = train_fold_write(f, folder, err);

	return s == RNA_OK ? rna_foldtrain_save(f->training, folder, err) : s;
}

void
train_fold_checkpoint(struct fold_run *f, const struct rna_foldtrain_round *d)
{
	train_state_save(&f->r, d->step, fill, f, state_of(f), options(f));
}

/* 2. Going on */

void
train_fold_find(struct fold_run *f, int64_t step)
{
	train_state_find(&f->r, step, options(f));
}

void
train_fold_resume(struct fold_run *f)
{
	struct rna_err err = {.record = RNA_NOREC};
	json_int_t step, epoch, at, since, best_step;
	struct rna_foldtrain_state s;
	int best, scored;

	if (json_unpack(f->r.state, "{s:I s:I s:I s:F s:b s:I s:I s:b s:F s:F}", "step", &step, "epoch", &epoch, "at",
		&at, "best_f1", &s.best_f1, "is_best", &best, "since", &since, "best_step", &best_step, "scored",
		&scored, "valid_f1", &f->best.valid_f1, "valid_reach", &f->best.valid_reach) != 0 ||
	    at < 0)
		train_state_bad(&f->r);
	s.epoch = epoch;
	s.step = step;
	s.at = (size_t)at;
	f->since = since;
	f->best.step = best_step;
	f->best.scored = scored;
	f->best_f1 = s.best_f1;
	train_state_warn(&f->r);
	if (rna_foldtrain_resume(f->training, &s, f->r.from, &err) != RNA_OK ||
	    (best && train_fold_write(f, f->r.dir, &err) != RNA_OK)) /* it may have been killed before this */
		train_fail(&f->r, &err);
}
