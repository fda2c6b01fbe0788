/*
 * train_data.c: records into memory, for rna-train class, pair and fold: the operands, a share of them set apart by
 * --valid-split, and --valid.
 */
#include <string.h>

#include "stream/split.h"
#include "train_run.h"

void
train_fail_at(struct train_run *r, struct rna_err *err, const char *file, uint64_t record)
{
	rna_err_where(err, file, record);
	train_fail(r, err);
}

int
train_has_model(const struct tool *t)
{
	return t->model != NULL && strcmp(t->model, "none") != 0;
}

void
train_check_valid(struct tool *t, const struct train_opts *o)
{
	if (o->valid != NULL && o->valid_split > 0)
		tool_usage(t, "--valid and --valid-split: give one of them");
	if (o->group != NULL && o->valid_split <= 0)
		tool_usage(t, "--group goes with --valid-split");
	if (o->seeds > 1 && o->valid == NULL && o->valid_split <= 0)
		tool_usage(t, "--seeds compares trainings on --valid or --valid-split: give one of them");
}

static void
tell_stream(struct train_run *r, const struct train_data *d)
{
	if (d->stream != NULL)
		d->stream(d->arg, tool_in_header(&r->in), rna_source_name(r->in.source));
}

void
train_read_input(struct train_run *r, const struct train_data *d)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_split split;
	enum rna_status s;
	int valid = 0;

	rna_split_init(&split, r->t->seed, 1 - r->o->valid_split, r->o->group);
	tool_in_open(&r->in, r->t, NULL);
	r->in.raw = d->raw;
	r->in.soft = 1;
	while ((s = tool_in_read(&r->in, &r->rec)) != RNA_END) {
		if (s == RNA_NEXT) {
			tell_stream(r, d);
			rna_split_reuse(&split);
			continue;
		}
		if (s != RNA_OK)
			train_fail(r, &r->in.err);
		if (!r->have)
			tell_stream(r, d);
		r->have = 1;
		if ((r->o->valid_split > 0 && rna_split_side(&split, &r->rec, &valid, &err) != RNA_OK) ||
		    d->add(d->arg, &r->rec, valid, &err) != RNA_OK)
			train_fail_at(r, &err, rna_source_name(r->in.source), r->rec.number);
	}
	rna_split_fini(&split);
}

void
train_read_valid(struct train_run *r, const struct train_data *d)
{
	struct rna_source_options opts = {.nthreads = 1};
	struct rna_err err = {.record = RNA_NOREC};
	const char *path = r->o->valid;
	struct rna_source *source = NULL;
	struct rna_record rec;
	struct rna_input *in;
	enum rna_status s = RNA_NEXT;

	if ((in = rna_input_open(path, &err)) == NULL || (source = rna_source_open(in, &opts, &err)) == NULL)
		train_fail(r, &err);
	rna_record_init(&rec);
	for (; s != RNA_END; s = rna_source_read(source, &rec, &err)) {
		if (s == RNA_NEXT && d->stream != NULL)
			d->stream(d->arg, rna_source_header(source), path);
		else if (s != RNA_NEXT && (s != RNA_OK || d->add(d->arg, &rec, 1, &err) != RNA_OK))
			train_fail_at(r, &err, path, s == RNA_OK ? rec.number : RNA_NOREC);
	}
	rna_record_fini(&rec);
	rna_source_close(source);
}
