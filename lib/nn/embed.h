/*
 * embed.h: what a model makes of records: vectors of an RNA, hidden states and logits of its tokens, types.
 * Records are packed by length into batches; what a record gets does not depend on its company.
 */
#ifndef RNA_EMBED_H
#define RNA_EMBED_H

#include "nn/model.h"
#include "stream/record.h"

enum rna_embed_what {
	RNA_EMBED_CLS = 1,
	RNA_EMBED_MEAN = 2,
	RNA_EMBED_POOLED = 4,
	RNA_EMBED_HIDDEN = 8,
	RNA_EMBED_LOGITS = 16,
	RNA_EMBED_CLASS = 64, /* what the class head reads, as RNA_EMBED_CLASS_FIELD; for rna_classrun */
	RNA_EMBED_TYPES = 32  /* logits of the types at the type slot: rna_embed_types only */
};

#define RNA_EMBED_CLASS_FIELD "classifier.input"

struct rna_embed_options {
	unsigned what; /* of enum rna_embed_what */
	int layer;     /* hidden state that cls, mean and hidden are taken from: 0 embeddings .. layers; -1 the last */
	enum rk_precision precision;
};

struct rna_embed;

/* m is the caller's and outlives it.  RNA_EINVAL: the model has no such layer or head, or the machine not that
 * precision. */
struct rna_embed *rna_embed_open(struct rna_model *m, const struct rna_embed_options *opts, struct rna_err *err);
/* The same with batches of so many tokens, or of one longer record: for a few records. */
struct rna_embed *
rna_embed_open_small(struct rna_model *m, const struct rna_embed_options *opts, int tokens, struct rna_err *err);
/*
 * Adds to each of n records with `tokens` the fields asked for: `cls` `mean` `pooled` f32[H], `hidden` f32[T,H],
 * `logits` f32[T,V].  err->record is the number of the record at fault.
 */
enum rna_status rna_embed_run(struct rna_embed *e, struct rna_record *rec, size_t n, struct rna_err *err) RNA_CHECK;
/* Logits of the types at the type slot of each of n records: [n, vocab.ntypes].  RNA_EFORMAT: a record without a slot.
 */
enum rna_status
rna_embed_types(struct rna_embed *e, struct rna_record *rec, size_t n, float *logits, struct rna_err *err) RNA_CHECK;
/* The model's weights have changed. */
enum rna_status rna_embed_repack(struct rna_embed *e, struct rna_err *err) RNA_CHECK;
/* Device memory of a batch, and the tokens that one holds. */
size_t rna_embed_bytes(const struct rna_embed *e);
int rna_embed_batch_tokens(const struct rna_embed *e);
void rna_embed_close(struct rna_embed *e); /* NULL is fine */

/*
 * Merges what the n chunks of an RNA got into whole, the record of the whole RNA: cls, mean and pooled are means
 * weighted by the chunks' bases; the rows of hidden and logits are put together ([CLS] of the first
 * chunk, the bases of all, what follows them from the last), so that they fit the tokens of the unchunked RNA.
 * Chunks must not overlap.
 */
enum rna_status rna_embed_merge(const struct rna_vocab *v, const struct rna_record *chunk, size_t n,
    struct rna_record *whole, struct rna_err *err) RNA_CHECK;

#endif
