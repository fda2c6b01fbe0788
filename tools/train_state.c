/*
 * train_state.c: checkpoints of rna-train class, pair and fold: the folder, its trainer_state.json, and the table,
 * which goes on where it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train_run.h"

json_t *
train_state_options(const struct train_run *r, uint64_t data)
{
	const struct train_opts *o = r->o;
	char text[24];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)data);
	return json_pack("{s:s s:s s:s s:I s:I s:f s:f s:I s:I s:f s:f s:f s:f s:I s:I s:I s:I s:b}", "data", text,
	    "model", r->t->model != NULL ? r->t->model : "none", "config", o->config != NULL ? o->config : "none",
	    "seed", (json_int_t)r->t->seed, "batch", (json_int_t)o->batch, "lr", o->lr, "min_lr", o->min_lr, "schedule",
	    (json_int_t)o->schedule, "warmup", (json_int_t)o->warmup, "weight_decay", o->weight_decay, "clip", o->clip,
	    "dropout", o->dropout, "attention_dropout", o->attention_dropout, "adapt", (json_int_t)o->adapt, "types",
	    (json_int_t)o->types, "epochs", (json_int_t)o->epochs, "patience", (json_int_t)o->patience, "bf16",
	    o->bf16);
}

/* What is behind `size` bytes of the table was written by a run that was killed before its next checkpoint. */
static void
open_table(struct train_run *r, off_t size)
{
	char path[sizeof(r->dir) + 16];

	snprintf(path, sizeof(path), "%s/log.tsv", r->dir);
	if ((r->table = fopen(r->o->log != NULL ? r->o->log : path, "r+e")) == NULL ||
	    fseeko(r->table, 0, SEEK_END) != 0)
		train_log_failed(r);
	if (ftello(r->table) < size) {
		errno = EINVAL;
		train_log_failed(r);
	}
	if (ftruncate(fileno(r->table), size) != 0 || fseeko(r->table, size, SEEK_SET) != 0)
		train_log_failed(r);
	setvbuf(r->table, NULL, _IOLBF, 0);
}

void
train_state_bad(struct train_run *r)
{
	struct rna_err err = {.record = RNA_NOREC};

	rna_fail(&err, RNA_EFORMAT, "%s: not the state of such a training", r->from);
	train_fail(r, &err);
}

void
train_state_find(struct train_run *r, int64_t step, json_t *options)
{
	struct rna_err err = {.record = RNA_NOREC};
	char path[sizeof(r->from) + 32];
	const char *arithmetic;
	json_int_t log;
	json_t *was;

	if (options == NULL)
		tool_die(r->t, "out of memory");
	if (rna_checkpoint_path(r->dir, step, r->from, sizeof(r->from), &err) != RNA_OK)
		train_fail(r, &err);
	snprintf(path, sizeof(path), "%s/trainer_state.json", r->from);
	r->state = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	if (json_unpack(r->state, "{s:o s:I s:s}", "options", &was, "log", &log, "arithmetic", &arithmetic) != 0 ||
	    !json_is_object(was))
		train_state_bad(r);
	if (rna_checkpoint_compare(was, options, &err) != RNA_OK)
		train_fail(r, &err);
	json_decref(options);
	open_table(r, (off_t)log);
	tool_note(r->t, 1, "continuing from %s", r->from);
}

void
train_state_warn(struct train_run *r)
{
	if (strcmp(json_string_value(json_object_get(r->state, "arithmetic")), rk_name(r->rk)) != 0)
		tool_warn(r->t, "%s was made with other arithmetic than %s: the run goes on, but not to the same bits",
		    r->from, rk_name(r->rk));
}

/* For fill_folder. */
struct filling {
	rna_checkpoint_fill *fill;
	void *arg;
	json_t *state;
};

static enum rna_status
fill_folder(const char *folder, void *arg, struct rna_err *err)
{
	struct filling *f = arg;
	enum rna_status s = f->fill(folder, f->arg, err);

	return s == RNA_OK ? rna_checkpoint_put_state(folder, json_incref(f->state), err) : s;
}

void
train_state_save(
    struct train_run *r, int64_t step, rna_checkpoint_fill *fill, void *arg, json_t *state, json_t *options)
{
	struct filling f = {fill, arg, state};
	struct rna_err err = {.record = RNA_NOREC};

	if (fflush(r->table) != 0 || fsync(fileno(r->table)) != 0)
		train_log_failed(r);
	if (state == NULL || options == NULL || json_object_set_new(state, "options", options) != 0 ||
	    json_object_set_new(state, "log", json_integer((json_int_t)ftello(r->table))) != 0 ||
	    json_object_set_new(state, "arithmetic", json_string(rk_name(r->rk))) != 0)
		tool_die(r->t, "out of memory");
	if (rna_checkpoint_make(r->dir, step, fill_folder, &f, 1, &err) != RNA_OK)
		train_fail(r, &err);
	json_decref(state);
}
