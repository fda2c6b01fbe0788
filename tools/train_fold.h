/*
 * train_fold.h: between train_fold.c (a training of a folding network) and train_foldsave.c (its checkpoints).
 */
#ifndef RNA_TRAIN_FOLD_H
#define RNA_TRAIN_FOLD_H

#include "nn/foldtrain.h"
#include "train_run.h"

struct fold_run {
	struct train_run r;
	struct rna_folddata data;
	struct rna_foldnet net;
	struct rna_foldlm *lm; /* of r.model; NULL: -m none */
	struct rna_foldtrain *training;
	struct rna_energy energy;
	double best_f1; /* of all seeds; below 0: none yet */
	int64_t since;  /* rounds since the best one, and that */
	struct rna_foldtrain_round best;
};

/* 1: the language model learns with the network. */
int train_fold_tunes(const struct train_opts *o);
/* Weights in force as a model's folder. */
enum rna_status train_fold_write(struct fold_run *f, const char *dir, struct rna_err *err) RNA_CHECK;

/* Reads the state of checkpoint-STEP and opens the log behind the rows it had; once the data are read. */
void train_fold_find(struct fold_run *f, int64_t step);
/* After a round: checkpoint-STEP, the only one. */
void train_fold_checkpoint(struct fold_run *f, const struct rna_foldtrain_round *d);
/* f->training goes on from the state. */
void train_fold_resume(struct fold_run *f);

#endif
