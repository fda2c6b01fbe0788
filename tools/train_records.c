/*
 * train_records.c: rna-train class and pair: labelled records into memory.
 */
#include <limits.h>
#include <string.h>

#include "train_class.h"

/* All streams have one vocabulary; the first says how long a new model's input may be. */
static void
take_stream(void *arg, const struct rna_header *h, const char *file)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct class_run *c = arg;

	if (!c->r.have)
		c->r.stream_max = rna_train_stream_max(h);
	if (c->digest[0] == '\0') {
		strlcpy(c->digest, rna_header_vocab_digest(h), sizeof(c->digest));
		strlcpy(c->vocab, rna_header_vocab_name(h), sizeof(c->vocab));
	} else if (strcmp(c->digest, rna_header_vocab_digest(h)) != 0) {
		rna_fail(&err, RNA_EFORMAT, "the vocabulary is %s, that of the stream before is %s",
		    rna_header_vocab_name(h), c->vocab);
		train_fail_at(&c->r, &err, file, RNA_NOREC);
	}
}

static enum rna_status
add_record(void *arg, struct rna_record *rec, int valid, struct rna_err *err)
{
	struct class_run *c = arg;
	enum rna_status s;

	if (c->r.o->adapt == TRAIN_STACK && rna_record_find(rec, "group") != NULL)
		return rna_fail(err, RNA_EFORMAT, "is a replicate already (it has a field group)");
	if ((s = rna_classdata_add(&c->data, rec, INT_MAX, valid, err)) != RNA_OK || c->r.o->from < TRAIN_FROM_KMER)
		return s;
	return train_add_features(c, rec, err);
}

void
train_read_data(struct class_run *c, int pairs)
{
	const struct train_data d = {0, add_record, take_stream, c};
	struct rna_err err = {.record = RNA_NOREC};

	if (rna_classdata_init(&c->data, &err) != RNA_OK)
		train_fail(&c->r, &err);
	c->data.pairs = pairs;
	c->data.bare = c->r.o->from >= TRAIN_FROM_KMER;
	c->data.max_chunks = (uint32_t)c->r.o->max_chunks;
	train_read_input(&c->r, &d);
	if (rna_classdata_seal(&c->data, &err) != RNA_OK)
		train_fail_at(&c->r, &err, c->r.t->nfiles == 1 ? c->r.t->files[0] : "", RNA_NOREC);
	if (c->r.o->valid != NULL)
		train_read_valid(&c->r, &d);
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
