/*
 * featuremodel.h: classifiers without a backbone: logistic regression on features of a record, and the look-up of a
 * label by a text.  A folder like a model's, with config.json and model.safetensors (formats/model.md).
 */
#ifndef RNA_FEATUREMODEL_H
#define RNA_FEATUREMODEL_H

#include <jansson.h>
#include "stream/record.h"

enum rna_feature_kind {
	RNA_FEATURE_KMER,   /* the field kmer, or made from seq as rna_kmervec_add does */
	RNA_FEATURE_LENGTH, /* log of the letters of seq, its square and its cube; of a pair those of seq_b too */
	RNA_FEATURE_SEQ,    /* the text of seq: upper case, T as U */
	RNA_FEATURE_FIELD   /* an f32 vector of the record */
};

struct rna_features {
	enum rna_feature_kind kind;
	char field[64]; /* FIELD: its name */
	size_t size;    /* numbers of a record; 0: not known yet; SEQ: 0 */
};

struct rna_featuremodel {
	struct rna_features features;
	json_t *labels;
	float *weight, *bias; /* [classes, size], [classes] */
	uint64_t *key;        /* SEQ: [n] rising, rna_features_key of the texts, and how often each had each label */
	float *count;         /* [n, classes] */
	size_t n;
};

/*
 * The numbers of a record into x (of f->size; NULL: sets f->size alone).  RNA_EFORMAT: it lacks the field or letters,
 * has another number of them, or is a chunk.
 */
enum rna_status
rna_features_read(struct rna_features *f, struct rna_record *rec, float *x, struct rna_err *err) RNA_CHECK;
/* SEQ: the key of a record's text. */
enum rna_status rna_features_key(const struct rna_record *rec, uint64_t *key, struct rna_err *err) RNA_CHECK;

/* Whether dir holds such a model (a folder that can't be read does not). */
int rna_featuremodel_is(const char *dir);
enum rna_status rna_featuremodel_load(struct rna_featuremodel *m, const char *dir, struct rna_err *err) RNA_CHECK;
/* dir is made if missing. */
enum rna_status rna_featuremodel_save(const struct rna_featuremodel *m, const char *dir, struct rna_err *err) RNA_CHECK;
void rna_featuremodel_fini(struct rna_featuremodel *m);
/*
 * Logits of the classes.  Of a look-up: log of (count + share of the class in the training) / (1 + sum of the counts),
 * counts 0 for a text that was not there.  May add `kmer` to rec.
 */
enum rna_status rna_featuremodel_logits(
    const struct rna_featuremodel *m, struct rna_record *rec, float *logits, struct rna_err *err) RNA_CHECK;

#endif
