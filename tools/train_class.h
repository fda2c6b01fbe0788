/*
 * train_class.h: between the files of rna-train class and pair.
 */
#ifndef RNA_TRAIN_CLASS_H
#define RNA_TRAIN_CLASS_H

#include "nn/classify.h"
#include "nn/featuremodel.h"
#include "train_run.h"

struct class_run {
	struct train_run r;
	struct rna_classdata data;
	struct rna_features features; /* --from kmer and so on, and of each example: */
	struct rna_buf numbers;       /* floats [features.size], or its key (u64) */
	char vocab[32], digest[65];   /* of the input */
	struct rna_classify *training;
	struct rna_classify_epoch best;  /* epoch so far */
	struct rna_classify_epoch *done; /* [--seeds] that of the seeds before */
	int64_t nth;                     /* seed that is trained with, from 0 */
};

/* train_records.c: input and --valid into memory; what the model must be able to take. */
void train_read_data(struct class_run *c, int pairs);
void train_check_model(struct class_run *c);

/* train_classsave.c: the seeds done, from the state of checkpoint-STEP; what is known between two epochs to the next
 * checkpoint; the training that has just been opened goes on from r.state, which is used up. */
void train_class_find(struct class_run *c, int64_t step);
void train_class_checkpoint(struct class_run *c);
void train_class_resume(struct class_run *c);

/* train_features.c: classifiers without a backbone. */
enum rna_status train_add_features(struct class_run *c, struct rna_record *rec, struct rna_err *err) RNA_CHECK;
void train_features(struct class_run *c);

#endif
