/*
 * train_fold.c: rna-train fold: RNAs of known structure into memory, steps of max-margin training, the best weights.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train_fold.h"

#define EPOCHS 10 /* as MXfold2 */
#define COLUMNS "seed\tepoch\tstep\tloss\thinge\tthermodynamic\tlr\tgrad_norm\tvalid_f1\tvalid_reach\tbest\n"
#define KEPT ((size_t)1 << 30) /* bytes of features of a frozen language model */

/* 1. Records */

static enum rna_status
add_record(void *arg, struct rna_record *rec, int valid, struct rna_err *err)
{
	return rna_folddata_add(arg, rec, valid, err);
}

static void
read_data(struct fold_run *f)
{
	const struct train_data to = {1, add_record, NULL, &f->data};
	struct rna_err err = {.record = RNA_NOREC};
	const struct rna_folddata *d = &f->data;

	f->data.longest = (size_t)f->r.o->longest;
	train_read_input(&f->r, &to);
	if (f->r.o->valid != NULL)
		train_read_valid(&f->r, &to);
	if (d->left_out > 0)
		tool_warn(f->r.t, "%zu of %zu RNAs are longer than --longest %zu nt and left out", d->left_out,
		    d->n + d->left_out, d->longest);
	tool_note(f->r.t, 1,
	    "%zu RNAs to train on, %zu to validate on; of %zu pairs %zu are in no nested canonical structure",
	    d->ntrain, d->nvalid, d->pairs, d->dropped);
	if (d->ntrain == 0)
		rna_fail(&err, RNA_EFORMAT, "no RNAs to train on");
	else if ((f->r.o->valid != NULL || f->r.o->valid_split > 0) && d->nvalid == 0)
		rna_fail(&err, RNA_EFORMAT, "no records to validate on");
	if (err.status != RNA_OK)
		train_fail(&f->r, &err);
}

/* 2. The table of rounds */

static void
log_row(struct fold_run *f, const struct rna_foldtrain_round *d)
{
	int bad =
	    fprintf(f->r.table, "%llu\t%lld\t%lld\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g", (unsigned long long)f->r.t->seed,
		(long long)d->epoch, (long long)d->step, d->loss, d->hinge, d->thermo, d->lr, d->norm) < 0;

	if (d->scored)
		bad |= fprintf(f->r.table, "\t%.6g\t%.6g\t%d\n", d->valid_f1, d->valid_reach, d->best) < 0;
	else
		bad |= fputs("\tNA\tNA\tNA\n", f->r.table) < 0;
	if (bad)
		train_log_failed(&f->r);
}

/* 3. One training */

static void
set_energies(struct fold_run *f)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_energy_file *file = rna_energy_file_open(NULL, &err);

	if (file == NULL || rna_energy_init(&f->energy, file, 37, 2, &err) != RNA_OK)
		train_fail(&f->r, &err);
	rna_energy_file_close(file);
	rna_energy_neural(&f->energy);
}

int
train_fold_tunes(const struct train_opts *o)
{
	return o->adapt == TRAIN_TBTH && train_has_model(o->tool);
}

/* The language model of -m, and its views of an RNA. */
static void
open_lm(struct fold_run *f, int types)
{
	const struct train_opts *o = f->r.o;
	const struct rna_model_options need = {.need_mlm = types > 0};
	const struct rna_foldlm_options how = {types, train_fold_tunes(o), KEPT, o->bf16 ? RK_BF16 : RK_FP32};
	struct rna_err err = {.record = RNA_NOREC};
	char *dir = f->r.state != NULL ? strdup(f->r.from) : tool_model_path(f->r.t, f->r.t->model);

	if (dir == NULL)
		tool_die(f->r.t, "out of memory");
	if (rna_model_open(&f->r.model, dir, f->r.rk, &need, &err) != RNA_OK)
		train_fail(&f->r, &err);
	if (o->dropout >= 0)
		f->r.model.config.hidden_dropout = (float)o->dropout;
	if (o->attention_dropout >= 0)
		f->r.model.config.attention_dropout = (float)o->attention_dropout;
	if ((f->lm = rna_foldlm_open(&f->r.model, &how, &err)) == NULL)
		train_fail(&f->r, &err);
	free(dir);
}

/* What the network's config.json says is kept with the language model's. */
static void
tell_model(struct fold_run *f)
{
	json_t *o = f->r.model.config.json, *rill = json_object_get(o, "rill"), *fold;

	if (o != NULL && !json_is_object(rill) && json_object_set_new(o, "rill", json_object()) == 0)
		rill = json_object_get(o, "rill");
	fold = rna_foldnet_config_json(&f->net.config);
	if (fold == NULL || rill == NULL || json_object_set_new(rill, "fold", fold) != 0)
		tool_die(f->r.t, "out of memory");
	f->r.model.extra = &f->net.params;
}

static void
open_net(struct fold_run *f)
{
	const struct train_opts *o = f->r.o;
	const int types = o->adapt == TRAIN_STACK ? (int)o->types : 0;
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_foldnet_config c;
	char why[512] = "";

	if ((f->r.rk = rk_open(f->r.t->device, f->r.t->threads, why, sizeof(why))) == NULL) {
		rna_fail(&err, RNA_EDEVICE, "%s", why);
		train_fail(&f->r, &err);
	}
	if (*why != '\0')
		tool_note(f->r.t, 1, "-d auto: cpu: %s", why);
	if (train_has_model(f->r.t))
		open_lm(f, types);
	rna_foldnet_default(&c, f->lm != NULL ? f->r.model.config.hidden : 0);
	if (o->config != NULL && rna_foldnet_preset(&c, o->config, &err) != RNA_OK)
		train_fail(&f->r, &err);
	if (o->dropout >= 0)
		c.dropout = c.head_dropout = (float)o->dropout;
	c.lower_constant = o->images == 1;
	c.types = types;
	if ((f->r.state != NULL ? rna_foldnet_open(&f->net, f->r.from, f->r.rk, &err)
				: rna_foldnet_create(&f->net, &c, f->r.rk, f->r.t->seed, &err)) != RNA_OK)
		train_fail(&f->r, &err);
	if (f->lm != NULL)
		tell_model(f);
}

static struct rna_foldtrain_options
settings(const struct fold_run *f, int64_t total)
{
	const struct train_opts *o = f->r.o;

	return (struct rna_foldtrain_options){
	    .batch = (size_t)o->batch,
	    .seed = f->r.t->seed,
	    .schedule = {(enum rna_schedule_kind)(o->schedule < 0 ? RNA_SCHEDULE_CONSTANT : o->schedule), o->lr,
		o->min_lr >= 0 ? o->min_lr : fmin(5e-5, o->lr / 2), o->warmup > 0 ? o->warmup : 0, total},
	    .weight_decay = fmax(o->weight_decay, 0),
	    .clip = fmax(o->clip, 0),
	    .lambda = o->lambda,
	    .margins = rna_margins_default,
	    .energy = &f->energy,
	};
}

enum rna_status
train_fold_write(struct fold_run *f, const char *dir, struct rna_err *err)
{
	return f->lm != NULL ? rna_model_save(&f->r.model, dir, err) : rna_foldnet_save(&f->net, dir, err);
}

/* The folder gets the weights in force, unless an earlier seed's are better. */
static void
save(struct fold_run *f, const struct rna_foldtrain_round *d)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (!d->best || (d->scored && d->valid_f1 <= f->best_f1))
		return;
	f->best_f1 = d->scored ? d->valid_f1 : -1;
	if (train_fold_write(f, f->r.dir, &err) != RNA_OK)
		train_fail(&f->r, &err);
}

/* What is done and kept after a round.  The checkpoint first: what is in the folder can be made from it again. */
static void
keep(struct fold_run *f, const struct rna_foldtrain_round *d)
{
	char detail[96];

	log_row(f, d);
	f->since = d->best ? 0 : f->since + 1;
	if (d->best)
		f->best = *d;
	if (f->r.o->seeds <= 1)
		train_fold_checkpoint(f, d);
	save(f, d);
	snprintf(detail, sizeof(detail), "loss %.4f", d->loss);
	if (d->scored)
		snprintf(detail, sizeof(detail), "loss %.4f  validation: F1 %.4f", d->loss, d->valid_f1);
	tool_progress_at(&f->r.bar, (double)d->step, detail);
}

/* Rounds until the last step, or until --patience has run out; epoch: steps of one. */
static void
run_rounds(struct fold_run *f, int64_t epoch, int64_t total)
{
	const struct train_opts *o = f->r.o;
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_foldtrain_round d = {.step = rna_foldtrain_state(f->training).step};
	int64_t every;

	while (d.step < total && !(f->best.scored && o->patience > 0 && f->since >= o->patience)) {
		every = o->valid_every > 0 ? o->valid_every : epoch;
		every = every < total - d.step ? every : total - d.step;
		if (rna_foldtrain_round(f->training, every, &d, &err) != RNA_OK)
			train_fail(&f->r, &err);
		keep(f, &d);
	}
}

/* Network, language model and training: new, or as a checkpoint has them. */
static void
open_training(struct fold_run *f, int64_t total)
{
	struct rna_foldtrain_options opts = settings(f, total);
	struct rna_err err = {.record = RNA_NOREC};

	open_net(f);
	opts.lm = f->lm;
	opts.tuned = train_fold_tunes(f->r.o) ? &f->r.model.params : NULL;
	f->since = 0;
	f->best = (struct rna_foldtrain_round){0};
	if ((f->training = rna_foldtrain_open(&f->net, &f->data, &opts, &err)) == NULL)
		train_fail(&f->r, &err);
	if (f->r.state != NULL)
		train_fold_resume(f);
}

static void
close_training(struct fold_run *f)
{
	uint64_t rnas, stitched;

	rna_foldtrain_close(f->training);
	if (f->lm != NULL) {
		rna_foldlm_counts(f->lm, &rnas, &stitched);
		if (stitched > 0)
			tool_note(f->r.t, 1,
			    "%.1f %% of the RNAs are longer than the language model takes: features from chunks",
			    100.0 * (double)stitched / (double)rnas);
		rna_foldlm_close(f->lm);
		rna_model_fini(&f->r.model);
		f->lm = NULL;
	}
	rna_foldnet_fini(&f->net);
	rk_close(f->r.rk);
}

static void
train(struct fold_run *f)
{
	struct train_run *r = &f->r;
	const int64_t batch = r->o->batch, epoch = ((int64_t)f->data.ntrain + batch - 1) / batch;
	const int64_t total = r->o->steps >= 0 ? r->o->steps : epoch * (r->o->epochs > 0 ? r->o->epochs : EPOCHS);

	open_training(f, total);
	if (total == 0) { /* a random network */
		f->best.best = 1;
		save(f, &f->best);
	}
	tool_progress_start(&r->bar, r->t, "steps", (double)total);
	run_rounds(f, epoch, total);
	tool_progress_end(&r->bar);
	if (r->o->seeds > 1)
		printf("%llu\t%lld\t%.6g\n", (unsigned long long)r->t->seed, (long long)f->best.step, f->best.valid_f1);
	if (f->best.scored)
		tool_note(r->t, 1,
		    "seed %llu: step %lld of %lld: validation F1 %.4f; nested canonical pairs reach %.4f",
		    (unsigned long long)r->t->seed, (long long)f->best.step, (long long)total, f->best.valid_f1,
		    f->best.valid_reach);
	close_training(f);
}

/* 4. The run */

static void
all_seeds(struct fold_run *f)
{
	const uint64_t first = f->r.t->seed;

	if (f->r.o->seeds > 1)
		printf("seed\tstep\tvalid_f1\n");
	for (int64_t i = 0; i < f->r.o->seeds; i++) {
		f->r.t->seed = first + (uint64_t)i;
		train(f);
	}
	if (fflush(stdout) != 0)
		tool_die(f->r.t, "standard output: %s", strerror(errno));
}

static void
check_usage(struct tool *t, const struct train_opts *o)
{
	train_check_valid(t, o);
	if (train_is_given(o, "adapt") && !train_has_model(t))
		tool_usage(t, "--adapt needs a language model: name it with -m");
	if (o->resume && o->seeds > 1)
		tool_usage(t, "--resume: goes on with one training, not with --seeds");
	if (o->attention_dropout >= 0 && !train_fold_tunes(o))
		tool_usage(t, "--attention-dropout goes with --adapt tbth");
}

int
train_fold(struct tool *t, const struct train_opts *o)
{
	struct fold_run f = {.r = {.t = t, .o = o, .saved = -1}, .best_f1 = -1};
	int64_t from;

	check_usage(t, o);
	from = train_take_folder(&f.r);
	rna_record_init(&f.r.rec);
	set_energies(&f);
	read_data(&f);
	if (from >= 0)
		train_fold_find(&f, from);
	else
		train_log_open(&f.r, COLUMNS);
	all_seeds(&f);
	if (fclose(f.r.table) != 0)
		train_log_failed(&f.r);
	tool_summary(t, "%zu RNAs, %zu to validate on", f.data.ntrain, f.data.nvalid);
	tool_in_close(&f.r.in);
	rna_folddata_fini(&f.data);
	json_decref(f.r.state);
	rna_record_fini(&f.r.rec);
	rna_dirlock_release(&f.r.lock);
	return TOOL_DONE;
}
