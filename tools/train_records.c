/*
 * train_records.c: rna-train class and pair: labelled records into memory.
 */
#include <limits.h>
#include <string.h>

#include "stream/split.h"
#include "train_class.h"

static void
fail_at(struct class_run *c, struct rna_err *err, const char *file, uint64_t record)
{
	rna_err_where(err, file, record);
	train_fail(&c->r, err);
}

/* All streams have one vocabulary. */
static void
check_stream(struct class_run *c, const struct rna_header *h, const char *file)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (c->digest[0] == '\0') {
		strlcpy(c->digest, rna_header_vocab_digest(h), sizeof(c->digest));
		strlcpy(c->vocab, rna_header_vocab_name(h), sizeof(c->vocab));
	} else if (strcmp(c->digest, rna_header_vocab_digest(h)) != 0) {
		rna_fail(&err, RNA_EFORMAT, "the vocabulary is %s, that of the stream before is %s",
		    rna_header_vocab_name(h), c->vocab);
		fail_at(c, &err, file, RNA_NOREC);
	}
}

/* Of the first stream, for a new model. */
static void
look_at_first(struct class_run *c)
{
	struct train_run *r = &c->r;

	check_stream(c, tool_in_header(&r->in), rna_source_name(r->in.source));
	r->stream_max = rna_train_stream_max(tool_in_header(&r->in));
	r->have = 1;
}

static enum rna_status
add_record(struct class_run *c, struct rna_record *rec, int valid, struct rna_err *err)
{
	enum rna_status s;

	if (c->r.o->adapt == TRAIN_STACK && rna_record_find(rec, "group") != NULL)
		return rna_fail(err, RNA_EFORMAT, "is a replicate already (it has a field group)");
	if ((s = rna_classdata_add(&c->data, rec, INT_MAX, valid, err)) != RNA_OK || c->r.o->from < TRAIN_FROM_KMER)
		return s;
	return train_add_features(c, rec, err);
}

static void
read_input(struct class_run *c)
{
	struct train_run *r = &c->r;
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_split split;
	enum rna_status s;
	int valid = 0;

	rna_split_init(&split, r->t->seed, 1 - r->o->valid_split, r->o->group);
	tool_in_open(&r->in, r->t, NULL);
	r->in.soft = 1;
	while ((s = tool_in_read(&r->in, &r->rec)) != RNA_END) {
		if (s == RNA_NEXT) {
			check_stream(c, tool_in_header(&r->in), rna_source_name(r->in.source));
			rna_split_reuse(&split);
			continue;
		}
		if (s != RNA_OK)
			train_fail(r, &r->in.err);
		if (!r->have)
			look_at_first(c);
		if ((r->o->valid_split > 0 && rna_split_side(&split, &r->rec, &valid, &err) != RNA_OK) ||
		    add_record(c, &r->rec, valid, &err) != RNA_OK)
			fail_at(c, &err, rna_source_name(r->in.source), r->rec.number);
	}
	rna_split_fini(&split);
	if (rna_classdata_seal(&c->data, &err) != RNA_OK)
		fail_at(c, &err, r->t->nfiles == 1 ? r->t->files[0] : "", RNA_NOREC);
}

/* --valid FILE: the same classes. */
static void
read_valid(struct class_run *c)
{
	struct rna_source_options opts = {.nthreads = 1};
	const char *path = c->r.o->valid;
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_source *source = NULL;
	struct rna_record rec;
	struct rna_input *in;
	enum rna_status s;

	if ((in = rna_input_open(path, &err)) == NULL || (source = rna_source_open(in, &opts, &err)) == NULL)
		train_fail(&c->r, &err);
	check_stream(c, rna_source_header(source), path);
	rna_record_init(&rec);
	while ((s = rna_source_read(source, &rec, &err)) != RNA_END) {
		if (s == RNA_NEXT)
			check_stream(c, rna_source_header(source), path);
		else if (s != RNA_OK || add_record(c, &rec, 1, &err) != RNA_OK)
			fail_at(c, &err, path, s == RNA_OK ? rec.number : RNA_NOREC);
	}
	rna_record_fini(&rec);
	rna_source_close(source);
}

void
train_read_data(struct class_run *c, int pairs)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (rna_classdata_init(&c->data, &err) != RNA_OK)
		train_fail(&c->r, &err);
	c->data.pairs = pairs;
	c->data.bare = c->r.o->from >= TRAIN_FROM_KMER;
	c->data.max_chunks = (uint32_t)c->r.o->max_chunks;
	read_input(c);
	if (c->r.o->valid != NULL)
		read_valid(c);
	if ((c->r.o->valid != NULL || c->r.o->valid_split > 0) && c->data.nvalid == 0) {
		rna_fail(&err, RNA_EFORMAT, "no records to validate on");
		train_fail(&c->r, &err);
	}
	c->r.labels = c->data.names;
	c->r.pairs = c->data.pairs;
}

/* What the model must be able to take. */
void
train_check_model(struct class_run *c)
{
	const struct rna_model *m = &c->r.model;
	struct rna_err err = {.record = RNA_NOREC};
	size_t i;

	if (strcmp(c->digest, m->vocab.digest) != 0)
		rna_fail(&err, RNA_EFORMAT,
		    "the stream's vocabulary is %s, the model's is %s; make the stream anew with: rna-tokenize %s",
		    c->vocab, m->vocab.name, c->r.t->model != NULL ? "-m MODEL" : "--vocab FILE");
	for (i = 0; i < c->data.npieces && err.status == RNA_OK; i++)
		if (c->data.piece[i].ntokens > (uint32_t)m->config.max)
			rna_fail(&err, RNA_EFORMAT,
			    "an RNA has %u tokens, the model takes %d; cut them with: rna-tokenize --max %d --long "
			    "truncate",
			    c->data.piece[i].ntokens, m->config.max, m->config.max);
	if (err.status != RNA_OK)
		train_fail(&c->r, &err);
}
